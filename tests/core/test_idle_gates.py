"""A tolerance that was meant in points leaves a gate that never fails: a note says so."""

from __future__ import annotations

import pytest
from gate_world import observations, spec, suite, tolerance

from pytest_promptgate.core.idle_gates import idle_notes
from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.types import MetricGate


def notes(gate: MetricGate, *values: float) -> list[str]:
    metric = spec()
    seen = observations({f"c-{number}": [value] for number, value in enumerate(values)})
    return [*idle_notes(suite(metric, ["c-0"], gate=gate), [measure(metric, seen)])]


def test_a_tolerance_that_no_drop_can_exceed_is_told() -> None:
    assert notes(MetricGate(tolerance=tolerance(3.0)), 1.0, 0.0) == [
        "the tolerance 3 of accuracy is as wide as the metric, which lies in 0 to 1: no drop fails. "
        "If 3 points are meant, write 0.03"
    ]


@pytest.mark.parametrize(
    ("gate", "value"),
    [
        (MetricGate(tolerance=tolerance(0.03)), 1.0),
        (MetricGate(tolerance=tolerance("300%")), 1.0),
        (MetricGate(tolerance=tolerance(3.0), gated=False), 1.0),
        (MetricGate(tolerance=tolerance(3.0)), 40.0),
        (MetricGate(tolerance=tolerance(1.0), floor=0.8), 1.0),
    ],
)
def test_other_tolerances_are_not(gate: MetricGate, value: float) -> None:
    assert notes(gate, value) == []
