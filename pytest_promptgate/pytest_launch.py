"""Between collecting and the first call: what will be asked, what that costs, and whether it was granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate import pytest_control as control
from pytest_promptgate.core.estimate import Estimate, estimate, headline, total_cost
from pytest_promptgate.core.fingerprint import request_parts
from pytest_promptgate.core.limits import Budget, refusal
from pytest_promptgate.pytest_judges import judge_estimates
from pytest_promptgate.workflows.forecast import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Baseline, Trial
    from pytest_promptgate.pytest_session import EvalSession

GRACE_S = 5.0  # for stored answers that are being scored while the run is refused


def launch(evals: EvalSession) -> None:
    """Look up what was submitted, say what is to be asked, and let the calls go; or refuse to, if they cost too much.

    A refused run asks nothing: what the baseline and the store answer is judged, the rest is blocked.
    """
    engine, settings = evals.evaluation(), evals.settings
    waiting = engine.survey(tick=evals.progress.tick)
    evals.progress.clear()
    known = control.asking(evals) if evals.trials is None else evals.trials.asking()
    asking = [_expected(evals, known[key], trials) for key, trials in waiting.items()]
    votes = engine.foreseen()
    asking += judge_estimates(evals, votes)
    golden = evals.drift.prepare() if evals.drift is not None else []
    asking += golden
    for line in control.announced(evals, waiting):
        evals.progress.say(f"prompt evals: {line}")
    if asking:
        evals.progress.say(f"prompt evals: {headline(asking)}")
    limit = settings.max_cost
    why = "" if limit is None else refusal(limit, asking)
    if why:
        for key in {*waiting, *(key[:2] for key, each in votes.items() if each.asked)}:
            known[key].run.blocked = why
        if evals.drift is not None:
            evals.drift.refuse(why.splitlines()[0])
        engine.interrupt(GRACE_S, why.splitlines()[0])
    else:
        if golden:
            engine.grade((), tick=evals.progress.tick)  # awake, it holds the budget for what is asked below as well
        engine.start(budget=None if limit is None else _budget(limit, asking), limit_s=settings.max_time)
        if evals.drift is not None:
            evals.drift.ask()


def ask_more(evals: EvalSession, plan: Plan, baseline: Baseline | None, *, quiet: bool) -> str:
    """Let what was just submitted of a plan go, in the middle of the pytest run; or refuse to, if it costs too much.

    Args:
        evals: Of the run.
        plan: Of what was submitted.
        baseline: Of that, if there is one.
        quiet: Do not announce it.

    Returns:
        Why it was refused; "" if it was not. Nothing more is asked then in this pytest run.
    """
    engine, settings = evals.evaluation(), evals.settings
    waiting = engine.survey(tick=evals.progress.tick).get((plan.suite.name, plan.slot))
    evals.progress.clear()
    asking = [_estimate(evals, plan, baseline, waiting, cases=len(waiting), stored=0)] if waiting else []
    if asking and not quiet:
        evals.progress.say(f"prompt evals: {headline(asking)}")
    limit, spent = settings.max_cost, engine.progress().cost_usd or 0.0
    why = "" if limit is None else refusal(limit - spent, asking)
    if why:
        engine.interrupt(GRACE_S, why.splitlines()[0])
    engine.start(budget=None if limit is None else _budget(limit, asking), limit_s=settings.max_time)
    return why


def _budget(limit_usd: float, asking: Sequence[Estimate]) -> Budget:
    calls = sum(each.asked for each in asking)
    return Budget(limit_usd=limit_usd, guess_usd=(total_cost(asking) or 0.0) / max(1, calls))


def _expected(evals: EvalSession, asking: control.Asking, trials: Sequence[Trial]) -> Estimate:
    run, stored = asking.run, asking.trials - len(trials)
    return _estimate(evals, asking.plan, run.baseline, trials, cases=len(run.selected), stored=stored)


def _estimate(
    evals: EvalSession, plan: Plan, baseline: Baseline | None, trials: Sequence[Trial], *, cases: int, stored: int
) -> Estimate:
    from pytest_promptgate.models.store_files import recent_history

    suite, model = plan.suite.name, request_parts(trials[0].request)["model"]
    return estimate(
        suite=suite,
        slot=plan.slot,
        model=str(plan.pin),
        cases=cases,
        unchanged=0,
        stored=stored,
        asked=trials,
        history=recent_history(evals.store(suite).path, model=model) or recorded(baseline),
        price=evals.price(plan.pin),
    )
