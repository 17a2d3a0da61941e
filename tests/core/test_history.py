"""Entries of the history, the curves they make, and what is marked on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import fakes
import gate_world
import pytest

from pytest_promptgate.core.history import Entry, Point, Series, curves, entry_of, incomplete, read, written
from pytest_promptgate.core.sparkline import ASCII, sparkline
from pytest_promptgate.core.spread import mean_interval
from pytest_promptgate.core.types import (
    Books,
    Differences,
    Direction,
    Json,
    Measurement,
    Observation,
    Origin,
    Outcome,
    Report,
    Result,
    Score,
    Verdict,
)

ENTRY = Entry(
    suite="triage",
    slot="default",
    series=Series.BASELINE,
    at="2026-11-01T02:00:00Z",
    commit="1f3c",
    prompt="triage@v1",
    model="openai/gpt-4o-2024-11-20",
    served=("gpt-4o-2024-11-20",),
    metrics={"accuracy": Point(value=0.9, n=10, interval=(0.7, 1.0), verdict="unchanged")},
)


def at(day: int, value: float = 0.9, **changes: object) -> Entry:
    """A later entry."""
    found = replace(ENTRY, at=f"2026-11-{day:02}T02:00:00Z", metrics={"accuracy": Point(value=value, n=10)})
    return replace(found, **changes)  # type: ignore[arg-type]


def report(scores: list[float], **changes: object) -> Report:
    """A complete run of one suite, one case per score."""
    cases = [fakes.case(f"c{number}") for number in range(len(scores))]
    suite = fakes.suite(cases)
    source = suite.metrics[0].source
    results = tuple(
        Result(
            trial=trial,
            origin=Origin.ASKED,
            completion=replace(fakes.completion("x"), served_model="m-1"),
            observation=Observation(case=trial.case.id, sample=1, grades={source: Score(value=score)}),
        )
        for trial, score in zip(fakes.planned(suite).trials, scores, strict=True)
    )
    measured = Measurement(
        metric="accuracy",
        value=sum(scores) / len(scores),
        books=Books(scored=len(scores)),
        direction=Direction.HIGHER,
    )
    verdict = Verdict(
        metric="accuracy",
        outcome=Outcome.UNCHANGED,
        reason="",
        gated=True,
        red=False,
        baseline=None,
        current=measured,
    )
    found = Report(
        suite=suite,
        slot="default",
        pin=fakes.PIN,
        results=results,
        measurements=(measured,),
        verdicts=(verdict,),
        differences=Differences(accepted=("accuracy: fewer examples",)),
        baseline=None,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def test_an_entry_holds_what_a_curve_needs() -> None:
    entry = entry_of(report([1, 1, 0, 1]), series=Series.DRIFT, at="2026-11-23T02:00:07Z", commit="1f3c")

    assert (entry.suite, entry.slot, entry.series, entry.at) == ("fake", "default", "drift", "2026-11-23T02:00:07Z")
    assert entry.served == ("m-1",)
    assert entry.accepted == ("accuracy: fewer examples",)
    point = entry.metrics["accuracy"]
    assert (point.value, point.n, point.verdict) == (0.75, 4, "unchanged")
    assert point.interval == pytest.approx((0.3006, 0.9544), abs=1e-4)  # Wilson, 3 of 4


def test_a_mean_of_other_than_zeros_and_ones_goes_by_the_spread_of_its_cases() -> None:
    found = report([0.2, 0.4, 0.6, 0.8])

    # sd 0.2582, se 0.1291, 1.96 of them
    assert mean_interval(found.suite.metrics[0], found.results) == pytest.approx((0.2470, 0.7530), abs=1e-4)


def test_other_metrics_and_single_cases_have_no_interval() -> None:
    found = report([0.5])

    assert mean_interval(found.suite.metrics[0], found.results) is None
    assert mean_interval(gate_world.spec("p95(queue)"), report([1, 0]).results) is None


def test_what_was_written_reads_back_equal() -> None:
    assert read(written(ENTRY)) == ENTRY
    assert read(written(at(2))) == at(2)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"history_version": 2}, "history_version is 2, and this is known: 1"),
        ({"history_version": None}, "history_version is None, and this is known: 1"),
        ({"metrics": []}, "it lacks something, or has it otherwise: 'metrics'"),
        ({"suite": 1}, "it lacks something, or has it otherwise: 'suite'"),
        ({"accepted": "x"}, "it lacks something, or has it otherwise: 'accepted'"),
        ({"metrics": {"a": {"value": "x", "n": 1}}}, "it lacks something, or has it otherwise: a number"),
        ({"series": "other"}, "'other' is not a valid Series"),
    ],
)
def test_a_line_that_is_no_entry_says_why(change: dict[str, Json], text: str) -> None:
    value = written(ENTRY)
    assert isinstance(value, Mapping)

    with pytest.raises(ValueError) as caught:
        read({**value, **change})

    assert str(caught.value) == text


def test_a_value_that_is_no_object_says_so() -> None:
    with pytest.raises(ValueError, match=r"\Ait is no JSON object\Z"):
        read([])


def test_curves_go_by_suite_slot_and_series_whatever_the_order_of_the_lines() -> None:
    drift = at(3, series=Series.DRIFT)

    found = curves([at(5), drift, at(2), at(2), ENTRY])

    assert [(each.series, [entry.at[:10] for entry in each.entries]) for each in found] == [
        ("baseline", ["2026-11-01", "2026-11-02", "2026-11-05"]),
        ("drift", ["2026-11-03"]),
    ]


def test_prompts_models_and_accepted_regressions_are_marked() -> None:
    entries = [
        at(1),
        at(2, prompt="triage@v2"),
        at(3, prompt="triage@v2", model="openai/other-1", served=("other-1",)),
        at(4, prompt="triage@v2", model="openai/other-1", served=("other-1",), accepted=("accuracy: shorter",)),
        at(5, prompt="triage@v2", model="openai/other-1", served=("other-1",), accepted=("accuracy: shorter",)),
    ]

    assert curves(entries)[0].marks() == (
        ("2026-11-02T02:00:00Z", "prompt triage@v1 -> triage@v2"),
        ("2026-11-03T02:00:00Z", "model openai/gpt-4o-2024-11-20 -> openai/other-1"),
        ("2026-11-03T02:00:00Z", "served by gpt-4o-2024-11-20 -> other-1"),
        ("2026-11-04T02:00:00Z", "accepted: accuracy: shorter"),
    )


def test_a_run_that_is_not_complete_is_no_point() -> None:
    books = Books(scored=1, errored=1)
    measured = Measurement(metric="accuracy", value=1.0, books=books, direction=Direction.HIGHER)

    assert incomplete(report([1, 0])) == ""
    assert incomplete(report([1, 0], partial="smoke tier: 2 of 9 cases")) == "smoke tier: 2 of 9 cases"
    assert incomplete(report([1, 0], measurements=(measured,))) == "not every case was answered and scored"


@pytest.mark.parametrize(
    ("values", "text"),
    [([], ""), ([0.5], "▄"), ([1, 1], "▄▄"), ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"), ([0] * 50 + [1], "▁" * 39 + "█")],
)
def test_a_curve_in_one_line(values: list[float], text: str) -> None:
    assert sparkline(values) == text


def test_a_curve_in_ascii() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], marks=ASCII) == "_.,-=+*#"
