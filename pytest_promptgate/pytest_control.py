"""A contemporaneous control in a pytest run: production asked beside the candidate, and what came of it.

``--prompt-control`` asks for it. A gate on a latency does too, for no more than the latencies: two prompts can be
compared by them only if they were timed side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.control import gated_latencies, held_metrics
from pytest_promptgate.core.types import Control
from pytest_promptgate.pytest_fail_fast import asked_once, watch_of
from pytest_promptgate.workflows.control import SideBySide, side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Result, Trial
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Production, as it is asked beside one run."""

    timing: bool
    asked: SideBySide | None  # None: it cannot be asked
    missing: str = ""  # why not


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the engine knows under one suite name and slot."""

    run: Run
    plan: Plan
    trials: int  # planned


def submit(evals: EvalSession, run: Run) -> None:
    """Hand a run to the engine, with production beside it if that is wanted; or block it if that cannot be had."""
    engine, run.beside = evals.evaluation(), _beside(evals, run)
    if run.blocked:
        return
    asked = run.beside.asked if run.beside else None
    if asked is None:
        run.once = asked_once(evals, run)
        engine.submit(run.plan, run.selected, run.baseline, once=run.once, watch=watch_of(evals, run))
        return
    engine.submit_retrial(asked.plans, asked.round, run.baseline)
    if rest := [case for case in run.selected if case not in asked.cases]:
        engine.submit(run.plan, rest, run.baseline)


def hold_back(run: Run) -> None:
    """See to a run that is asked later, case by case as its fixtures are set up; nothing can be asked beside it."""
    settings = run.session.settings
    options = {"--prompt-aa": settings.aa, "--prompt-control": settings.control}
    option = next((name for name, given in options.items() if given), "")
    if option:
        run.blocked = (
            f"{run.suite.path}: {option} asks twice, side by side, and {run.suite.name} can be asked only while its "
            "fixtures are set up: nothing was asked\n"
            f"  Open what it uses in the function itself, or run without {option}."
        )
    elif run.baseline is not None and gated_latencies(run.suite):
        missing = "both versions have to be timed side by side, and a function with fixtures cannot be"
        run.beside = Beside(timing=True, asked=None, missing=missing)


def _beside(evals: EvalSession, run: Run) -> Beside | None:
    from pytest_promptgate.files.templates import render

    timing = not evals.settings.control
    if run.baseline is None or (timing and not gated_latencies(run.suite)):
        return None
    found = side_by_side(run.plan, run.baseline, cases=run.selected, timing=timing, render=render)
    if isinstance(found, SideBySide):
        return Beside(timing=timing, asked=found)
    if found is None:
        return None
    if timing:
        return Beside(timing=True, asked=None, missing=f"both prompts have to be timed side by side, and {found}")
    run.blocked = (
        f"{run.suite.path}: --prompt-control: {found}: nothing was asked\n"
        "  Take promptgate.baselines/ from the commit that wrote the baseline, or run without --prompt-control."
    )
    return None


def control_of(run: Run, results: Sequence[Result]) -> Control | None:
    """What production answered beside `run`; waits for it. None if nobody asked it, or the run is not judged.

    Args:
        run: Whose own answers are in.
        results: Those.
    """
    beside, baseline, evals = run.beside, run.baseline, run.session
    if beside is None or baseline is None or evals.settings.shard:
        return None
    asked = beside.asked
    shared = asked.shared if asked else frozenset()
    return Control(
        prompt=baseline.prompt,
        metrics=held_metrics(run.suite, timing=beside.timing),
        timing=beside.timing,
        results=() if asked is None or asked.production is None else _answers(evals, asked.production),
        shared=tuple(each for each in results if each.trial.case.id in shared),
        missing=beside.missing,
    )


def _answers(evals: EvalSession, plan: Plan) -> tuple[Result, ...]:
    cases = [case.id for case in plan.suite.cases]
    try:
        return evals.evaluation().wait(plan.suite.name, plan.slot, cases, tick=evals.progress.tick)
    finally:
        evals.progress.clear()


def asking(evals: EvalSession) -> Mapping[tuple[str, str], Asking]:
    """Whose calls are whose: every run under its own name and slot, and production beside it under another slot."""
    return {key: each for run in evals.runs.values() for key, each in _asking(run)}


def _asking(run: Run) -> Iterator[tuple[tuple[str, str], Asking]]:
    trials = len(run.selected) * run.suite.samples - len(run.once) * (run.suite.samples - 1)
    yield run.key, Asking(run=run, plan=run.plan, trials=trials)
    production = run.beside.asked.production if run.beside and run.beside.asked else None
    if production is not None:
        key = (production.suite.name, production.slot)
        yield key, Asking(run=run, plan=production, trials=len(production.trials))


def announced(evals: EvalSession, waiting: Mapping[tuple[str, str], Sequence[Trial]]) -> Iterator[str]:
    """``triage: production (triage@v1) is asked beside yours, mixed: 60 calls + 60 calls``, a line per such suite."""
    for run in evals.runs.values():
        asked = run.beside.asked if run.beside else None
        if asked is None or asked.production is None or run.baseline is None:
            continue
        theirs, mine = (len(waiting.get((run.suite.name, slot), ())) for slot in (asked.production.slot, run.slot))
        if theirs:
            verb = "timed" if run.beside and run.beside.timing else "asked"
            told = f"production ({run.baseline.prompt}) is {verb} beside yours, mixed: {theirs} + {mine} calls"
            yield f"{run.suite.name}: {told}"
