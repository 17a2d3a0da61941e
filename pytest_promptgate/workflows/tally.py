"""How good one metric can still become, kept up result by result: it tells when to ask `core.certainty`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from pytest_promptgate.core.certainty import best_value
from pytest_promptgate.core.changes import EPSILON, value_of
from pytest_promptgate.core.early import Certainty, strict_bounds
from pytest_promptgate.core.observables import grade
from pytest_promptgate.core.types import Direction, Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.types import Baseline, MetricGate, MetricSpec, Observation, Suite

_NONE = -math.inf


@dataclass(slots=True)
class _Case:
    """One case as far as it is done; values are turned so that higher is better."""

    values: list[float]
    open: int
    old: tuple[float, ...]  # of the baseline; empty: it is in no pair


class Tally:
    """The sums of one metric over all cases, the open trials at their best.

    Args:
        spec: With a `best_value`.
        best: That value.
        cases: Ids of the cases that are asked.
        before: The baseline's observations of those that are in it unedited.
        samples: Of each case.
    """

    def __init__(
        self,
        spec: MetricSpec,
        best: float,
        cases: Sequence[str],
        before: Mapping[str, Sequence[Observation]],
        samples: int,
    ) -> None:
        self.spec = spec
        self._sign = 1 if spec.direction is Direction.HIGHER else -1
        self._best = self._sign * best
        self._bounded = True  # no value was better than the best
        self._all = self._paired = self._old = 0.0
        self._n = self._pairs = 0
        self._cases: dict[str, _Case] = {}
        for case in cases:
            if spec.part is None or case in spec.part.cases:
                self._cases[case] = _Case([], samples, tuple(self._values(before.get(case, ()))))
                self._count(self._cases[case], 1)

    def pair(self, case: str) -> tuple[float, float] | None:
        """The means of one case on both sides; None if it is in no pair."""
        found = self._cases.get(case)
        return (fmean(found.old), fmean(found.values)) if found and found.old and found.values else None

    def room(self, case: str) -> float:
        """How much better one case can still become; 0 if it is in no pair."""
        found = self._cases.get(case)
        return self._level(found) - self._before(found) if found and found.old else 0.0

    def see(self, observation: Observation) -> None:
        """Take the result of one trial."""
        found = self._cases.get(observation.case)
        if found is not None:
            self._count(found, -1)
            found.values += self._values([observation])
            found.open -= 1
            self._count(found, 1)

    def may_have_failed(self, gate: MetricGate) -> bool:
        """Whether the metric is beyond its floor, or lower by more than allowed, with all open trials at their best."""
        if not self._bounded:
            return False
        n, pairs = (1, 1) if self.spec.aggregate == "total" else (self._n, self._pairs)
        if gate.floor is not None and n and self._all < n * (self._sign * gate.floor - EPSILON):
            return True
        if not self._pairs:
            return False
        mean = self._old / pairs
        allowed = gate.tolerance.allowance(mean)
        found = strict_bounds(
            self._paired, left_low=_NONE, left_high=0.0, n=pairs, baseline_mean=mean, tolerance=allowed
        )
        return found is Certainty.FAIL

    def _values(self, observations: Sequence[Observation]) -> list[float]:
        scored = [each for each in observations if isinstance(grade(self.spec, each), Score)]
        values = [self._sign * value_of(self.spec, each) for each in scored]
        self._bounded &= all(value <= self._best for value in values)
        return values

    def _count(self, case: _Case, sign: int) -> None:
        if not case.values and not case.open:
            return
        level = self._level(case)
        self._all += sign * level
        self._n += sign
        if case.old:
            self._paired += sign * level
            self._old += sign * self._before(case)
            self._pairs += sign

    def _level(self, case: _Case) -> float:
        total = math.fsum(case.values) + case.open * self._best
        return total if self.spec.aggregate == "total" else total / max(1, len(case.values) + case.open)

    def _before(self, case: _Case) -> float:
        if self.spec.aggregate == "total":
            return math.fsum(case.old[: len(case.values) + case.open])
        return fmean(case.old)


def tallies(
    suite: Suite, metrics: frozenset[str], cases: Sequence[str], baseline: Baseline | None
) -> Mapping[str, Tally]:
    """A tally of each of `metrics` that has a bound, by its name."""
    rows = {case.id: case.digest for case in suite.cases}
    records = baseline.cases if baseline else {}
    before = {case: records[case].observations for case in cases if case in records and records[case].row == rows[case]}
    return {
        spec.name: Tally(spec, best, cases, before, suite.samples)
        for spec in suite.judged
        if spec.name in metrics and (best := best_value(spec)) is not None
    }
