"""What JUnit files carry of a gate. The names are documented in docs/ci.md and do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import Report, Verdict

    Property = tuple[str, str | float | int]


def gate_properties(report: Report, verdict: Verdict) -> tuple[Property, ...]:
    """Names and values, of what is known: floats in the metric's own unit, in full precision."""
    return tuple((f"promptgate_{name}", value) for name, value in _facts(report, verdict))


def _facts(report: Report, verdict: Verdict) -> Iterator[Property]:
    yield "metric", verdict.metric
    yield "verdict", str(verdict.outcome)
    yield "reason", verdict.reason
    if verdict.change is not None:
        yield "change", verdict.change
    if isinstance(verdict.baseline, Measurement):
        yield "baseline", verdict.baseline.value
    if isinstance(verdict.current, Measurement):
        yield "current", verdict.current.value
        yield "n", verdict.current.books.scored
        if verdict.current.interval is not None:
            yield "interval_low", verdict.current.interval[0]
            yield "interval_high", verdict.current.interval[1]
    if verdict.p is not None:
        yield "p", verdict.p
    yield "tolerance", str(verdict.tolerance)
    if verdict.accepted:
        yield "accepted", verdict.accepted
    yield "suite", report.suite.name
    yield "slot", report.slot
    yield "prompt", report.suite.prompt.label
    yield "model", str(report.pin)
