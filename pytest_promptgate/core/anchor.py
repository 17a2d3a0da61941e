"""The anchor: what small losses are added up from, so that fifty of them cannot pass one by one (GATE §6).

As long as enough of the anchor's cases are still asked, a metric is held against them directly. Otherwise its way
since then is added up link by link: ``D_t = D_{t-1} + Δ_t`` and ``V_t = V_{t-1} + SE_t²``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import records_digest
from pytest_promptgate.core.arms import Arms
from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.intervals import cluster_se, suite_se, z_of
from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.observables import OBSERVABLES, grade
from pytest_promptgate.core.types import Anchor, Direction, Drift, Measurement, Score

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Baseline, CaseRecord, MetricSpec, Observation

LEAST_SURVIVING = 0.80  # share of the anchor's cases that a direct comparison needs
FIRST = "first baseline"
RELAID = "the dataset or a scorer changed"
_GROUPS = 100  # most parts that a jackknife leaves out one by one
_NONE: Mapping[str, Aggregate] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One measurement of a suite: what was answered, and by which scorers it was scored."""

    cases: Mapping[str, CaseRecord]
    scorers: Mapping[str, str]  # name -> fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class SinceAnchor:
    """How far a metric has moved since the anchor."""

    change: float  # in the metric's unit, turned so that less than 0 is worse
    variance: float
    n: int  # cases of the last link
    linked: bool  # False: these are the anchor's own cases, and the rule's test can be asked

    def rejects(self, *, alpha: float) -> bool:
        """Whether a loss since the anchor is certain enough: D + z·√V < 0. For links; else the rule decides."""
        return self.change + z_of(1 - alpha) * math.sqrt(self.variance) < 0


def anchor_of(baseline: Baseline) -> Anchor:
    """The anchor that `baseline` is held against: its own, or itself."""
    if baseline.anchor is not None:
        return baseline.anchor
    return Anchor(
        prompt=baseline.prompt,
        prompt_digest=baseline.prompt_digest,
        pin=baseline.pin,
        scorers=baseline.scorers,
        cases=baseline.cases,
        reason=FIRST,
        recipe=baseline.recipe,
    )


def surviving(anchor: Anchor, cases: Mapping[str, CaseRecord]) -> float:
    """The share of the anchor's cases that are still asked as they were, in [0, 1]."""
    if not anchor.cases:
        return 0.0
    kept = sum(name in cases and cases[name].row == record.row for name, record in anchor.cases.items())
    return kept / len(anchor.cases)


def since_anchor(
    spec: MetricSpec,
    baseline: Baseline,
    now: Side,
    *,
    rescored: Side | None = None,
    aggregates: Mapping[str, Aggregate] = _NONE,
) -> SinceAnchor | None:
    """How far `spec` has moved between the anchor of `baseline` and `now`; None if nobody can tell.

    Args:
        spec: Of the suite that `now` measured.
        baseline: What `now` is held against at first.
        now: A run, or the baseline that it leaves.
        rescored: `baseline` as the scorers of `now` see it, if they have changed.
        aggregates: Those that plugins offer.
    """
    anchor = anchor_of(baseline)
    then = Side(cases=anchor.cases, scorers=anchor.scorers)
    debt = anchor.drift.get(spec.name, Drift(change=0.0, variance=0.0))
    if surviving(anchor, now.cases) >= LEAST_SURVIVING and _same_scorer(spec, then, now):
        link = between(spec, then, now, aggregates=aggregates)
        return None if link is None else _added(debt, link, linked=spec.name in anchor.drift)
    before = Side(cases=baseline.cases, scorers=baseline.scorers)
    last = between(spec, rescored or before, now, aggregates=aggregates)
    first = between(spec, then, before, aggregates=aggregates) if baseline.anchor is not None else None
    if first is not None:
        debt = Drift(change=debt.change + first.change, variance=debt.variance + first.variance)
    if last is None and debt.change == 0:
        return None
    # Where nothing links this step, what was lost before is not forgiven.
    return _added(debt, last or SinceAnchor(change=0.0, variance=0.0, n=0, linked=True), linked=True)


def between(
    spec: MetricSpec, before: Side, after: Side, *, aggregates: Mapping[str, Aggregate] = _NONE
) -> SinceAnchor | None:
    """One link: Δ and SE² of a metric on the rows that both sides scored; None if there are none."""
    if not _same_scorer(spec, before, after):
        return None
    pairs = _pairs(spec, before.cases, after.cases)
    change = _change(spec, pairs, aggregates)
    if change is None:
        return None
    return SinceAnchor(change=change, variance=_variance(spec, pairs, aggregates), n=len(pairs), linked=False)


def moved_anchor(
    old: Baseline,
    new: Baseline,
    specs: Sequence[MetricSpec],
    *,
    restarts: Collection[str] = (),
    reason: str = "",
    rescored: Side | None = None,
    aggregates: Mapping[str, Aggregate] = _NONE,
) -> Anchor | None:
    """The anchor of `new`, which replaces `old`; None if `new` is its own.

    It stays where it is. It is laid anew at `new` when too few of its cases or none of its scorers are left; then each
    metric takes along how far it had moved. A metric in `restarts` takes nothing along.

    Args:
        old: The baseline so far.
        new: The baseline that replaces it.
        specs: The metrics of the suite.
        restarts: Metrics whose anchor moves to `new`: those whose rise is proven (p_better <= .01, by fresh samples),
            or all of them after an accepted regression. There is no other way up, and no other way down.
        reason: Why those restart.
        rescored: As for `since_anchor`.
        aggregates: Those that plugins offer.
    """
    names = {spec.name for spec in specs}
    if names <= set(restarts):
        return None
    anchor, now = anchor_of(old), Side(cases=new.cases, scorers=new.scorers)
    lasting = surviving(anchor, new.cases) >= LEAST_SURVIVING and all(
        _same_scorer(spec, Side(cases=anchor.cases, scorers=anchor.scorers), now) for spec in specs
    )
    if lasting and not restarts:
        same = not anchor.drift and records_digest(anchor.cases) == records_digest(new.cases)
        return None if same else anchor
    moved = {spec.name: since_anchor(spec, old, now, rescored=rescored, aggregates=aggregates) for spec in specs}
    drift = {
        name: Drift(change=way.change, variance=way.variance)
        for name, way in moved.items()
        if way is not None and name not in restarts
    }
    return replace(anchor_of(replace(new, anchor=None)), drift=drift, reason=reason or RELAID)


