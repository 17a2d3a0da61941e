"""The closing tables: per suite, what was asked, what it cost, and a line per metric."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_promptgate.core.estimate import dollars
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.types import Origin
from pytest_promptgate.pytest_pins import deprecation_lines
from pytest_promptgate.pytest_progress import count
from pytest_promptgate.reports.control import control_lines
from pytest_promptgate.reports.extractions import extraction_lines
from pytest_promptgate.reports.judged import judged_lines
from pytest_promptgate.reports.self_trial import self_trial_lines
from pytest_promptgate.reports.side_by_side import side_by_side_lines
from pytest_promptgate.reports.slices import slice_lines
from pytest_promptgate.reports.tested import tested_lines
from pytest_promptgate.reports.text import since_baseline, table, unscored_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.self_trial import SelfTrial
    from pytest_promptgate.core.types import Report, Result
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.pytest_update import Update
    from pytest_promptgate.workflows.evaluate import Evaluation


_COMPLAINTS = 5  # named one by one


def write_summary(reporter: pytest.TerminalReporter, evals: EvalSession, update: Update | None, *, broken: str) -> None:
    """Write everything that closes a run; nothing is decided here.

    Args:
        reporter: That writes.
        evals: Of the run.
        update: What became of the baselines; None if none was to be written.
        broken: Why the engine could not go on; "" if it could.
    """
    engine = evals.started()
    if update is None and engine is None:
        if evals.runs and not evals.begun and not evals.dry and not reporter.stats.get("error"):
            reporter.write_line("prompt evals: none was selected, nothing was asked", yellow=True)
        return
    reporter.write_sep("=", "prompt evals")
    if evals.trials is None:
        for line in evals.reference.changes(evals.toolbox().aggregates):
            reporter.write_line(printable(line))
    for run in evals.runs.values():
        if evals.trials is not None and run.key in evals.trials.done:
            _write_self_trial(reporter, evals.trials.done[run.key])
        elif run.report is not None:
            _write_report(reporter, run.report)
        elif engine is not None and run.selected and not run.blocked:
            _write_unjudged(reporter, run, engine)
    if evals.asked:
        reporter.write_line(f"asked by tests with prompt_eval: {asked([*evals.asked.values()])}")
    today = datetime.now(UTC).date().isoformat()
    for line in deprecation_lines(tuple(evals.runs.values()), evals.project, today=today):
        reporter.write_line(line, yellow=True)
    if engine is not None:
        _write_ends(reporter, engine)
        _write_complaints(reporter, engine.complaints(), root=f"{evals.settings.root}/")
    if broken:
        reporter.write_line(printable(broken), red=True)
    if evals.config.getoption("reruns", None):
        reporter.write_line("--reruns is for ordinary tests: no case and no gate is run again until it is green")
    for fault in evals.observers.faults:
        reporter.write_line(printable(fault), yellow=True)
    if evals.drift is not None:
        for line in evals.drift.lines:
            reporter.write_line(printable(line), red=evals.drift.red)
    for note in evals.trials.notes if evals.trials is not None else ():
        reporter.write_line(printable(note), yellow=True)
    if update is not None:
        for line in update.lines:
            reporter.write_line(line)
    elif evals.settings.update:
        reporter.write_line("no baseline was written: the run ended early", red=True)


def _write_self_trial(reporter: pytest.TerminalReporter, trial: SelfTrial) -> None:
    _write_title(reporter, trial.plan, " against itself")
    for line in (asked(trial.results), *self_trial_lines(trial)):
        reporter.write_line(f"  {line}")


def _write_unjudged(reporter: pytest.TerminalReporter, run: Run, engine: Evaluation) -> None:
    """A run that ended before its gates: what was asked is stored."""
    _write_title(reporter, run.plan)
    found = [engine.results(run.suite.name, run.slot, case) or () for case in run.selected]
    reporter.write_line(f"  {asked([result for results in found for result in results])}")
    reporter.write_line("  not judged: the run ended early; answers are stored, the next run goes on from there")


def _write_ends(reporter: pytest.TerminalReporter, engine: Evaluation) -> None:
    """What concerned the run as a whole."""
    for each in engine.refreshed():
        reporter.write_line(str(each), yellow=not each.complete)
    if skipped := engine.progress().skipped:
        reporter.write_line(f"{skipped} answers were not asked for: {printable('; '.join(engine.ends))}", red=True)
    for fault in engine.faults():
        reporter.write_line(printable(str(fault)), red=True)


def _write_complaints(reporter: pytest.TerminalReporter, complaints: Sequence[str], *, root: str) -> None:
    """What could not be read of the stores; it was asked anew where it was needed."""
    for each in complaints[:_COMPLAINTS]:
        reporter.write_line(printable(each.removeprefix(root)), yellow=True)
    if len(complaints) > _COMPLAINTS:
        reporter.write_line(f"and {len(complaints) - _COMPLAINTS} more: promptgate responses stats", yellow=True)


def _write_title(reporter: pytest.TerminalReporter, of: Plan | Report, more: str = "") -> None:
    bracket = of.slot if tuple(of.suite.slots) != ("default",) else str(of.pin)
    reporter.write_line(f"{of.suite.name}: {of.suite.prompt.label} on {bracket}{more}", bold=True)


def _write_report(reporter: pytest.TerminalReporter, report: Report) -> None:
    _write_title(reporter, report)
    reporter.write_line(f"  {asked(report.results)}")
    if report.control is not None and report.control.results:
        reporter.write_line(f"  production beside it: {asked(report.control.results)}")
    for line in judged_lines(report):
        reporter.write_line(f"  {printable(line)}")
    if changes := since_baseline(report.differences):
        reporter.write_line(f"  since the baseline: {changes}")
    if report.partial:
        what = "compared on these cases" if report.verdicts else "judged after the merge"
        reporter.write_line(f"  {report.partial}: {what}, no baseline is written", yellow=True)
    header, *rows = table(report)
    reporter.write_line(f"  {header}")
    red = {verdict.metric for verdict in report.verdicts if verdict.red}
    for measured, row in zip(report.measurements, rows, strict=True):
        reporter.write_line(f"  {row}", red=measured.metric in red)
    answers = (*unscored_lines(report), *extraction_lines(report))
    for line in (*control_lines(report), *tested_lines(report), *answers, *slice_lines(report)):
        reporter.write_line(f"  {line}")
    for line in side_by_side_lines(report.beside) if report.beside else ():
        reporter.write_line(f"    {line}")
    for note in report.notes:
        reporter.write_line(f"  note: {printable(note)}")
    if report.transport and reporter.config.option.verbose > 0:
        reporter.write_line(f"  transport: {report.transport}")


def asked(results: Sequence[Result]) -> str:
    """``60 cases: 58 unchanged, 2 asked, 1.2k tokens, $0.01``: a run always says what it cost."""
    origins = Counter(result.origin for result in results)
    cases = len({result.trial.case.id for result in results})
    parts = [f"{origins[Origin.UNCHANGED]} unchanged"]
    if origins[Origin.STORED]:
        parts.append(f"{origins[Origin.STORED]} from the store")
    parts.append(f"{origins[Origin.ASKED]} asked")
    if origins[Origin.NOWHERE]:
        parts.append(f"{origins[Origin.NOWHERE]} not answered")
    calls = [result for result in results if result.origin is Origin.ASKED]
    paid = [result.observation for result in calls]
    times = [result.completion.requests if result.completion else 1 for result in calls]  # 2: it was hedged
    tokens = sum((each.tokens_in or 0) + (each.tokens_out or 0) for each in paid)
    if tokens:
        parts.append(f"{count(tokens)} tokens")
    if paid:
        known = all(each.cost_usd is not None for each in paid)
        cost = sum((each.cost_usd or 0.0) * requests for each, requests in zip(paid, times, strict=True))
        parts.append(dollars(cost) if known else "cost unknown")
    return f"{cases} case{'s' if cases != 1 else ''}: {', '.join(parts)}"
