"""What stands below a closing table where a rule tests: how it came to its verdicts, and what it can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import Report, Verdict


def tested_lines(report: Report) -> list[str]:
    """A line for every gated metric that a test has decided, and for every one that says how large a drop it sees."""
    gated = [each for each in report.verdicts if each.gated]
    return [printable(line) for each in gated for line in _lines(report, each)]


def _lines(report: Report, verdict: Verdict) -> Iterator[str]:
    if verdict.p is not None or (report.suite.rule == "non_inferior" and verdict.change is not None):
        yield verdict.reason
    if verdict.sees:
        yield sees_line(verdict)


def sees_line(verdict: Verdict) -> str:
    """``accuracy: a drop of about 4.4 points is caught in 4 of 5 runs``."""
    return f"{verdict.metric}: {verdict.sees}"
