"""The verdicts of a whole run: rows 2 to 6 of GATE §2, for all suites at once.

All gated metrics that need a test share one level (`core.decision`), so nothing is decided before every suite of the
run is in: `weigh` each, let ``confirm`` ask again what is doubtful, then `conclude`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.conclusions import confirmed, decided_by_stored, drifted, simple
from pytest_promptgate.core.confirmation import Arm, NotRetried, Retried
from pytest_promptgate.core.decision import Policy, Question, Why, decide_all
from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.findings import Finding
from pytest_promptgate.core.gate import LEAST_COVERED, RED, GateInput, Standing, decided
from pytest_promptgate.core.observables import grade
from pytest_promptgate.core.sees import what_it_sees
from pytest_promptgate.core.sequential import crossed, looks_of
from pytest_promptgate.core.types import Outcome, Score, Verdict
from pytest_promptgate.core.weighing import Weighed, is_lower, is_tested, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.confirmation import Stage2
    from pytest_promptgate.core.decision import Decision
    from pytest_promptgate.core.types import MetricSpec, Observation

STORED_SAMPLES = 3  # from which on stored samples can decide in place of fresh ones (DECISIONS 5)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One standing with its question against one reference."""

    suite: int
    reference: Arm
    standing: Standing
    question: Question
    stage2: Stage2 | None  # None: no fresh samples were needed

    @property
    def key(self) -> tuple[int, str, Arm]:
        return self.suite, self.standing.spec.name, self.reference


def judge_all(given: GateInput) -> tuple[Verdict, ...]:
    """The verdicts of a run of one suite without stage 2, in the order of its metrics."""
    return conclude([weigh(given)])[0]


def conclude(run: Sequence[Weighed]) -> tuple[tuple[Verdict, ...], ...]:
    """The verdicts of every suite of the run, each in the order of its metrics."""
    asked = [
        found
        for at, weighed in enumerate(run)
        for standing in weighed.standing()
        for reference in (Arm.PRODUCTION, Arm.ANCHOR)
        if (found := _asked(at, reference, standing, weighed)) is not None
    ]
    gated = [each for each in asked if each.standing.gate.gated]
    decisions = dict(zip([each.key for each in gated], decide_all([each.question for each in gated]), strict=True))
    decisions |= {each.key: decide_all([each.question])[0] for each in asked if not each.standing.gate.gated}
    verdicts: dict[tuple[int, str], Verdict] = {}
    metrics = sum(each.reference is Arm.PRODUCTION for each in gated)
    for each in asked:  # production comes before the anchor
        name, decision = (each.suite, each.standing.spec.name), decisions[each.key]
        if each.reference is Arm.PRODUCTION:
            verdicts[name] = _verdict(each, decision, run[each.suite].given, max(1, metrics))
        else:
            verdicts[name] = _since(each, decision, run[each.suite].given, verdicts[name])
    return tuple(
        tuple(each if isinstance(each, Verdict) else verdicts[at, each.spec.name] for each in weighed.stands)
        for at, weighed in enumerate(run)
    )


def _asked(at: int, reference: Arm, standing: Standing, weighed: Weighed) -> _Asked | None:
    suite, arms = weighed.given.suite, weighed.against(standing, reference)
    if arms is None:
        return None
    policy = Policy(
        rule=suite.rule if is_tested(standing) else "strict",
        tolerance=standing.gate.tolerance,
        alpha=suite.policy.test_alpha,
        max_drop=suite.policy.max_drop,
    )
    looks = looks_of(standing.spec, suite, family=weighed.given.course.family) if reference is Arm.PRODUCTION else None
    question = Question(arms=arms, policy=policy, crossed=crossed(looks, arms) if looks else None)
    lower = policy.rule == "confirm" and is_lower(arms, standing.gate.tolerance)
    stage2 = weighed.stage2.get(reference) if lower else None
    if isinstance(stage2, Retried):
        fresh = _fresh(standing, stage2, reference, arms)
        return _Asked(at, reference, standing, replace(question, fresh=fresh), stage2)
    if isinstance(stage2, NotRetried) and stage2.outcome is None:
        stored = "significant" if arms.samples >= STORED_SAMPLES else "strict"
        if reference is Arm.ANCHOR and (stored == "strict" or standing.spec.name in weighed.given.controlled):
            return None  # reported only (DECISIONS 9)
        return _Asked(at, reference, standing, replace(question, policy=replace(policy, rule=stored)), stage2)
    return _Asked(at, reference, standing, question, stage2)


