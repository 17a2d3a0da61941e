"""The anchor: what small losses are added up from, so that fifty of them cannot pass one by one (GATE §6).

As long as enough of the anchor's cases are still asked, a metric is held against them directly. Otherwise its way
since then is added up link by link: ``D_t = D_{t-1} + Δ_t`` and ``V_t = V_{t-1} + SE_t²``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import records_digest
from pytest_promptgate.core.arms import Arms
from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.intervals import z_of
from pytest_promptgate.core.links import change_of, values_of, variance_of
from pytest_promptgate.core.observables import OBSERVABLES, grade
from pytest_promptgate.core.types import Anchor, Direction, Drift, Score

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Baseline, CaseRecord, MetricSpec, Observation

LEAST_SURVIVING = 0.80  # share of the anchor's cases that a direct comparison needs
FIRST = "first baseline"
RELAID = "the dataset or a scorer changed"
_NONE: Mapping[str, Aggregate] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One measurement of a suite: what was answered, and by which scorers it was scored."""

    cases: Mapping[str, CaseRecord]
    scorers: Mapping[str, str]  # name -> fingerprint
    clusters: Mapping[str, str] = field(default_factory=dict)  # by case id, as far as the suite names any
    together: bool = False  # the cases of a cluster are answered together


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
    before = Side(cases=baseline.cases, scorers=baseline.scorers, clusters=now.clusters)
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
    change = change_of(spec, pairs, aggregates)
    if change is None:
        return None
    return SinceAnchor(
        change=change, variance=variance_of(spec, pairs, aggregates, after.clusters), n=len(pairs), linked=False
    )


def moved_anchor(
    old: Baseline,
    new: Baseline,
    specs: Sequence[MetricSpec],
    *,
    restarts: Collection[str] = (),
    reason: str = "",
    fresh: Mapping[str, CaseRecord] | None = None,
    rescored: Side | None = None,
    clusters: Mapping[str, str] = MappingProxyType({}),
    aggregates: Mapping[str, Aggregate] = _NONE,
) -> Anchor | None:
    """The anchor of `new`, which replaces `old`; None if `new` is its own.

    It stays where it is. It is laid anew at `new` when too few of its cases or none of its scorers are left; then each
    metric takes along how far it had moved. A metric in `restarts` takes nothing along.

    Args:
        old: The baseline so far.
        new: The baseline that replaces it.
        specs: The metrics of the suite, and its gated slices.
        restarts: Metrics whose anchor moves to `new`: those whose rise is proven (p_better <= .01, by fresh samples),
            or all of them after an accepted regression. There is no other way up, and no other way down.
        reason: Why those restart.
        fresh: Answers for an anchor that moves up; None: those of `new` are as good.
        rescored: As for `since_anchor`.
        clusters: By case id, as far as the suite names any.
        aggregates: Those that plugins offer.
    """
    names = {spec.name for spec in specs}
    if names <= set(restarts) and fresh is None:
        return None
    anchor, now = anchor_of(old), Side(cases=fresh or new.cases, scorers=new.scorers, clusters=clusters)
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
    return replace(anchor_of(replace(new, anchor=None)), cases=now.cases, drift=drift, reason=reason or RELAID)


def arms_since(spec: MetricSpec, anchor: Anchor, now: Side) -> Arms | None:
    """The anchor's cases beside those of `now`, for tests; None where there are none, or the metric is no mean."""
    then = Side(cases=anchor.cases, scorers=anchor.scorers)
    sign = 1 if spec.direction is Direction.HIGHER else -1
    if spec.aggregate != "mean" or not _same_scorer(spec, then, now):
        return None
    pairs = _pairs(spec, then.cases, now.cases)
    if not pairs:
        return None
    before, after = (tuple(tuple(sign * each for each in values_of(spec, pair[at])) for pair in pairs) for at in (0, 1))
    return Arms(cases=tuple(pair[0][0].case for pair in pairs), before=before, after=after)


def tested_since(spec: MetricSpec, anchor: Anchor, now: Side, *, aggregates: Mapping[str, Aggregate]) -> Arms | None:
    """The anchor's own cases beside those of `now`, where a rule's test decides upon them; None where links do."""
    then = Side(cases=anchor.cases, scorers=anchor.scorers)
    linked = spec.name in anchor.drift or surviving(anchor, now.cases) < LEAST_SURVIVING
    if linked or not _same_scorer(spec, then, now):
        return None
    pairs = _pairs(spec, then.cases, now.cases)
    sides = [
        Sides(case=case, before=before, after=after, cluster=now.clusters.get(case, ""))
        for before, after in pairs
        for case in [before[0].case]
    ]
    return arms_of(spec, sides, aggregates=aggregates, together=now.together) if sides else None


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
    shared = before.keys() & after.keys()
    for name in sorted(shared if spec.part is None else shared & spec.part.cases):
        if before[name].row == after[name].row:
            pair = _scored(spec, before[name]), _scored(spec, after[name])
            if all(pair):
                found.append(pair)
    return found


def _scored(spec: MetricSpec, record: CaseRecord) -> tuple[Observation, ...]:
    return tuple(each for each in record.observations if isinstance(grade(spec, each), Score))
