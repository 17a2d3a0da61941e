"""What the gates of a suite can see, metric by metric: the numbers of ``promptgate power``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import is_per_case
from pytest_promptgate.core.metrics import known_aggregates, measure
from pytest_promptgate.core.noise import (
    Noise,
    alone,
    given_noise,
    guessed_noise,
    is_binary,
    steady_noise,
    stored_noise,
)
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.power import cases_needed, chance, detectable_drop, samples_needed
from pytest_promptgate.core.types import Measurement, MetricGate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Baseline, CaseRecord, MetricSpec, Suite

STRICT = "strict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the gate on one metric can see. Drops are in points: hundredths of the metric, or percent of its level."""

    spec: MetricSpec
    gate: MetricGate
    rule: str  # "strict" also for a metric that the suite's rule does not test
    noise: Noise | None  # None: not known
    relative: bool  # drops are in percent of the level: a metric that is no share of 0 … 1
    n: int  # cases
    samples: int
    alpha: float  # of this one test

    @property
    def sees_all(self) -> bool:
        """Whether any drop beyond the tolerance is seen."""
        if self.rule == STRICT:
            return True
        steady = self.noise is not None and self.noise.spread == 0
        return steady and (self.rule == "confirm" or self.samples > 1)

    @property
    def at_least(self) -> bool:
        """Whether more is seen than the figures say: ``confirm`` asks again (GATE §10)."""
        return self.rule == "confirm"

    @property
    def margin(self) -> float | None:
        """Under ``non_inferior`` the tolerance, in points: an unchanged prompt has to be proven to be within it."""
        tolerance, level = self.gate.tolerance, self.noise.level if self.noise else None
        if self.rule != "non_inferior":
            return None
        if tolerance.relative == self.relative:
            return 100 * tolerance.amount
        if level is None:
            return None
        return 100 * tolerance.amount * abs(level) if tolerance.relative else 100 * tolerance.amount / abs(level)

    def drop(self) -> float | None:
        """The smallest drop that is caught in 4 of 5 runs; None if not even 100 points are, or nobody knows."""
        found = detectable_drop(self.noise, self.n, self.samples, alpha=self.alpha) if self.noise else None
        return None if found is None or found > self._unit else 100 * found / self._unit

    def chance(self, points: float) -> float | None:
        """How likely a drop of so many points is caught; None if nobody knows."""
        if self.noise is None:
            return None
        return chance(self.noise, points / 100 * self._unit, self.n, self.samples, alpha=self.alpha)

    def cases(self, points: float, samples: int) -> int | None:
        """Cases that it takes to catch such a drop in 4 of 5 runs; None if a million do not suffice."""
        if self.noise is None:
            return None
        return cases_needed(self.noise, points / 100 * self._unit, samples, alpha=self.alpha)

    def repeats(self, points: float) -> int | None:
        """Samples that it takes with the present cases; None if a thousand do not suffice."""
        if self.noise is None:
            return None
        return samples_needed(self.noise, points / 100 * self._unit, self.n, alpha=self.alpha)

    @property
    def _unit(self) -> float:
        """The metric's value of a hundred points."""
        return abs(self.noise.level or 1.0) if self.relative and self.noise else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Where the noise of a suite's metrics may be known from; the first that is there counts."""

    flip_rate: float | None = None  # as the user gives it
    measured: Mapping[str, Noise]  # by metric: by --prompt-aa
    steady: bool = False  # the model answers alike every time
    baseline: Baseline | None = None


def sights(suite: Suite, known: Known) -> tuple[Sight, ...]:
    """The sight of every gated metric and slice of one suite and slot, as if each were the only one of the run."""
    gated = [spec for spec in suite.judged if suite.gates[spec.name].gated]
    return tuple(_sight(spec, suite, known) for spec in gated)


def sharing(alone: Sight, family: int) -> Sight:
    """`alone` when so many tested metrics share the run's level."""
    return replace(alone, alpha=alone.alpha / max(1, family))


def _sight(spec: MetricSpec, suite: Suite, known: Known) -> Sight:
    records = _records(spec, suite, known.baseline)
    level = _level(spec, records) if spec.aggregate in known_aggregates() else None
    relative = spec.source in OBSERVABLES or not 0 <= (level or 0.0) <= 1
    noise = _noise(spec, known, records, level, relative=relative)
    if noise is not None and relative and not noise.level:
        noise = None
    if noise is not None and suite.rule == "non_inferior":
        noise = replace(noise, binary=False)  # its bounds are no exact test
    return Sight(
        spec=spec,
        gate=suite.gates[spec.name],
        rule=suite.rule if spec.aggregate in known_aggregates() else STRICT,
        noise=noise,
        relative=relative,
        n=len(suite.cases if spec.part is None else spec.part.cases),
        samples=suite.samples,
        alpha=suite.policy.test_alpha,
    )


def _noise(
    spec: MetricSpec, known: Known, records: Mapping[str, CaseRecord], level: float | None, *, relative: bool
) -> Noise | None:
    arms = alone(spec, [*records.values()])
    binary = is_per_case(spec.aggregate) and (arms is None or is_binary(arms.before))
    if known.flip_rate is not None and not relative:
        return given_noise(known.flip_rate, level=level, binary=binary)
    if spec.name in known.measured:
        return known.measured[spec.name]
    if known.steady and spec.source not in OBSERVABLES:
        return steady_noise(level)
    if found := stored_noise(spec, records, level=level):
        return found
    if relative or not is_per_case(spec.aggregate):
        return None  # no share of 0 … 1, or no mean: there is no guessing
    return guessed_noise(level, binary=binary)


def _records(spec: MetricSpec, suite: Suite, baseline: Baseline | None) -> dict[str, CaseRecord]:
    """The baseline's lines that tell of the metric as it is now."""
    if baseline is None:
        return {}
    fingerprints = {bound.name: bound.fingerprint for bound in suite.scorers}
    if spec.source not in OBSERVABLES and baseline.scorers.get(spec.source) != fingerprints.get(spec.source):
        return {}
    cases = {case.id for case in suite.cases} if spec.part is None else spec.part.cases
    return {name: record for name, record in baseline.cases.items() if name in cases}


def _level(spec: MetricSpec, records: Mapping[str, CaseRecord]) -> float | None:
    """The metric's value in the baseline, per trial if it is a total; None if nothing was scored."""
    arms = alone(spec, [*records.values()])
    if arms is not None:
        return abs(arms.levels[0] / arms.scale)
    measured = measure(spec, [seen for record in records.values() for seen in record.observations])
    return measured.value if isinstance(measured, Measurement) else None
