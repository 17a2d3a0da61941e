"""Which models really answered, as the response stores remember it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The newest stored answer of one pin."""

    model: str  # as the provider named it; "" if it did not say
    time: float  # seconds since 1970


def last_served(paths: Iterable[Path]) -> dict[str, Served]:
    """The newest answer per model, which is named by the digest of that part of the request.

    Lines that are none, and files that cannot be read, are left out: other commands complain of them.
    """
    found: dict[str, Served] = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                for line in file:
                    _note(found, line)
        except OSError:
            continue
    return found


def _note(found: dict[str, Served], line: bytes) -> None:
    try:
        value = json.loads(line)
        model, time = str(value["parts"]["model"]), float(value["time"])
        served = str(value["answer"].get("served_model", ""))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return
    if model not in found or found[model].time < time:
        found[model] = Served(model=served, time=time)
