"""What a run is held against when production was asked in the same run."""

from __future__ import annotations

from dataclasses import replace

import gate_world as world
import pytest

from pytest_promptgate.core.control import (
    gated_latencies,
    held_against,
    held_metrics,
    shift_text,
    shifts,
    unanswered,
)
from pytest_promptgate.core.types import Control, Errored, MetricGate, Shift, Skipped, Suite

ALL = frozenset({"accuracy"})
STORED = {"a": [1.0], "b": [1.0], "gone": [1.0]}
TODAY = {"a": [1.0], "b": [0.0]}


def control(samples: world.Samples, **changes: object) -> Control:
    known = Control(prompt="triage@v1", metrics=ALL, results=tuple(world.results(world.observations(samples))))
    return replace(known, **changes)  # type: ignore[arg-type]


def suite() -> Suite:
    return world.suite(world.spec(), [*TODAY])


def test_answers_of_this_run_take_the_place_of_the_stored_ones_and_other_cases_stay() -> None:
    baseline = world.baseline(world.spec(), world.observations(STORED))

    held = held_against(baseline, control(TODAY), suite())

    assert held.cases["gone"] is baseline.cases["gone"]
    values = {name: [each.grades["queue"] for each in held.cases[name].observations] for name in ("a", "b")}
    assert values == {name: [world.grade(each) for each in samples] for name, samples in TODAY.items()}


def test_a_control_for_timing_lends_its_latencies_alone() -> None:
    baseline = world.baseline(world.spec(), world.observations(STORED))
    answers = tuple(
        replace(each, observation=replace(each.observation, latency_s=2.0))
        for each in world.results(world.observations(TODAY))
    )

    held = held_against(baseline, Control(prompt="triage@v1", metrics=ALL, timing=True, results=answers), suite())

    timed = replace(baseline.cases["b"].observations[0], latency_s=2.0)
    assert held.cases["b"].observations == (timed,)
    assert held.cases["gone"] is baseline.cases["gone"]
    assert held.outputs == baseline.outputs


def test_latencies_count_as_gated_only_if_a_gate_reads_them() -> None:
    slow = world.spec("p95(latency_s)", name="slow", lower=True)
    shown = world.spec("max(latency_s)", name="shown", lower=True)
    timed = replace(
        suite(),
        metrics=(*suite().metrics, slow, shown),
        gates={**suite().gates, "slow": MetricGate(), "shown": MetricGate(gated=False)},
    )

    assert gated_latencies(timed) == ("slow",)
    assert held_metrics(timed, timing=True) == {"slow", "shown"}
    assert held_metrics(timed, timing=False) == {"accuracy", "slow", "shown"}


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ({f"c-{number}": [1.0] for number in range(50)}, ""),
        ({"bad": [Errored(message="boom\n  a hint")], **{f"c-{number}": [1.0] for number in range(49)}}, ""),
        (
            {"bad": [Errored(message="boom\n  a hint")], "good": [1.0]},
            "production could not answer 1 of 2 trials, more than 2 %: boom",
        ),
        (
            {"bad": [Skipped(reason="the budget is spent")], **{f"c-{number}": [1.0] for number in range(99)}},
            "production was not asked 1 of 100 trials: the budget is spent",
        ),
    ],
)
def test_too_few_answers_of_production_are_told(samples: world.Samples, told: str) -> None:
    assert unanswered(control(samples)) == told


def test_a_control_that_could_not_be_asked_says_why() -> None:
    assert unanswered(control({}, missing="its prompt is gone")) == "its prompt is gone"


def test_where_production_moved_is_told_on_the_cases_that_both_have() -> None:
    found = list(
        shifts(control(TODAY), world.baseline(world.spec(), world.observations(STORED)), suite(), aggregates={})
    )

    assert found == [Shift(metric="accuracy", recorded=1.0, now=0.5)]


def test_a_shift_says_both_numbers_and_their_difference() -> None:
    assert shift_text(Shift(metric="accuracy", recorded=0.9, now=0.84)) == (
        "accuracy: stored baseline 0.900, control 0.840: the provider has moved by -0.060"
    )
    assert shift_text(Shift(metric="cost", recorded=0.2, now=0.25)) == (
        "cost: stored baseline 0.200, control 0.250: the provider has moved by +0.050"
    )
