"""Metrics: one number each, books that add up, and nothing that turns a missing score into a zero."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gate_world import Sample, observations, spec
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from pytest_promptgate.core.aggregates import argument_fault, is_per_case, known_arguments, quantile
from pytest_promptgate.core.metrics import OBSERVABLES, direction_of, known_aggregates, measure, needs_labels
from pytest_promptgate.core.types import (
    Books,
    Direction,
    Errored,
    Measurement,
    Observation,
    Score,
    Skipped,
    Unmeasured,
    Unscored,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VECTORS = json.loads((Path(__file__).parent / "gate_vectors.json").read_text())["vectors"]
FOUR: Mapping[str, Sequence[Sample]] = {"a": [1.0], "b": [0.5], "c": [0.0], "d": [0.75]}
LABELS: Mapping[str, Sequence[Sample]] = {
    "a": [("billing", "billing")],
    "b": [("billing", "sales")],
    "c": [("sales", "sales")],
    "d": [("no idea", "sales")],
}


def value(expression: str, samples: Mapping[str, Sequence[Sample]]) -> float:
    measured = measure(spec(expression), observations(samples))
    assert isinstance(measured, Measurement)
    return measured.value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("mean(queue)", 0.5625),
        ("min(queue)", 0.0),
        ("max(queue)", 1.0),
        ("median(queue)", 0.625),
        ("p50(queue)", 0.625),
        ("p25(queue)", 0.375),
        ("p99(queue)", 0.9925),
        ("total(queue)", 2.25),
        ("rate(queue)", 0.25),
        ("rate(queue, at=0.5)", 0.75),
    ],
)
def test_every_aggregate_of_values(expression: str, expected: float) -> None:
    metric = spec(expression)
    metric = replace(metric, arguments={key: float(str(each)) for key, each in metric.arguments.items()})

    measured = measure(metric, observations(FOUR))

    assert isinstance(measured, Measurement)
    assert measured.value == pytest.approx(expected)


def test_a_case_counts_once_in_a_mean_however_often_it_was_asked() -> None:
    samples: Mapping[str, Sequence[Sample]] = {"a": [1.0, 1.0, 1.0], "b": [0.0]}

    assert value("mean(queue)", samples) == 0.5
    assert value("rate(queue)", samples) == 0.5
    assert value("total(queue)", samples) == 3.0
    assert (is_per_case("mean"), is_per_case("total")) == (True, False)


# Reference values: scikit-learn 1.7, zero_division=0, labels=["billing", "sales"].
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("precision(queue)", (1 / 2 + 1 / 1) / 2),
        ("recall(queue)", (1 / 1 + 1 / 3) / 2),
        ("f1(queue)", (2 / 3 + 1 / 2) / 2),
        ("precision(queue, average=micro)", 0.5),
        ("f1(queue, average=micro)", 0.5),
        ("precision(queue, label=billing)", 0.5),
        ("recall(queue, label=sales)", 1 / 3),
        ("f1(queue, label=sales)", 0.5),
        ("confusion(queue)", 0.5),
    ],
)
def test_every_aggregate_of_labels(expression: str, expected: float) -> None:
    assert value(expression, LABELS) == pytest.approx(expected)


def test_a_label_that_is_never_answered_has_precision_zero() -> None:
    assert value("precision(queue, label=sales)", {"a": [("billing", "sales")]}) == 0.0


def test_a_label_that_no_case_expects_measures_nothing() -> None:
    measured = measure(spec("f1(queue, label=biling)"), observations(LABELS))

    assert isinstance(measured, Unmeasured)
    assert measured.reason == "no case expects the label 'biling'; expected are billing, sales"


def test_the_confusion_matrix_folds_answers_that_no_case_expects() -> None:
    measured = measure(spec("confusion(queue)"), observations(LABELS))

    assert isinstance(measured, Measurement)
    assert measured.detail == {
        "labels": ["billing", "sales", "(other)"],
        "matrix": [[1, 0, 0], [1, 1, 1], [0, 0, 0]],
    }


def test_scores_without_labels_are_unscored_for_label_metrics() -> None:
    measured = measure(spec("f1(queue)"), observations({"a": [1.0]}))

    assert isinstance(measured, Unmeasured)
    assert measured.reason == "queue gave no labels"
    assert measured.books == Books(unscored=1)


def test_the_books_hold_every_trial_once() -> None:
    samples: Mapping[str, Sequence[Sample]] = {
        "a": [1.0, Unscored(reason="off the menu")],
        "b": [Errored(message="timed out")],
        "c": [Skipped(reason="stopped")],
    }

    measured = measure(spec(), observations(samples))

    assert measured.books == Books(scored=1, unscored=1, errored=1, skipped=1)
    assert measured.books.planned == 4


def test_nothing_scored_is_no_number_and_says_the_commonest_reason() -> None:
    samples: Mapping[str, Sequence[Sample]] = {
        "a": [Errored(message="connection refused\n  Start it.")],
        "b": [Errored(message="connection refused\n  Start it.")],
        "c": [Unscored(reason="off the menu")],
    }

    assert measure(spec(), observations(samples)) == Unmeasured(
        metric="accuracy",
        reason="connection refused",
        books=Books(errored=2, unscored=1),
        direction=Direction.HIGHER,
    )
    empty = measure(spec(), [])
    assert isinstance(empty, Unmeasured)
    assert empty.reason == "there was nothing to score"


def test_a_scorer_that_did_not_run_leaves_its_trial_unscored() -> None:
    measured = measure(spec("mean(tone)"), observations({"a": [1.0]}))

    assert isinstance(measured, Unmeasured)
    assert measured.reason == "tone did not score this trial"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("cost_usd", 0.25),
        ("latency_s", 1.5),
        ("tokens_in", 7),
        ("tokens_out", 3),
        ("tokens_cached", 2),
        ("tokens_total", 10),
    ],
)
def test_every_observable_is_measured_without_a_scorer(source: str, expected: float) -> None:
    seen = Observation(
        case="a", sample=1, grades={}, tokens_in=7, tokens_out=3, tokens_cached=2, cost_usd=0.25, latency_s=1.5
    )

    measured = measure(spec(f"total({source})"), [seen])

    assert isinstance(measured, Measurement)
    assert measured.value == expected
    assert source in OBSERVABLES


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("cost_usd", "the cost is not known: no price for this model, or its tokens were not counted"),
        ("latency_s", "the latency was not measured"),
        ("tokens_total", "the tokens were not counted"),
    ],
)
def test_what_was_not_observed_is_unscored_and_never_zero(source: str, reason: str) -> None:
    measured = measure(spec(f"total({source})"), observations({"a": [1.0]}))

    assert isinstance(measured, Unmeasured)
    assert (measured.reason, measured.books) == (reason, Books(unscored=1))


@pytest.mark.parametrize(
    ("grade", "books"),
    [(Errored(message="timed out"), Books(errored=1)), (Skipped(reason="stopped"), Books(skipped=1))],
)
def test_a_trial_without_an_answer_is_booked_alike_for_scores_and_costs(grade: Sample, books: Books) -> None:
    seen = [replace(each, output="") for each in observations({"a": [grade]})]

    assert measure(spec("total(cost_usd)"), seen).books == books


def test_an_aggregate_of_a_plugin_gets_the_values_in_trial_order() -> None:
    got: list[float] = []

    def last(values: Sequence[float]) -> float:
        got.extend(values)
        return values[-1]

    measured = measure(spec("last(queue)"), observations(FOUR), aggregates={"last": last})

    assert isinstance(measured, Measurement)
    assert (measured.value, got) == (0.75, [1.0, 0.5, 0.0, 0.75])


def test_an_aggregate_that_raises_or_returns_no_number_measures_nothing() -> None:
    def broken(values: Sequence[float]) -> float:
        return values[0] / 0

    def endless(_values: Sequence[float]) -> float:
        return math.inf

    seen = observations({"a": [1.0]})
    found = [
        measure(spec("broken(queue)"), seen, aggregates={"broken": broken}),
        measure(spec("endless(queue)"), seen, aggregates={"endless": endless}),
        measure(spec("absent(queue)"), seen),
    ]

    assert [each.reason for each in found if isinstance(each, Unmeasured)] == [
        "the aggregate broken raised ZeroDivisionError: float division by zero",
        "the aggregate endless returned inf, not a finite number",
        "there is no aggregate 'absent'",
    ]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["fn"] == "quantile"], ids=lambda v: v["id"])
def test_the_quantile_vectors_reproduce(vector: dict[str, dict[str, list[float]]]) -> None:
    given = vector["input"]

    assert quantile(given["x"], float(str(given["q"]))) == pytest.approx(vector["expected"], abs=1e-9)


def test_the_names_and_arguments_of_the_built_in_aggregates() -> None:
    names = known_aggregates()

    assert {"mean", "min", "max", "median", "p50", "p95", "p99", "total", "rate"} <= names
    assert {name for name in names if needs_labels(name)} == {"precision", "recall", "f1", "confusion"}
    assert {name: known_arguments(name) for name in ("rate", "f1", "mean")} == {
        "rate": {"at"},
        "f1": {"label", "average"},
        "mean": set(),
    }


@pytest.mark.parametrize(
    ("aggregate", "name", "given", "fault"),
    [
        ("rate", "at", 0.5, ""),
        ("rate", "at", "high", "at must be a number, not 'high'"),
        ("f1", "average", "macro", ""),
        ("f1", "average", "weighted", "average must be macro or micro, not 'weighted'"),
        ("f1", "label", None, "label must be a label, not None"),
        ("mean", "at", 0.5, "mean takes no argument 'at'"),
    ],
)
def test_arguments_are_checked(aggregate: str, name: str, given: float | str | None, fault: str) -> None:
    assert argument_fault(aggregate, name, given) == fault


def test_which_way_is_better() -> None:
    scorers = {"distance": Direction.LOWER}

    assert direction_of("mean", "cost_usd", scorers) is Direction.LOWER
    assert direction_of("mean", "distance", scorers) is Direction.LOWER
    assert direction_of("confusion", "queue", scorers) is Direction.LOWER
    assert direction_of("f1", "distance", scorers) is Direction.HIGHER
    assert direction_of("mean", "queue", scorers) is Direction.HIGHER


@settings(max_examples=60, deadline=None)
@drawn(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
    st.sampled_from(sorted(known_aggregates())),
)
def test_the_order_of_trials_changes_no_built_in_metric(scores: list[float], chance: object, aggregate: str) -> None:
    samples = [Score(value=each, labels=(str(each > 0.3), str(each > 0.5))) for each in scores]
    seen = observations({f"c{number}": [each] for number, each in enumerate(samples)})
    shuffled = list(seen)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert measure(spec(f"{aggregate}(queue)"), shuffled) == measure(spec(f"{aggregate}(queue)"), seen)
