"""A prompt held against itself (``--prompt-aa``): how much its metrics vary, and how often the gate would cry wolf.

Every case has twice the suite's samples. One half stands for production, the other for the candidate; since they come
from the same prompt, whatever differs is luck.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import variance
from typing import TYPE_CHECKING, TypeVar

from pytest_promptgate.core.contract import contract_of
from pytest_promptgate.core.decision import Policy, Question
from pytest_promptgate.core.false_alarms import FalseAlarms, false_alarms
from pytest_promptgate.core.gate import GateInput, Standing
from pytest_promptgate.core.intervals import wilson
from pytest_promptgate.core.judgement import conclude
from pytest_promptgate.core.noise import Noise, Source, is_binary, mean_flips
from pytest_promptgate.core.recorded import records
from pytest_promptgate.core.types import Baseline, Result
from pytest_promptgate.core.weighing import is_tested, weigh

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence, Set

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Suite, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTrial:
    """One metric of a prompt held against itself."""

    verdict: Verdict  # of the second half against the first, by the suite's own rule
    cases: int
    flip_rate: float  # 0 … 1
    interval: tuple[float, float]  # of the flip rate, 95 %
    noise: Noise | None  # None: a metric that is neither a mean nor tested

    @property
    def name(self) -> str:
        """The metric's."""
        return self.verdict.metric


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTrial:
    """One suite and slot, held against itself."""

    plan: Plan
    results: tuple[Result, ...]  # of both halves
    metrics: tuple[MetricTrial, ...]
    missing: tuple[Verdict, ...]  # metrics of which too little is known; the reason says why
    alarms: FalseAlarms | None  # None: no gated metric can be resampled
    partial: str  # why not all cases were asked, for people; "" if they were


def self_trial(
    plan: Plan,
    first: Sequence[Result],
    second: Sequence[Result],
    *,
    selection: Set[str] | None,
    partial: str,
    aggregates: Mapping[str, Aggregate],
) -> SelfTrial:
    """Hold two runs of one plan against each other.

    Args:
        plan: Of the whole suite.
        first: One result per trial of the selection, in trial order.
        second: Independent answers to the same.
        selection: Ids of the cases of a partial run; None if it is complete.
        partial: Why it is not complete, for people.
        aggregates: Those that plugins offer.
    """
    plan = without_promises(plan)
    suite, baseline = plan.suite, _as_baseline(plan, first)
    given = GateInput(suite=suite, baseline=baseline, results=second, selection=selection, aggregates=aggregates)
    weighed = weigh(given)
    verdicts = conclude([weighed])[0]
    standing = {each.spec.name: each for each in weighed.standing()}
    arms = {name: each.arms() for name, each in standing.items()}
    asked = {name: _question(suite, standing[name], arms[name]) for name in arms if is_tested(standing[name])}
    halves = {name: each for name, each in asked.items() if each.arms.cases}
    alarms = false_alarms(halves) if halves else None
    about = f"{plan.suite.prompt.label}, {len({each.trial.case.id for each in first})} cases"
    return SelfTrial(
        plan=plan,
        results=(*first, *second),
        metrics=tuple(
            _metric(standing[each.metric], each, arms[each.metric], alarms, about)
            for each in verdicts
            if each.metric in standing
        ),
        missing=tuple(each for each in verdicts if each.metric not in standing),
        alarms=alarms,
        partial=partial,
    )


def halves(plan: Plan, cases: Collection[str]) -> tuple[Plan, Plan]:
    """Two plans that ask `cases` for independent answers: the second has a slot of its own.

    Ordinals are doubled, so that the answers of the two never meet, and none moves when rows are added.
    """
    chosen = frozenset(cases)
    suite = replace(plan.suite, cases=tuple(case for case in plan.suite.cases if case.id in chosen))
    trials = [trial for trial in plan.trials if trial.case.id in chosen]
    first, second = (
        replace(plan, suite=suite, trials=tuple(replace(each, ordinal=2 * each.ordinal + half) for each in trials))
        for half in (0, 1)
    )
    return first, replace(second, slot=f"{plan.slot} (again)")


def _as_baseline(plan: Plan, results: Sequence[Result]) -> Baseline:
    suite = plan.suite
    return Baseline(
        suite=suite.name,
        slot=plan.slot,
        prompt=suite.prompt.label,
        prompt_digest=suite.prompt.digest,
        pin=plan.pin,
        scorers={bound.name: bound.fingerprint for bound in suite.scorers},
        contract=contract_of(suite),
        cases=records(results),
    )


def without_promises(plan: Plan) -> Plan:
    """`plan` without floors and `must_pass`: they hold a prompt to a standard, and here it is held to itself."""
    gates = {name: replace(gate, floor=None) for name, gate in plan.suite.gates.items()}
    return replace(plan, suite=replace(plan.suite, gates=gates, must_pass=()))


def _question(suite: Suite, standing: Standing, arms: Arms) -> Question:
    policy = Policy(
        rule=suite.rule,
        tolerance=standing.gate.tolerance,
        alpha=suite.policy.test_alpha,
        max_drop=suite.policy.max_drop,
    )
    return Question(arms=_complete(arms, suite.samples), policy=policy)


def _complete(arms: Arms, samples: int) -> Arms:
    """The cases whose answers all have a score: only they can be dealt anew."""
    kept = [at for at, case in enumerate(arms.cases) if len(arms.before[at]) == len(arms.after[at]) == samples]
    if len(kept) == len(arms.cases):
        return arms
    found = arms.statistic
    return replace(
        arms,
        cases=_at(arms.cases, kept),
        before=_at(arms.before, kept),
        after=_at(arms.after, kept),
        clusters=None if arms.clusters is None else _at(arms.clusters, kept),
        statistic=found and replace(found, before=_at(found.before, kept), after=_at(found.after, kept)),
    )


def _at(values: tuple[T, ...], kept: Sequence[int]) -> tuple[T, ...]:
    return tuple(values[at] for at in kept)


def _metric(standing: Standing, verdict: Verdict, arms: Arms, alarms: FalseAlarms | None, about: str) -> MetricTrial:
    items = _pools(arms)
    rate = mean_flips(items)
    spread = _spread(verdict.metric, arms, alarms)
    noise = Noise(
        flip_rate=rate,
        spread=spread or 0.0,
        binary=arms.statistic is None and is_binary((*arms.before, *arms.after)),
        source=Source.MEASURED,
        level=(standing.before + standing.after) / 2 / arms.scale,
        about=about,
    )
    return MetricTrial(
        verdict=verdict,
        cases=len(items),
        flip_rate=rate,
        # Shares of pairs spread no further than a yes or no of each case would: the interval holds for them too.
        interval=wilson(rate * len(items), len(items)),
        noise=None if spread is None else noise,
    )


def _pools(arms: Arms) -> list[tuple[Hashable, ...]]:
    """Per case what the metric reads of all its answers."""
    of = arms.statistic or arms
    return [(*old, *new) for old, new in zip(of.before, of.after, strict=True)]


def _spread(name: str, arms: Arms, alarms: FalseAlarms | None) -> float | None:
    """`Noise.spread`; None for a metric that is no mean, and was not dealt anew."""
    if arms.statistic is not None:
        return alarms.spreads.get(name) if alarms else None
    pools = [(*old, *new) for old, new in zip(arms.before, arms.after, strict=True)]
    return math.sqrt(2 * math.fsum(map(variance, pools)) / len(pools))
