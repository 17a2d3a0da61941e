"""``.promptgate/noise.json``: how much each metric varied when its prompt was last held against itself.

::

    {"triage": {"default": {"accuracy": {"of": "…", "flip_rate": 0.155, "spread": 0.394, "binary": true, …}}}}

It only sharpens what is said of the gate's sight: nothing is said when it is damaged, and it decides nothing.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.noise import Noise, Source
from pytest_promptgate.files.atomic import replace_file
from pytest_promptgate.files.own_directory import make_own_directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "noise.json"


def read_noise(path: Path, suite: str, slot: str) -> dict[str, tuple[str, Noise]]:
    """What is remembered of one suite and slot: by metric, with its `core.noise.noise_key`; empty if nothing is."""
    slots = _read(path).get(suite)
    found = slots.get(slot) if isinstance(slots, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: known for name, entry in found.items() if (known := _noise(entry)) is not None}


def write_noise(path: Path, suite: str, slot: str, measured: Mapping[str, tuple[str, Noise]]) -> None:
    """Remember `measured` in place of what is known of this suite and slot; what is known of others stays.

    Raises:
        LockfileError: It could not be written.
        OSError: Its directory could not be made.
    """
    known = _read(path)
    slots = known.get(suite)
    entries = {name: _entry(key, noise) for name, (key, noise) in measured.items()}
    known[suite] = {**(slots if isinstance(slots, dict) else {}), slot: entries}
    text = json.dumps(known, indent=1, sort_keys=True) + "\n"
    make_own_directory(path.parent)
    replace_file(path, lambda: (text.encode(),), file=path.name)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _entry(key: str, noise: Noise) -> dict[str, Any]:
    return {
        "of": key,
        "flip_rate": noise.flip_rate,
        "spread": noise.spread,
        "binary": noise.binary,
        "level": noise.level,
        "about": noise.about,
    }


def _noise(entry: Any) -> tuple[str, Noise] | None:
    try:
        key, about, level = entry["of"], entry["about"], entry["level"]
        rate, spread, binary = float(entry["flip_rate"]), float(entry["spread"]), entry["binary"]
        level = None if level is None else float(level)
    except (TypeError, ValueError, KeyError):
        return None
    sound = 0 <= rate <= 1 and 0 <= spread < math.inf and math.isfinite(level or 0.0)
    if not (sound and isinstance(key, str) and isinstance(about, str) and isinstance(binary, bool)):
        return None
    return key, Noise(flip_rate=rate, spread=spread, binary=binary, level=level, about=about, source=Source.MEASURED)
