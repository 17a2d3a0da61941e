"""Metrics of a recorded baseline, and expressions that survive the lockfile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from made_baselines import made_baseline, made_case, made_contract

from pytest_promptgate.core.expressions import parse_expression
from pytest_promptgate.core.recorded import Figures, recorded_metrics
from pytest_promptgate.core.types import Direction, MetricSpec, Score, Unscored
from pytest_promptgate.errors import Place

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json


@pytest.mark.parametrize("value", ["billing", "two words", "a,b", "it's", "", "1", "true", "x=(y)", 1, 0.5, True, None])
def test_a_canonical_expression_reads_back(value: Json) -> None:
    spec = MetricSpec(
        name="f1",
        aggregate="f1",
        source="queue",
        arguments={"label": value},
        direction=Direction.HIGHER,
        place=Place(file="x"),
    )

    assert parse_expression(spec.expression).arguments == {"label": value}


def test_recorded_metrics_are_those_that_the_case_lines_tell() -> None:
    metrics = {
        "accuracy": "mean(queue)",
        "tokens": "total(tokens_in)",
        "cost": "total(cost_usd)",
        "latency": "p95(latency_s)",
        "spread": "spread(queue)",
        "gone": "mean(gone)",
    }
    cases = [made_case("a", {"queue": Score(value=0.25)}), made_case("b", {"queue": Unscored(reason="?")})]
    baseline = made_baseline(cases, contract=made_contract(metrics=metrics, gates={}))

    assert recorded_metrics(baseline) == {
        "accuracy": Figures(value=0.25, scored=1, unscored=1),
        "tokens": Figures(value=24.0, scored=2, unscored=0),
        "cost": None,
        "latency": None,
        "spread": None,
        "gone": None,
    }


def test_a_metric_of_which_nothing_was_scored_has_no_value() -> None:
    baseline = made_baseline([made_case("a", {"queue": Unscored(reason="?")})])
    figures = recorded_metrics(baseline)["accuracy"]

    assert figures == Figures(value=None, scored=0, unscored=1)
    assert str(figures) == "nothing (n=0, 1 unscored)"
