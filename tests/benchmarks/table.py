"""What a benchmark found: one line per figure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One ratio or amount, with what it should at most (or, with `least`, at least) be."""

    name: str
    value: float
    unit: str = "×"
    target: float | None = None  # None: for orientation
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is where it should be."""
        if self.target is None:
            return True
        return self.value >= self.target if self.least else self.value <= self.target

    def row(self) -> tuple[str, str, str, str]:
        """Name, value, target, and a word."""
        sign = "≥" if self.least else "≤"
        wanted = "" if self.target is None else f"{sign} {self.target:g} {self.unit}".rstrip()
        word = "" if self.target is None else "ok" if self.met else "MISSED"
        digits = ".0f" if abs(self.value) >= 100 else ".2f"
        return self.name, f"{self.value:{digits}} {self.unit}".rstrip(), wanted, word


def median_ratio(these: Sequence[float], those: Sequence[float]) -> float:
    """The median of the ratios of pairs that were measured one after the other."""
    return statistics.median(this / that for this, that in zip(these, those, strict=True))


def middle(values: Sequence[float]) -> float:
    """Their median."""
    return statistics.median(values)


def lines(figures: Sequence[Figure]) -> list[str]:
    """The table."""
    rows = [("figure", "measured", "target", ""), *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
