"""The verdicts of a whole run: rows 2 to 6 of GATE §2, for all suites at once.

All gated metrics that need a test share one level (`core.decision`), so nothing is decided before every suite of the
run is in: `weigh` each, let `confirm` ask again what is `doubtful`, then `conclude`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.conclusions import confirmed, simple
from pytest_promptgate.core.confirmation import NotRetried, Retried
from pytest_promptgate.core.decision import Policy, Question, Why, decide_all
from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.findings import Finding
from pytest_promptgate.core.gate import LEAST_COVERED, GateInput, Standing, decided, stand
from pytest_promptgate.core.metrics import known_aggregates
from pytest_promptgate.core.observables import grade
from pytest_promptgate.core.sees import what_it_sees
from pytest_promptgate.core.types import Outcome, Score, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.confirmation import Stage2
    from pytest_promptgate.core.decision import Decision
    from pytest_promptgate.core.types import MetricSpec, Observation

STORED_SAMPLES = 3  # from which on stored samples can decide in place of fresh ones (DECISIONS 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One suite and slot, as far as it can be judged by itself."""

    given: GateInput
    stands: tuple[Standing | Verdict, ...]  # in the order of the suite's metrics
    stage2: Stage2 | None = None  # under `confirm`, if anything was doubtful

    def doubtful(self) -> tuple[Arms, ...]:
        """The gated metrics that came out lower by more than allowed, and that only fresh samples can excuse."""
        if self.given.suite.rule != "confirm":
            return ()
        arms = [(each, each.arms()) for each in self.stands if isinstance(each, Standing) and _is_tested(each)]
        return tuple(arm for each, arm in arms if _is_lower(each, arm) and not arm.is_deterministic)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One standing with its question."""

    suite: int
    standing: Standing
    question: Question
    stage2: Stage2 | None  # None: no fresh samples were needed


def weigh(given: GateInput) -> Weighed:
    """Find out where every metric of one suite stands."""
    return Weighed(given=given, stands=tuple(stand(spec, given) for spec in given.suite.metrics))


def judge_all(given: GateInput) -> tuple[Verdict, ...]:
    """The verdicts of a run of one suite without stage 2, in the order of its metrics."""
    return conclude([weigh(given)])[0]


def conclude(run: Sequence[Weighed]) -> tuple[tuple[Verdict, ...], ...]:
    """The verdicts of every suite of the run, each in the order of its metrics."""
    asked = [_asked(at, each, weighed) for at, weighed in enumerate(run) for each in _standing(weighed)]
    gated = [each for each in asked if each.standing.gate.gated]
    shown = [each for each in asked if not each.standing.gate.gated]
    decisions = [*zip(gated, decide_all([each.question for each in gated]), strict=True)]
    decisions += [(each, decide_all([each.question])[0]) for each in shown]
    family = max(1, len(gated))
    verdicts = {
        (each.suite, each.standing.spec.name): _verdict(each, decision, run[each.suite].given, family)
        for each, decision in decisions
    }
    return tuple(
        tuple(each if isinstance(each, Verdict) else verdicts[at, each.spec.name] for each in weighed.stands)
        for at, weighed in enumerate(run)
    )


def _standing(weighed: Weighed) -> Iterator[Standing]:
    yield from (each for each in weighed.stands if isinstance(each, Standing))


def _is_tested(standing: Standing) -> bool:
    # A plugin's aggregate may be anything, also costly or noisy: it is not run thousands of times inside a test.
    return standing.gate.gated and standing.spec.aggregate in known_aggregates()


def _is_lower(standing: Standing, arms: Arms) -> bool:
    return arms.gain < -standing.gate.tolerance.allowance(standing.before) - EPSILON


def _asked(at: int, standing: Standing, weighed: Weighed) -> _Asked:
    suite, arms = weighed.given.suite, standing.arms()
    policy = Policy(
        rule=suite.rule if _is_tested(standing) else "strict",
        tolerance=standing.gate.tolerance,
        alpha=suite.policy.alpha,
        max_drop=suite.policy.max_drop,
    )
    question = Question(arms=arms, policy=policy)
    stage2 = weighed.stage2 if policy.rule == "confirm" and _is_lower(standing, arms) else None
    if isinstance(stage2, Retried):
        return _Asked(at, standing, replace(question, fresh=_fresh(standing, stage2)), stage2)
    if isinstance(stage2, NotRetried) and stage2.outcome is None:
        stored = "significant" if arms.samples >= STORED_SAMPLES else "strict"
        return _Asked(at, standing, replace(question, policy=replace(policy, rule=stored)), stage2)
    return _Asked(at, standing, question, stage2)


def _fresh(standing: Standing, stage2: Retried) -> Arms | None:
    """Both prompts on the cases that were asked again; None if too few of them have a score."""
    spec, samples = standing.spec, stage2.retrial.samples
    sides = [
        Sides(case=case, before=before, after=after)
        for case in stage2.retrial.cases
        if (before := _scored(spec, stage2.production.get(case, ())))
        and (after := _scored(spec, stage2.candidate.get(case, ())))
        and len(before) == len(after) == samples
    ]
    if len(sides) < LEAST_COVERED * len(stage2.retrial.cases) - EPSILON:
        return None
    again = {each.case for each in sides}
    context = [
        Sides(case=pair.case.id, before=pair.before[:1] * samples, after=pair.before[:1] * samples)
        for pair in standing.comparison.pairs
        if pair.case.id not in again
    ]
    return arms_of(spec, sides, context=context, aggregates=standing.aggregates)


def _scored(spec: MetricSpec, observations: Sequence[Observation]) -> tuple[Observation, ...]:
    return tuple(each for each in observations if isinstance(grade(spec, each), Score))


def _verdict(asked: _Asked, decision: Decision, given: GateInput, family: int) -> Verdict:
    standing, stage2 = asked.standing, asked.stage2
    finding = simple(
        standing.spec,
        decision,
        standing.before,
        standing.after,
        n=standing.n,
        tolerance=standing.gate.tolerance,
    )
    if isinstance(stage2, Retried):
        finding = _after_retrial(finding, decision, asked.question, stage2)
    elif isinstance(stage2, NotRetried) and finding.outcome is Outcome.REGRESSED:
        finding = Finding(outcome=stage2.outcome or finding.outcome, reason=f"{finding.reason}, and {stage2.why}")
    verdict = decided(standing, finding, given)
    sees = what_it_sees(standing, asked.question, family) if standing.gate.gated else ""
    return replace(verdict, p=decision.adjusted, sees=sees)


def _after_retrial(finding: Finding, decision: Decision, question: Question, stage2: Retried) -> Finding:
    if question.fresh is not None and decision.why in (Why.CONFIRMED, Why.NOT_CONFIRMED):
        return Finding(outcome=decision.outcome, reason=confirmed(finding.reason, decision, stage2, question.fresh))
    if question.fresh is None and decision.why is Why.UNCONFIRMED:
        why = "too few of the cases that were asked again have a score"
        return Finding(outcome=Outcome.INCONCLUSIVE, reason=f"{finding.reason}, and {why}")
    return finding
