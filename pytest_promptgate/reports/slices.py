"""The metrics of each slice, in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.slices import LEAST_CASES, slice_name
from pytest_promptgate.core.types import Measurement
from pytest_promptgate.reports.top import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import Report, SliceMeasurement

SHOWN = 20  # slices of a column; the largest, if there are more


def slice_lines(report: Report) -> list[str]:
    """``language=de (n=25): accuracy 0.880 -> 0.840, f1 0.810``, a line per slice."""
    return [printable(line) for column in report.suite.slices for line in _lines(report, column)]


def _lines(report: Report, column: str) -> Iterator[str]:
    slices: dict[str, list[SliceMeasurement]] = {}
    for each in report.slices:
        if each.slice.startswith(f"{column}="):
            slices.setdefault(each.slice, []).append(each)
    largest = sorted(slices, key=lambda name: (-slices[name][0].cases, name))[:SHOWN]
    for name, found in slices.items():
        if name in largest:
            yield f"{name} (n={found[0].cases}): {_told(found)}{_note(report, column, name)}"
    if len(slices) > SHOWN:
        yield f"… and {len(slices) - SHOWN} more slices by {column}"


def _told(found: Sequence[SliceMeasurement]) -> str:
    return ", ".join(f"{each.measured.metric} {_before(each)}{number(each.measured)}" for each in found)


def _before(each: SliceMeasurement) -> str:
    return f"{number(each.baseline)} -> " if isinstance(each.baseline, Measurement) else ""


def _note(report: Report, column: str, name: str) -> str:
    if slice_name(column, name.removeprefix(f"{column}=")) not in report.suite.thin:
        return ""
    return f" - not gated: fewer than {LEAST_CASES} cases"
