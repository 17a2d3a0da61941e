"""Stage 2 of the rule ``confirm`` in a pytest run: both prompts asked again, for all suites of the run at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.confirmation import CALLS_PER_CASE, NotRetried, Retried, Stage2, retrial
from pytest_promptgate.core.types import Errored, Origin, Outcome, Skipped
from pytest_promptgate.workflows.confirm import Retest, retest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.confirmation import Retrial
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Observation, Result
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.workflows.assess import Assessment


def with_stage2(evals: EvalSession, run: Mapping[Run, Assessment]) -> dict[Run, Assessment]:
    """The assessments, those with a doubtful metric with what asking again has brought."""
    planned = {each: found for each, assessment in run.items() if (found := _planned(each, assessment))}
    for found in planned.values():
        if isinstance(found, tuple):
            evals.evaluation().submit_retrial(found[1].plans, found[1].round)
    _say(evals, planned)
    stage2 = {each: _stage2(evals, each, found) for each, found in planned.items()}
    return {
        each: replace(assessment, weighed=replace(assessment.weighed, stage2=stage2.get(each)))
        for each, assessment in run.items()
    }


def _planned(run: Run, assessment: Assessment) -> tuple[Retrial, Retest] | NotRetried | None:
    """What is to be asked again; why it cannot be; None if nothing is doubtful."""
    from pytest_promptgate.files.templates import render

    doubtful = assessment.weighed.doubtful()
    if not doubtful or run.baseline is None:
        return None
    policy = run.suite.policy
    most = policy.confirm_max_calls or CALLS_PER_CASE * len(run.suite.cases)
    chosen = retrial(doubtful, most_calls=most, most_samples=policy.confirm_samples)
    found = retest(run.plan, run.baseline, chosen, render=render)
    return NotRetried(why=found, outcome=None) if isinstance(found, str) else (chosen, found)


def _say(evals: EvalSession, planned: Mapping[Run, tuple[Retrial, Retest] | NotRetried]) -> None:
    for run, found in planned.items():
        if isinstance(found, tuple) and not evals.settings.offline:
            chosen = found[0]
            evals.progress.say(
                f"prompt evals: {run.suite.name} came out lower; asking production and yours again: "
                f"{len(chosen.cases)} case{'s' if len(chosen.cases) != 1 else ''} x {chosen.samples} x 2, "
                f"at most {chosen.calls()} calls"
            )


def _stage2(evals: EvalSession, run: Run, found: tuple[Retrial, Retest] | NotRetried) -> Stage2:
    if isinstance(found, NotRetried):
        return found
    chosen, again = found
    arms = [_answered(evals, plan) for plan in again.plans]
    results = [each for arm in arms for each in arm]
    missing = next((each for each in results if each.completion is None and _fault(each)), None)
    if missing is not None:
        return _unanswered(evals, run, missing)
    production, candidate = (_by_case(arm) for arm in arms)
    asked = sum(each.origin is Origin.ASKED for each in results)
    return Retried(retrial=chosen, asked=asked, production=production, candidate=candidate)


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


def _unanswered(evals: EvalSession, run: Run, missing: Result) -> NotRetried:
    grades = missing.observation.grades.values()
    if evals.settings.offline:
        command = f"pytest --prompt-evals {run.suite.path}"
        return NotRetried(why=f"--prompt-offline cannot ask again; run: {command}", outcome=Outcome.INCONCLUSIVE)
    if any(isinstance(each, Skipped) for each in grades):
        return NotRetried(why=f"it was not asked again: {_fault(missing)} (unconfirmed)", outcome=Outcome.REGRESSED)
    return NotRetried(why=f"asking again failed: {_fault(missing)}", outcome=Outcome.INCONCLUSIVE)


def _by_case(results: Sequence[Result]) -> dict[str, tuple[Observation, ...]]:
    found: dict[str, tuple[Observation, ...]] = {}
    for each in results:
        case = each.trial.case.id
        found[case] = (*found.get(case, ()), each.observation)
    return found