def _fresh(standing: Standing, stage2: Retried, reference: Arm, stored: Arms) -> Arms | None:
    """Both prompts on the cases that were asked again; None if too few of them have a score."""
    spec, samples = standing.spec, stage2.retrial.samples
    old, new = stage2.answers[reference], stage2.answers[Arm.CANDIDATE]
    clusters = dict(zip(stored.cases, stored.clusters, strict=True)) if stored.clusters else {}
    asked = [case for case in stored.cases if case in old]
    sides = [
        Sides(case=case, before=before, after=after, cluster=clusters.get(case, ""))
        for case in asked
        if (before := _scored(spec, old[case]))
        and (after := _scored(spec, new[case]))
        and len(before) == len(after) == samples
    ]
    if len(sides) < LEAST_COVERED * len(asked) - EPSILON or not sides:
        return None
    again = {each.case for each in sides}
    context = [
        Sides(case=pair.case.id, before=pair.before[:1] * samples, after=pair.before[:1] * samples)
        for pair in standing.comparison.pairs
        if pair.case.id not in again
    ]
    return arms_of(spec, sides, context=context, aggregates=standing.aggregates, together=stored.together)


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
        finding = _after_retrial(standing.spec, finding, decision, asked.question, stage2)
    elif isinstance(stage2, NotRetried) and stage2.outcome is None:
        finding = replace(finding, reason=decided_by_stored(finding.reason, stage2, asked.question))
    elif isinstance(stage2, NotRetried) and finding.outcome is Outcome.REGRESSED and decision.why is Why.UNCONFIRMED:
        finding = Finding(outcome=stage2.outcome or finding.outcome, reason=f"{finding.reason}, and {stage2.why}")
    verdict = decided(standing, finding, given)
    noise = given.noise.get(standing.spec.name)
    sees = what_it_sees(standing, asked.question, family, noise) if standing.gate.gated else ""
    return replace(verdict, p=decision.adjusted, sees=sees)


def _after_retrial(
    spec: MetricSpec, finding: Finding, decision: Decision, question: Question, stage2: Retried
) -> Finding:
    if question.fresh is not None and decision.why in (Why.CONFIRMED, Why.NOT_CONFIRMED):
        return replace(finding, reason=confirmed(finding.reason, spec, decision, stage2, question.fresh))
    if question.fresh is None and decision.why is Why.UNCONFIRMED:
        why = "too few of the cases that were asked again have a score"
        return Finding(outcome=Outcome.INCONCLUSIVE, reason=f"{finding.reason}, and {why}")
    return finding


def _since(asked: _Asked, decision: Decision, given: GateInput, verdict: Verdict) -> Verdict:
    """The verdict against production, if the losses since the anchor let it stand.

    The anchor blocks by a rejection, and by a doubt that nobody tried to remove; not by what it cannot tell.
    """
    stage2, question = asked.stage2, asked.question
    if verdict.red or decision.outcome is not Outcome.REGRESSED or given.baseline is None:
        return verdict
    if isinstance(stage2, Retried) and question.fresh is None:
        return verdict
    outcome = (isinstance(stage2, NotRetried) and stage2.outcome) or Outcome.REGRESSED
    return replace(
        verdict,
        outcome=outcome,
        red=outcome in RED,
        reason=drifted(asked.standing.spec, verdict, question, decision, stage2, given.baseline),
        since_anchor=question.arms.gain,
        p=decision.adjusted,
    )
