"""Judges that people's labels do not vouch for: what becomes of their gates, and what a run says of it, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.promises import promises
from pytest_promptgate.core.trust import rubrics_of, trusted, without_gates
from pytest_promptgate.core.types import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import Suite
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession

JUDGES = "(judges)"  # metric name of the verdict on judges that nobody vouches for


def trusting(evals: EvalSession, suite: Suite) -> Suite:
    """`suite` as far as its judges may gate; why they may not is remembered for the report."""
    found = trusted(suite, evals.reference.calibrations)
    evals.trust[suite.name] = found
    return without_gates(suite, found.shown)


def gate_items(run: Run) -> tuple[str, ...]:
    """What has a gate item: gated metrics and slices in the suite's order, and promises that were loosened.

    A metric that only its judge keeps from gating has one too, which says so.
    """
    shown = run.session.trust[run.suite.name].shown
    metrics = [spec.name for spec in run.suite.judged if run.suite.gates[spec.name].gated or spec.name in shown]
    broken = (*promises(run.suite, run.baseline), *run.session.reference.stale(run.plan), *distrusted(run))
    return (*metrics, *(each.metric for each in broken))


def distrusted(run: Run) -> tuple[Verdict, ...]:
    """The red verdict on judges that nobody vouches for, if promptgate.yaml wants one."""
    doubted = run.session.trust[run.suite.name].doubted
    if not doubted or not run.session.project.needs_calibration or run.session.trials is not None:
        return ()
    told = "; ".join(f"{metric}: {why}" for metric, why in doubted.items())
    rubrics = rubrics_of(run.suite)
    paths = dict.fromkeys(rubrics[spec.source].path for spec in run.suite.judged if spec.name in doubted)
    commands = " and ".join(f"promptgate calibrate {path} --labels LABELS.csv" for path in paths)
    return (
        Verdict(
            metric=JUDGES,
            outcome=Outcome.INCONCLUSIVE,
            reason=f"promptgate.yaml wants judges that people vouch for; {told}; run: {commands}",
            gated=True,
            red=True,
            baseline=None,
            current=None,
        ),
    )


def why_skipped(run: Run, verdict: Verdict) -> str:
    """Why a gate says nothing; "" if it does."""
    why = run.session.trust[run.suite.name].shown.get(verdict.metric)
    if why is not None:
        return f"{verdict.metric} is shown only: {why}"
    # Its suite was stopped for another failure.
    return verdict.reason if verdict.outcome is Outcome.INCONCLUSIVE and not (verdict.red or verdict.accepted) else ""


def trust_notes(run: Run) -> Iterator[str]:
    """What is to be told of judges that do not gate, or that nobody should rely on; of each rubric once a run."""
    runs = [*run.session.runs.values()]
    earlier = {path for each in runs[: runs.index(run)] if each.selected for _, path in _warnings(each)}
    shown = run.session.trust[run.suite.name].shown
    for (why, path), names in _warnings(run).items():
        if path not in earlier:
            what = "shown only" if names[0] in shown else "gated by a judge that nobody vouches for"
            command = f"promptgate calibrate {path} --labels LABELS.csv"
            yield f"WARNING: {', '.join(names)}: {what}: {why}; to mend it: {command}"


def _warnings(run: Run) -> dict[tuple[str, str], list[str]]:
    """Metrics by what is wrong with their judge, and its rubric's path."""
    told, rubrics = run.session.trust[run.suite.name], rubrics_of(run.suite)
    reasons = {**told.shown, **({} if distrusted(run) else told.doubted)}
    found: dict[tuple[str, str], list[str]] = {}
    for spec in run.suite.judged:
        if spec.name in reasons:
            found.setdefault((reasons[spec.name], rubrics[spec.source].path), []).append(spec.name)
    return found
