"""``SUITE=PIN``: another model for a suite in one run (``--prompt-model``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WRITTEN = re.compile(r"(?P<suite>[^=\[\]]+?)\s*(?:\[(?P<slot>[^\[\]]+)\])?\s*=\s*(?P<model>\S+)\s*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange:
    """What one slot of a suite runs on instead of its own pin."""

    suite: str
    slot: str = ""  # "": the only one
    model: str  # provider/id as it was written, not yet checked

    def __str__(self) -> str:
        return f"{self.suite}[{self.slot}]={self.model}" if self.slot else f"{self.suite}={self.model}"


def parse_model_changes(texts: Sequence[str]) -> tuple[ModelChange, ...]:
    """Read every ``SUITE=PIN`` or ``SUITE[SLOT]=PIN``.

    Raises:
        ValueError: One is written otherwise, or two are about the same slot.
    """
    found: dict[tuple[str, str], ModelChange] = {}
    for text in texts:
        match = _WRITTEN.match(text.strip())
        if match is None:
            raise ValueError(f"{text!r}: write it SUITE=PROVIDER/MODEL, or SUITE[SLOT]=PROVIDER/MODEL")
        change = ModelChange(suite=match["suite"].strip(), slot=(match["slot"] or "").strip(), model=match["model"])
        if (change.suite, change.slot) in found:
            raise ValueError(f"{text!r}: {found[change.suite, change.slot]} is given too: drop one of the two")
        found[change.suite, change.slot] = change
    return tuple(found.values())
