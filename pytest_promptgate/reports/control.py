"""What stands in a report whose run was held against production's answers of the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.control import shift_text
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.types import Score

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Control, Report


def control_lines(report: Report) -> list[str]:
    """What the run was compared with, and a line for every metric that production has another value of by now."""
    control = report.control
    if control is None or control.missing:
        return []
    return [printable(line) for line in (_compared(control), *map(shift_text, control.shifts))]


def _compared(control: Control) -> str:
    what = "latencies are compared" if control.timing else "compared"
    told = f"{what} with production ({control.prompt}) asked in the same run (control)"
    if not control.results:
        return f"{told}: it sends the same requests, so one answer stands for both"
    shared = len({each.trial.case.id for each in control.shared})
    same = f"; {shared} case{'s send' if shared > 1 else ' sends'} the same request with both" if shared else ""
    lost = sum(
        any(not isinstance(grade, Score) for grade in each.observation.grades.values()) for each in control.results
    )
    left = f"; {lost} of its answers {'have' if lost > 1 else 'has'} no score, and are in no pair" if lost else ""
    return f"{told}{same}{left}"
