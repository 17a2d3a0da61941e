"""The closing tables: per suite, what was asked, what it cost, and a line per metric."""

from __future__ import annotations

import shutil
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable
from pytest_promptgate.pytest_pins import deprecation_lines
from pytest_promptgate.reports.closing import spent_line, table
from pytest_promptgate.reports.control import control_lines
from pytest_promptgate.reports.documented import spent_on
from pytest_promptgate.reports.extractions import extraction_lines
from pytest_promptgate.reports.judged import judged_lines
from pytest_promptgate.reports.self_trial import self_trial_lines
from pytest_promptgate.reports.side_by_side import side_by_side_lines
from pytest_promptgate.reports.slices import slice_lines
from pytest_promptgate.reports.tested import tested_lines
from pytest_promptgate.reports.text import since_baseline, unscored_lines
from pytest_promptgate.reports.top import headline

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.run_document import RunDocument, SuiteRun
    from pytest_promptgate.core.self_trial import SelfTrial
    from pytest_promptgate.core.types import Report, Result
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.pytest_update import Update
    from pytest_promptgate.reports.top import Headline
    from pytest_promptgate.workflows.evaluate import Evaluation


_COMPLAINTS = 5  # named one by one
_SCREEN = 16  # lines that leave room for pytest's own summary


def write_summary(
    reporter: pytest.TerminalReporter,
    evals: EvalSession,
    update: Update | None,
    *,
    broken: str,
    outline: RunDocument | None,
) -> None:
    """Write everything that closes a run; nothing is decided here.

    Args:
        reporter: That writes.
        evals: Of the run.
        update: What became of the baselines; None if none was to be written.
        broken: Why the engine could not go on; "" if it could.
        outline: The run without its cases; None if it was dry.
    """
    engine = evals.started()
    if update is None and engine is None:
        if evals.runs and not evals.begun and not evals.dry and not reporter.stats.get("error"):
            reporter.write_line("prompt evals: none was selected, nothing was asked", yellow=True)
        return
    if evals.runs and all(run.unchanged for run in evals.runs.values()):
        return  # said when the suites were chosen
    reporter.write_sep("=", "prompt evals")
    if outline is not None:
        _write_headline(reporter, headline(outline))
    if evals.trials is None:
        for line in evals.reference.changes(evals.toolbox().aggregates):
            reporter.write_line(printable(line))
    _write_runs(reporter, evals, outline.suites if outline is not None else ())
    if evals.asked:
        reporter.write_line(f"asked by tests with prompt_eval: {asked([*evals.asked.values()])}")
    _write_asides(reporter, evals, broken=broken)
    _write_update(reporter, evals, update)
    if outline is not None and not headline(outline).good and _is_long(outline):
        _write_headline(reporter, headline(outline))


def _write_asides(reporter: pytest.TerminalReporter, evals: EvalSession, *, broken: str) -> None:
    """What concerns no suite alone."""
    today = datetime.now(UTC).date().isoformat()
    for line in deprecation_lines(tuple(evals.runs.values()), evals.project, today=today):
        reporter.write_line(line, yellow=True)
    if (engine := evals.started()) is not None:
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


def _write_runs(reporter: pytest.TerminalReporter, evals: EvalSession, outlines: Sequence[SuiteRun]) -> None:
    """A table per suite and slot, or why there is none."""
    engine, suites = evals.started(), {(each.name, each.slot): each for each in outlines}
    for run in evals.runs.values():
        if evals.trials is not None and run.key in evals.trials.done:
            _write_self_trial(reporter, evals.trials.done[run.key])
        elif run.report is not None and run.key in suites:
            _write_report(reporter, run.report, suites[run.key])
        elif engine is not None and run.selected and not run.blocked:
            _write_unjudged(reporter, run, engine)


def _write_update(reporter: pytest.TerminalReporter, evals: EvalSession, update: Update | None) -> None:
    """What became of the baselines."""
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
    """A run that ended before its gates: what was asked is stored, if answers of the suite ever are."""
    _write_title(reporter, run.plan)
    found = [engine.results(run.suite.name, run.slot, case) or () for case in run.selected]
    reporter.write_line(f"  {asked([result for results in found for result in results])}")
    kept = "answers are stored, the next run goes on from there"
    lost = "answers of a target without a version are not stored, the next run asks anew"
    reporter.write_line(f"  not judged: the run ended early; {kept if run.suite.storable else lost}")


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


def _write_headline(reporter: pytest.TerminalReporter, found: Headline) -> None:
    """The run in one line, as it stands on top of every report."""
    colour = {"green": True} if found.good else {"red": True}
    for line in wrapped(printable(str(found)), indent="  "):
        reporter.write_line(line, bold=True, **colour)


def wrapped(line: str, *, indent: str) -> list[str]:
    """`line` in lines as wide as the terminal; those that go on begin with `indent`."""
    width = shutil.get_terminal_size().columns
    found = textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [printable(each) for each in found]  # a line may begin with what is no command inside the text


def _is_long(outline: RunDocument) -> bool:
    """Whether the first line of the section may have left the screen when its last one is written."""
    return sum(len(suite.metrics) + len(suite.sliced) + 6 for suite in outline.suites) > _SCREEN


def _write_report(reporter: pytest.TerminalReporter, report: Report, suite: SuiteRun) -> None:
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
    for line, red in table(suite):
        reporter.write_line(f"  {line}", red=red)
    answers = (*unscored_lines(report), *extraction_lines(report))
    for line in (*control_lines(report), *tested_lines(report), *answers):
        reporter.write_line(f"  {line}")
    for line in slice_lines(report):
        for part in wrapped(f"  {line}", indent="    "):
            reporter.write_line(part)
    for line in side_by_side_lines(report.beside) if report.beside else ():
        reporter.write_line(f"    {line}")
    for note in report.notes:
        reporter.write_line(f"  note: {printable(note)}")
    if report.transport and reporter.config.option.verbose > 0:
        reporter.write_line(f"  transport: {report.transport}")


def asked(results: Sequence[Result]) -> str:
    """What these results took, in a line."""
    return spent_line(spent_on(results))
