"""What the gate finds of one metric, said in one line for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.types import Direction, Outcome

if TYPE_CHECKING:
    from pytest_promptgate.core.comparison import Comparison
    from pytest_promptgate.core.types import Books, MetricSpec, Tolerance, Unmeasured

WIDTH = 300  # of a reason that quotes a scorer or a provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An outcome with its reason."""

    outcome: Outcome
    reason: str


def numbers(*values: float) -> tuple[str, ...]:
    """Values of one metric with equally many decimals: three, or as many as tell them apart and from 0 (at most 12)."""
    start = 3 if max(abs(each) for each in values) < 1000 else 0
    for decimals in range(start, 12):
        shown = tuple(f"{each:.{decimals}f}" for each in values)
        vanished = any(value and not float(text) for text, value in zip(shown, values, strict=True))
        if len(set(shown)) == len(set(values)) and not vanished:
            return shown
    return tuple(f"{each:.12g}" for each in values)


def moved(spec: MetricSpec, before: float, after: float, *, n: int, tolerance: str) -> str:
    """``accuracy fell from 0.883 to 0.867 (n=60, change -0.017, tolerance 0)``."""
    verb = "rose" if after > before else "fell"
    old, new = numbers(before, after)
    change = numbers(after - before)[0]
    sign = "+" if after > before else ""
    return f"{spec.name} {verb} from {old} to {new} (n={n}, change {sign}{change}, {tolerance})"


def unchanged(spec: MetricSpec, value: float, *, n: int) -> Finding:
    """The metric is what it was."""
    return Finding(outcome=Outcome.UNCHANGED, reason=f"{spec.name} is {numbers(value)[0]} as before (n={n})")


def improved(spec: MetricSpec, before: float, after: float, *, n: int, tolerance: Tolerance) -> Finding:
    """The metric is better than it was."""
    return Finding(outcome=Outcome.IMPROVED, reason=moved(spec, before, after, n=n, tolerance=f"tolerance {tolerance}"))


def tolerated(spec: MetricSpec, before: float, after: float, *, n: int, tolerance: Tolerance) -> Finding:
    """The metric is worse, and the suite allows that much."""
    reason = moved(spec, before, after, n=n, tolerance=f"within the tolerance {tolerance}")
    return Finding(outcome=Outcome.WITHIN_NOISE, reason=reason)


def regressed(spec: MetricSpec, before: float, after: float, *, n: int, tolerance: Tolerance) -> Finding:
    """The metric is worse."""
    return Finding(
        outcome=Outcome.REGRESSED, reason=moved(spec, before, after, n=n, tolerance=f"tolerance {tolerance}")
    )


def beyond_floor(spec: MetricSpec, value: float, floor: float, *, n: int) -> Finding:
    """The metric is worse than the suite ever allows."""
    side = "below its floor" if spec.direction is Direction.HIGHER else "above its ceiling"
    shown, limit = numbers(value, floor)
    return Finding(outcome=Outcome.REGRESSED, reason=f"{spec.name} is {shown}, {side} {limit} (n={n})")


def new(spec: MetricSpec, value: float, *, n: int, why: str) -> Finding:
    """There is nothing to compare with; `why` continues the sentence."""
    return Finding(outcome=Outcome.NEW, reason=f"{spec.name} is {numbers(value)[0]} (n={n}): {why}")


def unselected(spec: MetricSpec) -> Finding:
    """A slice of which a partial run has no case."""
    return Finding(outcome=Outcome.NEW, reason=f"{spec.name} was not measured: none of its cases was selected")


def incomparable(spec: MetricSpec, why: str) -> Finding:
    """Both numbers may be right, but they do not measure the same thing."""
    return Finding(outcome=Outcome.INCOMPARABLE, reason=f"{spec.name} cannot be compared: {why}")


def unasked(spec: MetricSpec, *, missing: int, planned: int, why: str) -> Finding:
    """Trials have no answer because nobody asked."""
    told = f": {one_line(why, width=WIDTH)}" if why else ""
    return _open(spec, f"{missing} of {planned} trials were not asked{told}")


def cut_short(spec: MetricSpec, why: str) -> Finding:
    """The suite was stopped for another metric's failure."""
    return _open(spec, f"nothing more was asked: {one_line(why, width=WIDTH)}")


def unmeasured(measured: Unmeasured) -> Finding:
    """Nothing was scored, or a plugin's aggregate failed."""
    reason = f"{measured.metric} cannot be judged: {one_line(measured.reason, width=WIDTH)}"
    return Finding(outcome=Outcome.INCONCLUSIVE, reason=reason)


def incomplete(spec: MetricSpec, books: Books) -> Finding:
    """Too many trials without a score."""
    parts = [(books.errored, "errored"), (books.unscored, "unscored")]
    told = ", ".join(f"{count} {word}" for count, word in parts if count)
    lost = books.errored + books.unscored
    return _open(spec, f"{lost} of {books.planned} trials have no score ({told}), more than 2 %")


def unreliable(spec: MetricSpec, why: str) -> Finding:
    """Its scores are there, and nobody should go by them."""
    return _open(spec, why)


def uncovered(spec: MetricSpec, comparison: Comparison) -> Finding:
    """Too few of the baseline's cases are here."""
    parts = [
        (len(comparison.removed), "missing from this run"),
        (len(comparison.edited), "edited"),
        (len(comparison.unscored), "without a score"),
    ]
    told = ", ".join(f"{count} {word}" for count, word in parts if count)
    compared = f"only {len(comparison.pairs)} of {comparison.expected} baseline cases can be compared"
    return _open(spec, f"{compared} ({told}), less than 90 %")


def _open(spec: MetricSpec, why: str) -> Finding:
    return Finding(outcome=Outcome.INCONCLUSIVE, reason=f"{spec.name} cannot be judged: {why}")
