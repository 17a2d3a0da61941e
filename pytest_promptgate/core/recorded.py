"""The metrics of a baseline, measured from its case lines: they are recorded nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.anchor import Side
from pytest_promptgate.core.expressions import parse_expression
from pytest_promptgate.core.metrics import OBSERVABLES, known_aggregates, measure, needs_labels
from pytest_promptgate.core.types import CaseRecord, Direction, Measurement, MetricSpec
from pytest_promptgate.errors import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Baseline, Contract, Observation, Result, Suite

_LATENCY = "latency_s"
_COST = "cost_usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A metric and its books."""

    value: float | None  # None: nothing was scored
    scored: int
    unscored: int

    def __str__(self) -> str:
        value = "nothing" if self.value is None else repr(self.value)
        unscored = f", {self.unscored} unscored" if self.unscored else ""
        return f"{value} (n={self.scored}{unscored})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the lockfile keeps of a sample beyond digests, tokens and plain scores."""

    labels: Collection[str] = ()  # scorers whose label pairs a metric reads
    latency: bool = False  # a gated metric reads it


def kept_by(contract: Contract) -> Kept:
    """What the metrics of `contract` read; raises ExpressionError if one of them cannot be read itself."""
    specs = [recorded_spec(metric, contract) for metric in contract.metrics]
    gated = {metric for metric, gate in contract.gates.items() if gate.gated}
    return Kept(
        labels=frozenset(spec.source for spec in specs if needs_labels(spec.aggregate)),
        latency=any(spec.source == _LATENCY and spec.name in gated for spec in specs),
    )


def records(results: Sequence[Result], scorers: Collection[str] | None = None) -> dict[str, CaseRecord]:
    """What the lockfile is to remember of a run.

    Args:
        results: Of whole cases, in any order.
        scorers: Whose grades are kept; None: all. An old line may hold grades of scorers that the suite has no more.
    """
    by_case: dict[str, list[Result]] = {}
    for result in results:
        by_case.setdefault(result.trial.case.id, []).append(result)
    return {case: _record(case, samples, scorers) for case, samples in by_case.items()}


def side_of(suite: Suite, results: Sequence[Result]) -> Side:
    """A run of `suite`, as the anchor's side is one."""
    return Side(
        cases=records(results),
        scorers={each.name: each.fingerprint for each in suite.scorers},
        clusters={case.id: case.cluster for case in suite.cases if case.cluster},
        together=suite.together,
    )


def _record(case: str, results: list[Result], scorers: Collection[str] | None) -> CaseRecord:
    results.sort(key=lambda result: result.trial.sample)
    return CaseRecord(
        id=case,
        row=results[0].trial.case.digest,
        request=results[0].trial.digest,
        observations=tuple(_kept(result.observation, scorers) for result in results),
    )


def _kept(observation: Observation, scorers: Collection[str] | None) -> Observation:
    if scorers is None or observation.grades.keys() == set(scorers):
        return observation
    grades = {name: grade for name, grade in observation.grades.items() if name in scorers}
    return replace(observation, grades=grades)


def recorded_metrics(
    baseline: Baseline, *, aggregates: Mapping[str, Aggregate] = MappingProxyType({})
) -> dict[str, Figures | None]:
    """Every metric of the baseline's contract.

    Args:
        baseline: From a lockfile, or to be written to one.
        aggregates: Those that plugins offer, by name.

    Returns:
        None where the case lines do not tell it: cost (it needs prices), latency that no gate reads, and
        aggregates that nobody offers.

    Raises:
        ExpressionError: A metric's expression cannot be read.
    """
    seen = [each for case in sorted(baseline.cases) for each in baseline.cases[case].observations]
    found: dict[str, Figures | None] = {}
    for metric in baseline.contract.metrics:
        spec = recorded_spec(metric, baseline.contract)
        if not _is_told(spec, baseline, aggregates):
            found[metric] = None
            continue
        measured = measure(spec, seen, aggregates=aggregates)
        found[metric] = Figures(
            value=measured.value if isinstance(measured, Measurement) else None,
            scored=measured.books.scored,
            unscored=measured.books.unscored,
        )
    return found


def recorded_spec(metric: str, contract: Contract) -> MetricSpec:
    """A metric as the baseline records it; raises ExpressionError if its expression cannot be read."""
    parsed = parse_expression(contract.metrics[metric])
    return MetricSpec(
        name=metric,
        aggregate=parsed.aggregate,
        source=parsed.source,
        arguments=parsed.arguments,
        direction=Direction.HIGHER,  # measuring does not depend on it
        place=Place(file=contract.path),
    )


def _is_told(spec: MetricSpec, baseline: Baseline, aggregates: Mapping[str, Aggregate]) -> bool:
    if spec.aggregate not in known_aggregates() and spec.aggregate not in aggregates:
        return False
    if spec.source == _LATENCY:
        return kept_by(baseline.contract).latency
    return spec.source != _COST and (spec.source in OBSERVABLES or spec.source in baseline.scorers)
