"""The built-in aggregates: their names, their arguments, and which way is better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_promptgate.core.labels import AVERAGES, KINDS, LABELLED, needs_labels
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.types import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.types import Json

PLAIN = frozenset({"mean", "min", "max", "median", "total", "rate"})
PERCENTILES = frozenset(f"p{share}" for share in range(1, 100))
_PER_CASE = frozenset({"mean", "rate"})


def known_aggregates() -> frozenset[str]:
    """The built-in names: mean, min, max, median, p1 … p99, total, rate, precision, recall, f1, confusion."""
    return PLAIN | PERCENTILES | LABELLED


def known_arguments(aggregate: str) -> frozenset[str]:
    """The names of the arguments that a built-in aggregate takes; none for a plugin's."""
    if aggregate == "rate":
        return frozenset({"at"})
    return frozenset({"label", "average"}) if aggregate in KINDS else frozenset()


def argument_fault(aggregate: str, name: str, value: Json) -> str:
    """What is wrong with the value of a known argument, in one line, or ""."""
    if name == "at" and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"at must be a number, not {value!r}"
    if name == "average" and value not in AVERAGES:
        return f"average must be {' or '.join(AVERAGES)}, not {value!r}"
    if name == "label" and not isinstance(value, str | int | float | bool):
        return f"label must be a label, not {value!r}"
    return "" if name in known_arguments(aggregate) else f"{aggregate} takes no argument {name!r}"


def is_per_case(aggregate: str) -> bool:
    """Whether a case counts once however many samples it has; every other aggregate counts trials."""
    return aggregate in _PER_CASE


def direction_of(aggregate: str, source: str, scorers: Mapping[str, Direction]) -> Direction:
    """Which way is better: the observable's or the scorer's own direction; labels: higher, but confusion: lower."""
    if aggregate == "confusion":
        return Direction.LOWER
    if needs_labels(aggregate):
        return Direction.HIGHER
    return OBSERVABLES.get(source) or scorers.get(source, Direction.HIGHER)


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile (0 <= q <= 1) by linear interpolation.

    Source:
        Hyndman & Fan, Sample Quantiles in Statistical Packages (1996), type 7; the default of numpy.
    """
    ordered = sorted(values)
    position = q * (len(ordered) - 1)
    low = math.floor(position)
    if position == low:
        return ordered[low]
    return ordered[low] + (ordered[low + 1] - ordered[low]) * (position - low)
