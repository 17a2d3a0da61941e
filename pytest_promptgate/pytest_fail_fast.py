"""Asking less: a failure that is certain ends its suite, and a first round may be enough (GATE §4, §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import ANY, allows_dataset
from pytest_promptgate.core.budget import measures_cost, priced_baseline
from pytest_promptgate.core.certainty import most_questions
from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.gate import Course, GateInput, Standing
from pytest_promptgate.core.types import AcceptanceKind, Skipped
from pytest_promptgate.workflows.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Baseline, Result
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.workflows.assess import Assessment

FIRST_ROUND = "first round: with one sample of each case nothing is lower, so the others were not asked"


def watch_of(evals: EvalSession, run: Run) -> Watch | None:
    """What ends the calls of `run` early; None if nothing does.

    Only what was selected counts: a metric without its gate and a case without its item fail nothing.
    """
    settings, suite = evals.settings, run.suite
    wanted = settings.fail_fast or suite.policy.early_stop is not None
    if not wanted or settings.update or settings.shard:
        return None
    accepted = evals.reference.acceptances(run.plan, run.baseline)
    waved = {each.metric for each in accepted if each.kind is AcceptanceKind.REGRESSION}
    # Gated latencies are held against production timed beside the candidate, which nobody knows in advance.
    metrics = {spec.name for spec in suite.judged if spec.source != "latency_s"} & run.chosen_gates
    given = GateInput(
        suite=suite,
        baseline=_priced(evals, run),
        results=(),
        selection=frozenset(run.selected) if run.partial else None,
        aggregates=evals.toolbox().aggregates,
        dataset_accepted=allows_dataset(accepted),
        course=Course(family=_family(evals)),
    )
    must_pass = frozenset(case for rule in suite.must_pass for case in rule.cases) & run.chosen_cases
    unwaved = frozenset() if ANY in waved else frozenset(metrics - waved)
    return Watch(run.plan, given, metrics=unwaved, must_pass=must_pass) if unwaved or must_pass else None


def _priced(evals: EvalSession, run: Run) -> Baseline | None:
    if run.baseline is None:
        return None
    return priced_baseline(run.baseline, evals.price(run.baseline.pin) if measures_cost(run.suite) else None)


def _family(evals: EvalSession) -> int:
    """Most hypotheses that this run may test; the same from the first call to the last verdict."""
    selected = [run for run in evals.runs.values() if run.selected]
    anchored = {run: run.baseline is not None and run.baseline.anchor is not None for run in selected}
    return max(1, sum(most_questions(run.suite, anchored=anchored[run]) for run in selected))


def course_of(run: Run, results: Sequence[Result], *, first_round: bool) -> Course:
    """How `run` went; a failure that was certain only at the last answer has stopped nothing."""
    grades = (grade for each in results for grade in each.observation.grades.values())
    cut = any(isinstance(grade, Skipped) for grade in grades)
    return Course(
        family=_family(run.session),
        stopped=run.session.evaluation().stopped(*run.key) if cut else None,
        first_round=first_round or run.first_round,
    )


def first_round_notes(run: Run, course: Course) -> tuple[str, ...]:
    """What is to be told of a first round that was enough."""
    return (FIRST_ROUND,) if run.first_round and course.stopped is None else ()


def asked_once(evals: EvalSession, run: Run) -> tuple[str, ...]:
    """The cases of which one sample is asked at first; those that must pass are asked all of theirs."""
    settings, suite = evals.settings, run.suite
    if not suite.policy.first_round or suite.samples == 1 or run.baseline is None:
        return ()
    if settings.update or settings.refresh or settings.shard or settings.control:
        return ()
    must_pass = {case for rule in suite.must_pass for case in rule.cases}
    return tuple(case for case in run.selected if case not in must_pass)


def finish_first_rounds(evals: EvalSession, runs: Sequence[Run]) -> None:
    """Ask all samples of those runs whose first one is lower, or cannot tell."""
    waiting = [run for run in runs if run.once and not run.first_round]
    assessed = [(run, run.assessed(first_round=True)) for run in waiting]
    for run, found in assessed:
        run.first_round = _is_enough(found)
        if not run.first_round:
            lower = f"{run.suite.name} came out lower with one sample of each case"
            more = f"asking {run.suite.samples - 1} more of {len(run.once)} cases"
            evals.progress.say(f"prompt evals: {lower}; {more}")
            evals.evaluation().submit(run.plan, run.selected, run.baseline)


def _is_enough(found: Assessment) -> bool:
    """Whether no gated metric is lower."""
    gates = found.plan.suite.gates
    if found.given.course.stopped is not None:
        return True
    for each in found.weighed.stands:
        if isinstance(each, Standing):
            if gates[each.spec.name].gated and each.arms().gain < -EPSILON:
                return False
        elif each.red:
            return False
    return True
