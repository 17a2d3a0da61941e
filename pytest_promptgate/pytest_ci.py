"""What CI systems are told beside the log: annotations under GitHub Actions, properties of the run in JUnit files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from _pytest.junitxml import xml_key

from pytest_promptgate import __version__
from pytest_promptgate.reports.annotations import annotation_lines, command

if TYPE_CHECKING:
    import pytest

    from pytest_promptgate.pytest_session import EvalSession


def write_annotations(reporter: pytest.TerminalReporter, evals: EvalSession) -> None:
    """Under GitHub Actions: the red gates, where the pull request shows the files."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    top = Path(os.environ.get("GITHUB_WORKSPACE") or evals.settings.root)
    reports = [run.report for run in evals.runs.values() if run.report is not None]
    lines = annotation_lines(reports, lambda name: _from(top, evals.settings.root / name))
    blocked = {run.suite.path: run.blocked for run in evals.runs.values() if run.blocked}
    told = (command(_from(top, evals.settings.root / path), 1, "no baseline", why) for path, why in blocked.items())
    for line in (*lines, *told):
        reporter.ensure_newline()
        reporter.write_line(line)


def _from(top: Path, path: Path) -> str:
    return os.path.relpath(path, top).replace(os.sep, "/")


def record_run(evals: EvalSession) -> None:
    """Properties of the whole run, if a JUnit file is written."""
    xml = evals.config.stash.get(xml_key, None)
    if xml is None or not evals.begun:
        return
    reports = [run.report for run in evals.runs.values() if run.report is not None]
    red = sum(verdict.red for report in reports for verdict in report.verdicts)
    unchanged = sorted({run.suite.name for run in evals.runs.values() if run.unchanged})
    xml.add_global_property("promptgate_version", __version__)
    xml.add_global_property("promptgate_suites", " ".join(sorted({report.suite.name for report in reports})))
    xml.add_global_property("promptgate_suites_skipped", " ".join(unchanged))
    xml.add_global_property("promptgate_red", str(red))
