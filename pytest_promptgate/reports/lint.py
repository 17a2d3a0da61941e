"""The findings of ``promptgate lint`` for people, for programs, and as annotations of a GitHub workflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_promptgate.core.lint import Severity
from pytest_promptgate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.lint import LintFinding, LintReport

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def text(report: LintReport) -> str:
    """A line ``file:line:column: severity code message`` per finding, its hint indented below, and a closing line."""
    return "\n".join([*(_told(each) for each in report.findings), _closing(report)])


def as_json(report: LintReport) -> str:
    """One JSON object: ``findings`` in the same order, and how many there are of each severity."""
    findings = [
        {
            "code": each.code,
            "severity": each.severity.value,
            "file": each.place.file,
            "line": each.place.line,
            "column": each.place.column,
            "message": each.message,
            "hint": each.hint,
        }
        for each in report.findings
    ]
    counts = {f"{severity.value}s": report.count(severity) for severity in Severity}
    return json.dumps({"files": report.files, **counts, "findings": findings}, indent=2)


def github(report: LintReport, *, directory: str = "") -> str:
    """Workflow commands, one a line; GitHub shows them beside the lines of a pull request.

    Args:
        directory: From the repository's root to the root directory that places are relative to, with "/" at its end.
    """
    return "\n".join([*(_command(each, directory) for each in report.findings), _closing(report)])


FORMATS: Mapping[str, Callable[[LintReport], str]] = {"text": text, "json": as_json, "github": github}


def _told(finding: LintFinding) -> str:
    head = f"{finding.place}: {finding.severity} {finding.code} {finding.message}"
    return "\n".join(printable(line) for line in (head, *(f"  {each}" for each in finding.hint.splitlines())))


def _command(finding: LintFinding, directory: str) -> str:
    place = finding.place
    parts = {"file": f"{directory}{place.file}", "line": place.line, "col": place.column, "title": finding.code}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in parts.items() if value is not None)
    told = "\n".join([finding.message, *finding.hint.splitlines()])
    return f"::{_COMMANDS[finding.severity]} {properties}::{_escaped(printable(told))}"


def _escaped(told: str) -> str:
    return told.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(told: str) -> str:
    return _escaped(printable(told)).replace(":", "%3A").replace(",", "%2C")


def _closing(report: LintReport) -> str:
    counted = [(report.count(severity), severity.value) for severity in Severity]
    told = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counted if count) or "no findings"
    return f"{told} in {report.files} file{'' if report.files == 1 else 's'}"
