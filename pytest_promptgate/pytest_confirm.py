"""Stage 2 of the rule ``confirm`` in a pytest run: prompts asked again, for all suites of the run at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.confirmation import Arm, NotRetried, Retried, Stage2, default_calls
from pytest_promptgate.core.estimate import estimate, headline
from pytest_promptgate.core.limits import refusal
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.core.types import Errored, Origin, Outcome, Skipped
from pytest_promptgate.pytest_judges import judge_estimates
from pytest_promptgate.workflows.confirm import Reference, Retest, retest
from pytest_promptgate.workflows.forecast import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.estimate import Estimate
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Observation, Result, Trial
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.workflows.assess import Assessment

GRACE_S = 5.0  # for answers under way when a retrial is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """What one suite and slot asks again."""

    retest: Retest | None
    impossible: Mapping[Arm, str]  # references that cannot be asked, and why
    outcome: Outcome | None = None  # of what they leave open; None: stored samples decide


def with_stage2(evals: EvalSession, run: Mapping[Run, Assessment]) -> dict[Run, Assessment]:
    """The assessments, those with a doubtful metric with what asking again has brought."""
    planned = {each: found for each, assessment in run.items() if (found := _planned(each, assessment))}
    for each, found in planned.items():
        if found.retest is not None:
            evals.evaluation().submit_retrial(tuple(found.retest.plans.values()), found.retest.round, each.baseline)
    if any(found.retest for found in planned.values()):
        _let_go(evals, planned)
    stage2 = {each: dict(_stage2(evals, each, found)) for each, found in planned.items()}
    return {
        each: replace(assessment, weighed=replace(assessment.weighed, stage2=stage2.get(each, {})))
        for each, assessment in run.items()
    }


def _planned(run: Run, assessment: Assessment) -> _Planned | None:
    """What is to be asked again, and what cannot be; None if nothing is doubtful."""
    from pytest_promptgate.files.templates import render

    baseline, weighed = run.baseline, assessment.weighed
    if baseline is None:
        return None
    sides = ((Arm.PRODUCTION, baseline), (Arm.ANCHOR, baseline.anchor))
    references = [
        Reference.of(arm, side, lower) for arm, side in sides if side is not None and (lower := weighed.doubtful(arm))
    ]
    if not references:
        return None
    if not (run.chosen_gates or run.session.settings.update):
        why = "nothing was asked again, since no gate of it was selected"
        unasked = {each.arm: why for each in references}
        return _Planned(retest=None, impossible=unasked, outcome=Outcome.INCONCLUSIVE)
    policy = run.suite.policy
    gone = {each.arm: why for each in references if (why := _unknown(run, each))}
    found, impossible = retest(
        run.plan,
        baseline,
        [each for each in references if each.arm not in gone],
        most_calls=policy.confirm_max_calls or default_calls(len(run.selected)),
        most_samples=policy.confirm_samples,
        render=render,
    )
    return _Planned(retest=found, impossible={**gone, **impossible})


def _unknown(run: Run, reference: Reference) -> str:
    """Why nobody can be asked for a prompt of before; "" if somebody can."""
    provider, known = reference.pin.provider, run.session.project.providers
    who = "the anchor" if reference.arm is Arm.ANCHOR else "production"
    return (
        ""
        if provider in (*known, TARGET)
        else f"{who} cannot be re-asked: its provider {provider!r} is not declared any more"
    )


def _let_go(evals: EvalSession, planned: Mapping[Run, _Planned]) -> None:
    """Say what is to be asked again, if anything is, and let the calls go unless they cost more than was granted."""
    engine, limit = evals.evaluation(), evals.settings.max_cost
    waiting = engine.survey(tick=evals.progress.tick)
    evals.progress.clear()
    asking = {run: found for run, each in planned.items() if (found := [*_estimates(evals, run, each.retest, waiting)])}
    for run, estimates in asking.items():
        evals.progress.say(f"prompt evals: {_announced(run, planned[run].retest)}: {headline(estimates)}")
    spent = engine.progress().cost_usd or 0.0
    why = "" if limit is None else refusal(limit - spent, [each for found in asking.values() for each in found])
    if why:
        engine.interrupt(GRACE_S, f"asking again would cost more than --prompt-max-cost {limit:g}")
    engine.release()


def _announced(run: Run, again: Retest | None) -> str:
    assert again is not None
    chosen, arms = again.retrial, again.plans
    known = {Arm.PRODUCTION: "production", Arm.ANCHOR: "the anchor"}
    names = ", ".join(name for arm, name in known.items() if arm in arms)
    cases = f"{len(chosen.cases)} case{'s' if len(chosen.cases) != 1 else ''}"
    return f"{run.suite.name} came out lower; asking {names} and yours again: {cases} x {chosen.samples} x {len(arms)}"


def _estimates(
    evals: EvalSession, run: Run, again: Retest | None, waiting: Mapping[tuple[str, str], Sequence[Trial]]
) -> Iterator[Estimate]:
    for plan in again.plans.values() if again else ():
        if trials := waiting.get((plan.suite.name, plan.slot)):
            yield estimate(
                suite=plan.suite.name,
                slot=plan.slot,
                model=str(plan.pin),
                cases=len(plan.suite.cases),
                unchanged=0,
                stored=len(plan.trials) - len(trials),
                asked=trials,
                history=recorded(run.baseline),
                price=evals.price(plan.pin),
            )
        own = (plan.suite.name, plan.slot)
        foreseen = evals.evaluation().foreseen().items()
        yield from judge_estimates(evals, {key: votes for key, votes in foreseen if key[:2] == own})


def _stage2(evals: EvalSession, run: Run, found: _Planned) -> Iterator[tuple[Arm, Stage2]]:
    for arm, why in found.impossible.items():
        yield arm, NotRetried(why=why, outcome=found.outcome)
    if found.retest is None:
        return
    results = {arm: _answered(evals, plan) for arm, plan in found.retest.plans.items()}
    outcome = _outcome(evals, run, found.retest, results)
    for arm in results:
        if arm is not Arm.CANDIDATE:
            yield arm, outcome


def _outcome(
    evals: EvalSession, run: Run, again: Retest, results: Mapping[Arm, Sequence[Result]]
) -> Retried | NotRetried:
    whole = [each for arm in results.values() for each in arm]
    missing = [each for each in whole if each.completion is None and _fault(each)]
    if missing:
        return _unanswered(evals, run, missing)
    return Retried(
        retrial=again.retrial,
        asked=sum(each.origin is Origin.ASKED for each in whole),
        answers={arm: _by_case(each) for arm, each in results.items()},
    )


def _answered(evals: EvalSession, plan: Plan) -> tuple[Result, ...]:
    cases = [case.id for case in plan.suite.cases]
    engine = evals.evaluation()
    try:
        return engine.wait(plan.suite.name, plan.slot, cases, tick=evals.progress.tick)
    finally:
        evals.progress.clear()


def _fault(result: Result) -> str:
    """Why there is no answer, in one line; "" if the provider refused to give one, which is an answer too."""
    for grade in result.observation.grades.values():
        if isinstance(grade, Errored):
            return grade.message.partition("\n")[0]
        if isinstance(grade, Skipped):
            return grade.reason
    return ""


def _unanswered(evals: EvalSession, run: Run, missing: Sequence[Result]) -> NotRetried:
    if evals.settings.offline:
        command = f"pytest --prompt-evals {run.suite.path}"
        return NotRetried(why=f"--prompt-offline cannot ask again; run: {command}", outcome=Outcome.INCONCLUSIVE)
    failed = [each for each in missing if not _is_skipped(each)]
    if failed:
        return NotRetried(why=f"asking again failed: {_fault(failed[0])}", outcome=Outcome.INCONCLUSIVE)
    return NotRetried(why=f"it was not asked again: {_fault(missing[0])} (unconfirmed)", outcome=Outcome.REGRESSED)


def _is_skipped(result: Result) -> bool:
    return any(isinstance(each, Skipped) for each in result.observation.grades.values())


def _by_case(results: Sequence[Result]) -> dict[str, tuple[Observation, ...]]:
    found: dict[str, tuple[Observation, ...]] = {}
    for each in results:
        case = each.trial.case.id
        found[case] = (*found.get(case, ()), each.observation)
    return found