def arms_since(spec: MetricSpec, anchor: Anchor, now: Side) -> Arms | None:
    """The anchor's cases beside those of `now`, for tests; None where there are none, or the metric is no mean."""
    then = Side(cases=anchor.cases, scorers=anchor.scorers)
    sign = 1 if spec.direction is Direction.HIGHER else -1
    if spec.aggregate != "mean" or not _same_scorer(spec, then, now):
        return None
    pairs = _pairs(spec, then.cases, now.cases)
    if not pairs:
        return None
    before, after = (tuple(tuple(sign * each for each in _values(spec, pair[at])) for pair in pairs) for at in (0, 1))
    return Arms(cases=tuple(pair[0][0].case for pair in pairs), before=before, after=after)


def tested_since(spec: MetricSpec, anchor: Anchor, now: Side, *, aggregates: Mapping[str, Aggregate]) -> Arms | None:
    """The anchor's own cases beside those of `now`, where a rule's test decides upon them; None where links do."""
    then = Side(cases=anchor.cases, scorers=anchor.scorers)
    linked = spec.name in anchor.drift or surviving(anchor, now.cases) < LEAST_SURVIVING
    if linked or not _same_scorer(spec, then, now):
        return None
    pairs = _pairs(spec, then.cases, now.cases)
    sides = [Sides(case=before[0].case, before=before, after=after) for before, after in pairs]
    return arms_of(spec, sides, aggregates=aggregates) if sides else None


def _added(debt: Drift, link: SinceAnchor, *, linked: bool) -> SinceAnchor:
    return SinceAnchor(
        change=debt.change + link.change, variance=debt.variance + link.variance, n=link.n, linked=linked
    )


def _same_scorer(spec: MetricSpec, one: Side, other: Side) -> bool:
    return spec.source in OBSERVABLES or one.scorers.get(spec.source) == other.scorers.get(spec.source)


def _pairs(
    spec: MetricSpec, before: Mapping[str, CaseRecord], after: Mapping[str, CaseRecord]
) -> list[tuple[tuple[Observation, ...], tuple[Observation, ...]]]:
    found = []
    for name in sorted(before.keys() & after.keys()):
        if before[name].row == after[name].row:
            pair = _scored(spec, before[name]), _scored(spec, after[name])
            if all(pair):
                found.append(pair)
    return found


def _scored(spec: MetricSpec, record: CaseRecord) -> tuple[Observation, ...]:
    return tuple(each for each in record.observations if isinstance(grade(spec, each), Score))


def _change(
    spec: MetricSpec,
    pairs: Sequence[tuple[tuple[Observation, ...], tuple[Observation, ...]]],
    aggregates: Mapping[str, Aggregate],
) -> float | None:
    values = []
    for side in (0, 1):
        measured = measure(spec, [each for pair in pairs for each in pair[side]], aggregates=aggregates)
        if not isinstance(measured, Measurement):
            return None
        values.append(measured.value)
    return (values[1] - values[0]) * (1 if spec.direction is Direction.HIGHER else -1)


def _variance(
    spec: MetricSpec,
    pairs: Sequence[tuple[tuple[Observation, ...], tuple[Observation, ...]]],
    aggregates: Mapping[str, Aggregate],
) -> float:
    """SE² of the change: of repeated answers where there are some, else between cases (GATE §7)."""
    if spec.aggregate == "mean":
        before, after = ([_values(spec, pair[side]) for pair in pairs] for side in (0, 1))
        if all(len(each) >= 2 for each in (*before, *after)):
            return suite_se(before, after) ** 2
        gains = [math.fsum(new) / len(new) - math.fsum(old) / len(old) for old, new in zip(before, after, strict=True)]
        return cluster_se(gains) ** 2 if len(gains) >= 2 else 0.0
    return _jackknife(spec, pairs, aggregates)


def _values(spec: MetricSpec, observations: Sequence[Observation]) -> list[float]:
    return [found.value for each in observations if isinstance(found := grade(spec, each), Score)]


def _jackknife(
    spec: MetricSpec,
    pairs: Sequence[tuple[tuple[Observation, ...], tuple[Observation, ...]]],
    aggregates: Mapping[str, Aggregate],
) -> float:
    """Variance of any statistic, leaving out one group of cases at a time.

    Source:
        Shao & Tu, The Jackknife and Bootstrap (1995), §2.3.
    """
    groups = min(len(pairs), _GROUPS)
    left = [[pair for at, pair in enumerate(pairs) if at % groups != group] for group in range(groups)]
    changes = [change for rest in left if rest and (change := _change(spec, rest, aggregates)) is not None]
    if len(changes) < 2:
        return 0.0
    middle = math.fsum(changes) / len(changes)
    return (len(changes) - 1) / len(changes) * math.fsum((each - middle) ** 2 for each in changes)
