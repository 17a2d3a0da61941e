"""The closing tables: per suite, what was asked, what it cost, and a line per metric."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.types import Origin, Report
from pytest_promptgate.pytest_progress import count
from pytest_promptgate.reports.text import slice_lines, table

if TYPE_CHECKING:
    import pytest

    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.pytest_update import Update


def write_summary(reporter: pytest.TerminalReporter, evals: EvalSession, update: Update | None) -> None:
    """Write everything that closes a run; nothing is decided here."""
    reports = [run.report for run in evals.runs.values() if run.report is not None]
    engine = evals.started()
    faults = () if engine is None else engine.faults()
    if not reports and not faults and update is None:
        return
    reporter.section("prompt evals")
    for report in reports:
        _write_report(reporter, report)
    for fault in faults:
        reporter.write_line(printable(str(fault)), red=True)
    if update is not None:
        for line in update.lines:
            reporter.write_line(line)


def _write_report(reporter: pytest.TerminalReporter, report: Report) -> None:
    bracket = report.slot if tuple(report.suite.slots) != ("default",) else str(report.pin)
    reporter.write_line(f"{report.suite.name}: {report.suite.prompt.label} on {bracket}", bold=True)
    reporter.write_line(f"  {asked(report)}")
    if report.partial:
        reporter.write_line(f"  {report.partial}: compared on these cases, no baseline is written", yellow=True)
    header, *rows = table(report)
    reporter.write_line(f"  {header}")
    red = {verdict.metric for verdict in report.verdicts if verdict.red}
    for measured, row in zip(report.measurements, rows, strict=True):
        reporter.write_line(f"  {row}", red=measured.metric in red)
    for line in slice_lines(report):
        reporter.write_line(f"  {line}")
    for note in report.notes:
        reporter.write_line(f"  note: {note}")


def asked(report: Report) -> str:
    """``60 cases: 58 unchanged, 2 asked, 1.2k tokens, $0.01``: a run always says what it cost."""
    origins = Counter(result.origin for result in report.results)
    cases = len({result.trial.case.id for result in report.results})
    parts = [f"{origins[Origin.UNCHANGED]} unchanged"]
    if origins[Origin.STORED]:
        parts.append(f"{origins[Origin.STORED]} from the store")
    parts.append(f"{origins[Origin.ASKED]} asked")
    if origins[Origin.NOWHERE]:
        parts.append(f"{origins[Origin.NOWHERE]} not answered")
    paid = [result.observation for result in report.results if result.origin is Origin.ASKED]
    tokens = sum((each.tokens_in or 0) + (each.tokens_out or 0) for each in paid)
    if tokens:
        parts.append(f"{count(tokens)} tokens")
    if paid:
        known = all(each.cost_usd is not None for each in paid)
        parts.append(f"${sum(each.cost_usd or 0.0 for each in paid):.2f}" if known else "cost unknown")
    return f"{cases} case{'s' if cases != 1 else ''}: {', '.join(parts)}"
