"""A curve in one line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.,-=+*#"


def sparkline(values: Sequence[float], *, marks: str = BLOCKS, width: int = 40) -> str:
    """One mark per value, from the lowest to the highest of them; of more than `width` values the latest.

    >>> sparkline([0.80, 0.82, 0.90])
    '▁▂█'
    """
    shown = values[-width:]
    if not shown:
        return ""
    low, span = min(shown), max(shown) - min(shown)
    top = len(marks) - 1
    return "".join(marks[round((each - low) / span * top) if span else top // 2] for each in shown)
