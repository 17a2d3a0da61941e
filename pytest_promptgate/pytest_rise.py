"""``--update-baseline`` after a rise: fresh answers are asked, and the anchor moves up to them (GATE §6)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.default_rule import STEADY_KINDS
from pytest_promptgate.core.estimate import Source, dollars, estimate, headline, history_of
from pytest_promptgate.core.limits import refusal
from pytest_promptgate.core.rise import Rise
from pytest_promptgate.core.types import Origin
from pytest_promptgate.pytest_judges import judge_estimates
from pytest_promptgate.workflows.rise import anchor_plan, anchor_round, rise_of, rises
from pytest_promptgate.workflows.update_baseline import failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_promptgate.core.estimate import Estimate
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Baseline, Report, Result, Trial
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Risen:
    """What became of one suite and slot that rose."""

    rise: Rise
    line: str  # for the closing summary; "" if there is nothing to say


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    names: frozenset[str]  # what rose
    old: Baseline
    report: Report
    plan: Plan

    def stays(self, why: str) -> Risen:
        line = f"the anchor stays at {anchor_of(self.old).prompt}: {_listed(self.names)} rose, but {why}"
        return Risen(rise=Rise(), line=line)


def risen_anchors(evals: EvalSession, runs: Iterable[Run]) -> dict[Run, Risen]:
    """Find out which anchors move up; asks for fresh answers where the run's own may be lucky.

    Args:
        evals: Of the session.
        runs: Those whose baselines will be written.
    """
    from pytest_promptgate.files.templates import render

    found: dict[Run, Risen] = {}
    asking: dict[Run, _Asked] = {}
    for run in runs:
        report, old = run.report, run.baseline
        names = rises(report, old) if report is not None and old is not None else frozenset()
        if not names or report is None or old is None:
            continue
        asked = _Asked(names=names, old=old, report=report, plan=anchor_plan(run.plan, render=render))
        if report.control is not None and not report.control.timing:
            found[run] = asked.stays("with --prompt-control that may be the provider's good day")
        elif evals.project.kind(run.plan.pin.provider) in STEADY_KINDS:
            found[run] = Risen(rise=Rise(metrics=names), line="")
        else:
            asking[run] = asked
    return found | _asked(evals, asking)


def _asked(evals: EvalSession, asking: Mapping[Run, _Asked]) -> dict[Run, Risen]:
    why = _too_dear(evals, asking)
    if why or not asking:
        return {run: each.stays(why) for run, each in asking.items()}
    engine = evals.evaluation()
    for run, each in asking.items():
        engine.submit_retrial((each.plan,), anchor_round(run.plan, each.old, each.plan.suite.samples))
    waiting = engine.survey(tick=evals.progress.tick)
    evals.progress.clear()
    for run, each in asking.items():
        if trials := waiting.get((run.suite.name, each.plan.slot)):
            evals.progress.say(f"prompt evals: {_announced(evals, run, each, trials)}")
    engine.release()
    return {run: _settled(evals, run, each) for run, each in asking.items()}


def _too_dear(evals: EvalSession, asking: Mapping[Run, _Asked]) -> str:
    """Why fresh answers are not granted, if none of them is stored; "" if they are."""
    limit = evals.settings.max_cost
    if limit is None or not asking:
        return ""
    left = limit - (evals.evaluation().progress().cost_usd or 0.0) - sum(map(_judging, asking.values()))
    estimates = [_estimate(evals, each, each.plan.trials) for each in asking.values()]
    return f"asking anew would cost more than --prompt-max-cost {limit:g}" if refusal(left, estimates) else ""


def _judging(each: _Asked) -> float:
    """USD for the verdicts on fresh answers, if they cost as those of the run did; 0 where none was asked."""
    grown = len(each.plan.trials) / max(1, len(each.report.results))
    known = [judge for judge in each.report.judged if judge.asked and judge.cost_usd is not None]
    return grown * sum((judge.cost_usd or 0.0) / judge.asked * (judge.asked + judge.stored) for judge in known)


def _announced(evals: EvalSession, run: Run, each: _Asked, trials: Sequence[Trial]) -> str:
    own = (run.suite.name, each.plan.slot)
    votes = {key: found for key, found in evals.evaluation().foreseen().items() if key[:2] == own}
    size = f"{len(each.plan.suite.cases)} cases x {each.plan.suite.samples}"
    costs = headline([_estimate(evals, each, trials), *judge_estimates(evals, votes)])
    return f"{run.suite.name} rose above its anchor; asking yours anew, for the next anchor: {size}: {costs}"


def _estimate(evals: EvalSession, each: _Asked, trials: Sequence[Trial]) -> Estimate:
    plan = each.plan
    return estimate(
        suite=plan.suite.name,
        slot=plan.slot,
        model=str(plan.pin),
        cases=len(plan.suite.cases),
        unchanged=0,
        stored=len(plan.trials) - len(trials),
        asked=trials,
        history=history_of((result.observation for result in each.report.results), source=Source.STORE),
        price=evals.price(plan.pin),
    )


def _settled(evals: EvalSession, run: Run, each: _Asked) -> Risen:
    engine, plan = evals.evaluation(), each.plan
    try:
        cases = [case.id for case in plan.suite.cases]
        results = engine.wait(plan.suite.name, plan.slot, cases, tick=evals.progress.tick)
    finally:
        evals.progress.clear()
    missing = [why for result in results if (why := failure(result))]
    if missing and evals.settings.offline:
        command = f"pytest {run.suite.path} {evals.settings.alias}"
        return each.stays(f"--prompt-offline cannot ask anew; run: {command}")
    if missing:
        return each.stays(f"asking anew failed: {missing[0]}")
    rise = rise_of(each.names, each.old, plan, results)
    if not rise.metrics:
        return each.stays(f"{_books(results)} did not bear it out")
    return Risen(rise=rise, line=f"the anchor moves up to {_books(results)}: {_listed(rise.metrics)} rose")


def _books(results: Sequence[Result]) -> str:
    """``20 fresh answers (20 calls, $0.02)``."""
    origins = Counter(result.origin for result in results)
    calls, stored = origins[Origin.ASKED], origins[Origin.STORED]
    costs = [result.observation.cost_usd for result in results if result.origin is Origin.ASKED]
    known = [cost for cost in costs if cost is not None]
    parts = [
        f"{calls} call{'s' if calls != 1 else ''}" if calls else "",
        f"{stored} stored" if stored else "",
        dollars(sum(known)) if calls and len(known) == len(costs) else "",
    ]
    return f"{len(results)} fresh answers ({', '.join(part for part in parts if part)})"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
