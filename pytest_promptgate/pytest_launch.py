"""Between collecting and the first call: what will be asked, what that costs, and whether it was granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate import pytest_control as control
from pytest_promptgate.core.estimate import Estimate, estimate, headline, total_cost
from pytest_promptgate.core.fingerprint import request_parts
from pytest_promptgate.core.limits import Budget, refusal
from pytest_promptgate.pytest_fail_fast import watch_of
from pytest_promptgate.pytest_judges import judge_estimates
from pytest_promptgate.workflows.forecast import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Trial
    from pytest_promptgate.pytest_run import Run
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
    asking = [_estimate(evals, known[key], trials) for key, trials in waiting.items()]
    votes = engine.foreseen()
    asking += judge_estimates(evals, votes)
    for line in control.announced(evals, waiting):
        evals.progress.say(f"prompt evals: {line}")
    if asking:
        evals.progress.say(f"prompt evals: {headline(asking)}")
    limit = settings.max_cost
    why = "" if limit is None else refusal(limit, asking)
    if why:
        for key in {*waiting, *(key[:2] for key, each in votes.items() if each.asked)}:
            known[key].run.blocked = why
        engine.interrupt(GRACE_S, why.splitlines()[0])
    else:
        engine.start(budget=None if limit is None else _budget(limit, asking), limit_s=settings.max_time)


def ask_more(evals: EvalSession, run: Run, cases: Sequence[str], *, quiet: bool) -> None:
    """Have further cases of a run asked in the middle of the pytest run, unless they cost more than was granted.

    Args:
        quiet: Say nothing of them.
    """
    engine, limit = evals.evaluation(), evals.settings.max_cost
    engine.submit(run.plan, cases, run.baseline, watch=watch_of(evals, run))
    waiting = engine.survey(tick=evals.progress.tick).get(run.key)
    evals.progress.clear()
    asking = [_estimate(evals, control.Asking(run=run, plan=run.plan, trials=len(waiting)), waiting)] if waiting else []
    if asking and not quiet:
        evals.progress.say(f"prompt evals: {headline(asking)}")
    spent = engine.progress().cost_usd or 0.0
    why = "" if limit is None else refusal(limit - spent, asking)
    if why:
        run.blocked = why
        engine.interrupt(GRACE_S, why.splitlines()[0])
    engine.release()


def _budget(limit_usd: float, asking: Sequence[Estimate]) -> Budget:
    calls = sum(each.asked for each in asking)
    return Budget(limit_usd=limit_usd, guess_usd=(total_cost(asking) or 0.0) / max(1, calls))


def _estimate(evals: EvalSession, asking: control.Asking, trials: Sequence[Trial]) -> Estimate:
    from pytest_promptgate.models.store_files import recent_history

    run, plan = asking.run, asking.plan
    model = request_parts(trials[0].request)["model"]
    return estimate(
        suite=run.suite.name,
        slot=plan.slot,
        model=str(plan.pin),
        cases=len(run.selected),
        unchanged=0,
        stored=asking.trials - len(trials),
        asked=trials,
        history=recent_history(evals.store(run.suite.name).path, model=model) or recorded(run.baseline),
        price=evals.price(plan.pin),
    )
