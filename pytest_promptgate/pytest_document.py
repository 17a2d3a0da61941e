"""The run document of one pytest run: its reports, and what only the front door knows."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate import __version__
from pytest_promptgate.core.blotting import without_secrets
from pytest_promptgate.core.default_rule import STEADY_KINDS
from pytest_promptgate.core.differences import differences
from pytest_promptgate.core.run_document import GitState, Mode, RunDocument, Status, SuiteRun, Versions
from pytest_promptgate.core.sight import Known, Sight, sights
from pytest_promptgate.core.types import Report
from pytest_promptgate.files.git import head
from pytest_promptgate.pytest_aa import known_noise
from pytest_promptgate.pytest_changed import skipped_notes
from pytest_promptgate.reports.documented import Beside, spent_on, suite_run
from pytest_promptgate.reports.self_trial import self_trial_sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_promptgate.core.self_trial import SelfTrial
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.pytest_update import Update

_BRANCHES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME")  # a CI job's checkout has no branch


def document_of(
    session: pytest.Session,
    evals: EvalSession,
    *,
    began: float,
    ended: float,
    broken: Sequence[str],
    update: Update | None,
    made: Callable[[Report, Beside], SuiteRun] = suite_run,
) -> RunDocument:
    """The document of a run that is over.

    Args:
        session: Its exit status stands.
        evals: Of the run.
        began: Seconds since the epoch.
        ended: The same.
        broken: Why the engine could not go on, or nothing could be collected; empty if it could.
        update: What became of the baselines; None if none was to be written.
        made: What becomes of a suite; `suite_outline` leaves its cases out.
    """
    status, reasons = _status(session, evals, broken)
    return RunDocument(
        status=status,
        reasons=reasons,
        exit_code=int(session.exitstatus),
        started=_stamp(began),
        ended=_stamp(ended),
        seconds=round(ended - began, 3),
        versions=Versions(
            promptgate=__version__,
            pytest=pytest.__version__,
            python=platform.python_version(),
            platform=platform.platform(),
        ),
        arguments=without_secrets([str(each) for each in evals.config.invocation_params.args]),
        mode=_mode(evals, os.environ),
        git=_git(evals, os.environ) if made is suite_run else None,
        suites=tuple(_suites(evals, made)),
        failures=session.testsfailed,
        notes=tuple(_notes(evals)),
        updated=update.lines if update is not None else (),
        refused=update is not None and update.refused,
    )


def _stamp(seconds: float) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(session: pytest.Session, evals: EvalSession, broken: Sequence[str]) -> tuple[Status, tuple[str, ...]]:
    if broken or session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return Status.BROKE, tuple(broken) or ("pytest met an internal error",)
    engine = evals.started()
    stopped = str(session.shouldstop or session.shouldfail or "")
    if not evals.begun and session.exitstatus == pytest.ExitCode.INTERRUPTED and not session.testsfailed:
        return Status.INTERRUPTED, (stopped or "Ctrl-C before anything was asked",)
    if not evals.begun and session.exitstatus != pytest.ExitCode.OK:
        return Status.BROKE, (f"nothing was asked: {stopped or 'no case and no gate was selected'}",)
    ended = engine.ended if engine is not None and engine.ended in engine.ends else ""
    if session.exitstatus == pytest.ExitCode.INTERRUPTED or stopped or ended:
        return Status.INTERRUPTED, tuple(dict.fromkeys(each for each in (ended, stopped) if each)) or ("Ctrl-C",)
    return Status.COMPLETE, ()


def _mode(evals: EvalSession, surroundings: Mapping[str, str]) -> Mode:
    settings = evals.settings
    service = "github" if surroundings.get("GITHUB_ACTIONS") == "true" else ""
    return Mode(
        update=settings.update,
        update_option=settings.alias,
        baseline_ref=settings.baseline_ref or "",
        offline=settings.offline,
        smoke=settings.smoke,
        refresh=settings.refresh,
        control=settings.control,
        aa=settings.aa,
        fail_fast=settings.fail_fast,
        shard=str(settings.shard or ""),
        max_cost_usd=settings.max_cost,
        max_time_s=settings.max_time,
        ci=settings.ci,
        ci_service=service or ("gitlab" if surroundings.get("GITLAB_CI") == "true" else ""),
    )


def _git(evals: EvalSession, surroundings: Mapping[str, str]) -> GitState | None:
    found = head(evals.settings.root)
    if found is None:
        return None
    commit, branch, dirty = found
    named = next((surroundings[name] for name in _BRANCHES if surroundings.get(name)), "")
    return GitState(commit=commit, branch=branch or named, dirty=dirty)


def _suites(evals: EvalSession, made: Callable[[Report, Beside], SuiteRun]) -> Iterator[SuiteRun]:
    for run in evals.runs.values():
        if not run.selected and not run.blocked:
            continue
        why = _not_judged(evals, run)
        report = run.report
        if report is None:
            report = _unfinished(evals, run)
        found = made(
            report,
            Beside(
                not_judged=why,
                sights=_sights(evals, run) if made is suite_run else (),
                calibrations=evals.reference.calibrations,
                aggregates=evals.toolbox().aggregates,
            ),
        )
        trial = evals.trials.done.get(run.key) if evals.trials is not None else None
        yield found if trial is None else _against_itself(found, trial)


def _against_itself(suite: SuiteRun, trial: SelfTrial) -> SuiteRun:
    """A suite of ``--prompt-aa``: both halves were paid for, and what they say of each other is told."""
    return replace(suite, spent=spent_on(trial.results), notes=(*suite.notes, *self_trial_sentences(trial)))


def _not_judged(evals: EvalSession, run: Run) -> str:
    if run.blocked:
        return run.blocked
    if evals.settings.shard is not None:
        return f"shard {evals.settings.shard}: judged after the merge"
    if evals.settings.aa:
        return "--prompt-aa holds every prompt against itself and judges no gate"
    return "" if run.report is not None else "the run ended before all its answers were in"


def _unfinished(evals: EvalSession, run: Run) -> Report:
    """What there is of a run that was not judged."""
    engine = evals.started()
    found = [engine.results(*run.key, case) or () for case in run.selected] if engine is not None else []
    return Report(
        suite=run.suite,
        slot=run.slot,
        pin=run.plan.pin,
        results=tuple(result for results in found for result in results),
        measurements=(),
        verdicts=(),
        differences=differences(run.suite, run.plan.pin, run.baseline),
        baseline=run.baseline,
        partial=run.partial,
    )


def _sights(evals: EvalSession, run: Run) -> tuple[Sight, ...]:
    kind = evals.project.kind(run.plan.pin.provider)
    known = Known(
        measured=known_noise(evals.settings.store, run.plan), steady=kind in STEADY_KINDS, baseline=run.baseline
    )
    return sights(run.suite, known)


def _notes(evals: EvalSession) -> Iterator[str]:
    engine = evals.started()
    if engine is not None:
        yield from (str(each) for each in engine.refreshed())
        yield from (str(each) for each in engine.faults())
        yield from (each.removeprefix(f"{evals.settings.root}/") for each in engine.complaints())
    yield from evals.observers.faults
    yield from evals.trials.notes if evals.trials is not None else ()
    yield from skipped_notes(evals)
