"""What JUnit files carry of a gate. The names are documented in docs/ci.md and do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Measurement
from pytest_promptgate.reports.documented_metrics import compared_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Report, Verdict

    Property = tuple[str, str | float | int]


def gate_properties(report: Report, verdict: Verdict, *, aggregates: Mapping[str, Aggregate]) -> tuple[Property, ...]:
    """Names and values, of what is known: floats in the metric's own unit, in full precision."""
    interval = _interval(report, verdict, aggregates)
    return tuple((f"promptgate_{name}", value) for name, value in _facts(report, verdict, interval))


def _interval(report: Report, verdict: Verdict, aggregates: Mapping[str, Aggregate]) -> tuple[float, float] | None:
    spec = next((each for each in report.suite.judged if each.name == verdict.metric), None)
    return None if spec is None else compared_run(verdict, spec, report, aggregates).change_interval


def _facts(report: Report, verdict: Verdict, interval: tuple[float, float] | None) -> Iterator[Property]:
    yield "metric", verdict.metric
    yield "verdict", str(verdict.outcome)
    yield "reason", verdict.reason
    if verdict.change is not None:
        yield "change", verdict.change
    if interval is not None:
        yield "change_low", interval[0]
        yield "change_high", interval[1]
    if isinstance(verdict.baseline, Measurement):
        yield "baseline", verdict.baseline.value
    if isinstance(verdict.current, Measurement):
        yield "current", verdict.current.value
        yield "n", verdict.current.books.scored
    if verdict.p is not None:
        yield "p", verdict.p
    yield "tolerance", str(verdict.tolerance)
    if verdict.accepted:
        yield "accepted", verdict.accepted
    yield "suite", report.suite.name
    yield "slot", report.slot
    yield "prompt", report.suite.prompt.label
    yield "model", str(report.pin)
