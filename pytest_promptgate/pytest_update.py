"""``--update-baseline``: after the run, suite by suite, write what may be written and say what may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable
from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.lockfile import save_baselines
from pytest_promptgate.pytest_drift import drift_refusal
from pytest_promptgate.pytest_rise import risen_anchors
from pytest_promptgate.workflows.update_baseline import NO_RISE, lockfile_diff, refusal, succeeding

if TYPE_CHECKING:
    from pytest_promptgate.core.rise import Rise
    from pytest_promptgate.core.types import Baseline, Report
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What became of the baselines, told in the closing summary."""

    lines: tuple[str, ...]
    refused: bool


def update_baselines(evals: EvalSession) -> Update:
    """Write the baselines of the suites that may have one; a refused suite's entries stay untouched, all its slots."""
    lines: list[str] = []
    allowed: list[Run] = []
    by_suite: dict[str, list[Run]] = {}
    runs = [run for run in evals.runs.values() if not run.set_aside]
    lines += [
        f"{_title(run)}: baseline left as it was: {run.set_aside}" for run in evals.runs.values() if run.set_aside
    ]
    for run in runs:
        by_suite.setdefault(run.suite.name, []).append(run)
    for name, runs in by_suite.items():
        reasons = {run: reason for run in runs if (reason := _refusal(run, accept=evals.settings.accept))}
        if reasons:
            lines += [f"{_title(run)}: baseline NOT written: {reason}" for run, reason in reasons.items()]
            lines += [
                f"{_title(run)}: baseline NOT written: another slot of {name} may not"
                for run in runs
                if run not in reasons
            ]
            continue
        allowed += runs
    risen = risen_anchors(evals, allowed)
    accepted: list[Baseline] = []
    for run in allowed:
        found = risen.get(run)
        accepted.append(_successor(evals, run, found.rise if found else NO_RISE))
        told = (*_diff(evals, run, accepted[-1]), *([found.line] if found and found.line else []))
        lines += [f"{_title(run)}: {line}" for line in told]
    lines += [f"{each.title}: removed from the lockfile: {evals.settings.accept}" for each in evals.gone]
    return _saved(evals, accepted, lines, refused=len(accepted) < len(runs))


def _successor(evals: EvalSession, run: Run, rise: Rise) -> Baseline:
    return succeeding(_report(run), run.baseline, rise=rise, aggregates=evals.toolbox().aggregates)


def _diff(evals: EvalSession, run: Run, new: Baseline) -> tuple[str, ...]:
    return lockfile_diff(run.baseline, new, aggregates=evals.toolbox().aggregates) or ("baseline unchanged",)


def _report(run: Run) -> Report:
    assert run.report is not None
    return run.report


def _saved(evals: EvalSession, accepted: list[Baseline], lines: list[str], *, refused: bool) -> Update:
    settings = evals.settings
    try:
        changed = save_baselines(
            settings.lockfile,
            accepted,
            removals={each.key: each.removal(settings.accept or "") for each in evals.gone},
            root=settings.root,
            aggregates=evals.toolbox().aggregates,
        )
    except PromptGateError as error:
        return Update(lines=(*lines, printable(str(error))), refused=True)
    lines += [f"{'wrote' if path.exists() else 'deleted'} {settings.shown(path)}" for path in changed]
    return Update(lines=tuple(lines), refused=refused)


def _refusal(run: Run, *, accept: str | None) -> str:
    if run.report is None:
        return "no case of it was selected"
    return drift_refusal(run) or refusal(run.report, accept=accept)


def _title(run: Run) -> str:
    return run.suite.name if run.slot == "default" else f"{run.suite.name} ({run.slot})"
