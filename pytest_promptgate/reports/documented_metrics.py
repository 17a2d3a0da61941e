"""The metrics of a run document: what was measured, what the gate says of it, and what it could have seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_promptgate.core.comparison import compare
from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.excerpts import excerpt
from pytest_promptgate.core.non_inferiority import bounds
from pytest_promptgate.core.run_document import MetricRun, Move, SightRun, VerdictRun
from pytest_promptgate.core.types import Direction, MetricGate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.sight import Sight
    from pytest_promptgate.core.types import CaseChange, MetricSpec, Report, Verdict

_INTERVAL = 0.025  # on either side
MOST_DRAWN = 500  # trials; a bootstrap of more takes longer than anybody waits for an interval


def metric_runs(report: Report, *, sights: Sequence[Sight], aggregates: Mapping[str, Aggregate]) -> Iterator[MetricRun]:
    """Every metric of the suite, then every gated slice.

    Args:
        report: Of the suite.
        sights: Of its gated metrics, as far as they are known.
        aggregates: Those of plugins.
    """
    measured = {each.metric: each for each in report.measurements}
    verdicts = {each.metric: each for each in report.verdicts}
    seen = {each.spec.name: each for each in sights}
    for spec in report.suite.judged:
        verdict = verdicts.get(spec.name)
        yield MetricRun(
            spec=spec,
            gate=report.suite.gates.get(spec.name, MetricGate()),
            measured=measured.get(spec.name),
            verdict=None if verdict is None else compared_run(verdict, spec, report, aggregates),
            sight=_sight(seen[spec.name]) if spec.name in seen else None,
        )


def promise_runs(report: Report) -> Iterator[VerdictRun]:
    """The verdicts on no metric: gone suites and cases, loosened promises, stale baselines."""
    metrics = {spec.name for spec in report.suite.judged}
    yield from (_verdict(each) for each in report.verdicts if each.metric not in metrics)


def compared_run(verdict: Verdict, spec: MetricSpec, report: Report, aggregates: Mapping[str, Aggregate]) -> VerdictRun:
    """What the gate says of one metric, with the interval of its change if any case moved."""
    if report.baseline is None or verdict.change is None or not (verdict.worse or verdict.better):
        return _verdict(verdict)  # where nothing moved there is no spread to tell of
    selection = frozenset(each.trial.case.id for each in report.results) if report.partial else None
    pairs = compare(spec, report.baseline, report.results, selection=selection, aggregates=aggregates).pairs
    sides = [
        Sides(case=each.case.id, before=each.before, after=each.after, cluster=each.case.cluster) for each in pairs
    ]
    together = report.suite.together
    return _verdict(verdict, interval=change_interval(spec, sides, aggregates=aggregates, together=together))


def change_interval(
    spec: MetricSpec, sides: Sequence[Sides], *, aggregates: Mapping[str, Aggregate], together: bool
) -> tuple[float, float] | None:
    """The 95 % interval of a metric's change, in its unit; None if the cases do not tell it, or too slowly."""
    arms = arms_of(spec, sides, aggregates=aggregates, together=together)
    if arms.statistic is not None and sum(len(each.before) + len(each.after) for each in sides) > 2 * MOST_DRAWN:
        return None
    try:
        found = bounds(arms, alpha=_INTERVAL)
    except ValueError:  # one case, or one cluster, has no spread
        return None
    low, high = (found.low, found.high) if spec.direction is Direction.HIGHER else (-found.high, -found.low)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _verdict(verdict: Verdict, *, interval: tuple[float, float] | None = None) -> VerdictRun:
    return VerdictRun(
        metric=verdict.metric,
        outcome=verdict.outcome,
        reason=verdict.reason,
        gated=verdict.gated,
        red=verdict.red,
        baseline=verdict.baseline,
        current=verdict.current,
        change=verdict.change,
        change_interval=interval,
        compared=verdict.compared,
        p=verdict.p,
        sees=verdict.sees,
        accepted=verdict.accepted,
        since_anchor=verdict.since_anchor,
        worse=tuple(map(_move, verdict.worse)),
        better=tuple(map(_move, verdict.better)),
    )


def _move(change: CaseChange) -> Move:
    return Move(
        case=change.case,
        before=change.before,
        after=change.after,
        reason=excerpt(change.reason),
        sample_before=change.old_sample,
        sample_now=change.new_sample,
    )


def _sight(sight: Sight) -> SightRun:
    blank = sight.sees_all or sight.noise is None
    return SightRun(
        sees_any_drop=sight.sees_all,
        at_least=sight.at_least,
        unit="percent" if sight.relative else "points",
        drop=None if blank else sight.drop(),
        flip_rate=sight.noise.flip_rate if sight.noise else None,
        flip_rate_from=str(sight.noise.source) if sight.noise else "",
        cases=sight.n,
        samples=sight.samples,
    )
