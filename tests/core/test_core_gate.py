"""The decision for one metric: every step of GATE §2 that today's rule reaches, and every sentence it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gate_world import Sample, baseline, changed_scorer, given, observations, results, spec, suite, tolerance
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from pytest_promptgate.core.gate import GateInput
from pytest_promptgate.core.judgement import judge_all
from pytest_promptgate.core.types import (
    CaseChange,
    Completion,
    Errored,
    Measurement,
    MetricGate,
    Outcome,
    Skipped,
    Tolerance,
    ToolCall,
    Unscored,
    Verdict,
)

VECTORS = json.loads((Path(__file__).parent / "gate_vectors.json").read_text())["vectors"]
TEN = [f"c{number}" for number in range(10)]


def verdict(world: GateInput) -> Verdict:
    return judge_all(world)[0]


def told(world: GateInput) -> tuple[str, bool, str]:
    found = verdict(world)
    return str(found.outcome), found.red, found.reason


STRICT = [v for v in VECTORS if v["fn"] == "gate_metric" and v["input"]["config"]["rule"] == "strict"]


@pytest.mark.parametrize("vector", STRICT, ids=lambda v: v["name"])
def test_the_vectors_of_the_strict_rule_reproduce(vector: dict[str, Any]) -> None:
    config = vector["input"]["config"]
    metric = spec(lower=config.get("direction") == -1)
    gate = MetricGate(tolerance=tolerance(config.get("tolerance", 0.0)))

    found = verdict(given(vector["input"]["baseline"], vector["input"]["candidate"], metric=metric, gate=gate))

    assert str(found.outcome).replace("-", "_") == vector["expected"]["verdict"]
    assert found.red is not vector["expected"]["passed"]


def test_a_fall_is_told_with_numbers_cases_change_and_tolerance() -> None:
    before = {f"c{number}": [1.0 if number < 53 else 0.0] for number in range(60)}

    found = verdict(given(before, before | {"c7": [0.0]}))

    assert found.outcome is Outcome.REGRESSED
    assert found.red
    assert found.reason == "accuracy fell from 0.883 to 0.867 (n=60, change -0.017, tolerance 0)"
    assert found.change == pytest.approx(-1 / 60)
    assert found.worse == (
        CaseChange(
            case="c7",
            before=1.0,
            after=0.0,
            reason="not the expected queue",
            old_output="old answer to c7#1",
            new_output="new answer to c7#1",
            expected="billing",
        ),
    )
    assert found.better == ()


@pytest.mark.parametrize(
    ("before", "after", "amount", "expected"),
    [
        (1.0, 1.0, 0.0, ("unchanged", False, "accuracy is 1.000 as before (n=1)")),
        (0.5, 0.75, 0.0, ("improved", False, "accuracy rose from 0.500 to 0.750 (n=1, change +0.250, tolerance 0)")),
        (
            0.75,
            0.5,
            0.25,
            (
                "within-noise",
                False,
                "accuracy fell from 0.750 to 0.500 (n=1, change -0.250, within the tolerance 0.25)",
            ),
        ),
        (
            0.75,
            0.4,
            0.25,
            ("regressed", True, "accuracy fell from 0.750 to 0.400 (n=1, change -0.350, tolerance 0.25)"),
        ),
        (
            0.5,
            0.49998,
            0.0,
            ("regressed", True, "accuracy fell from 0.50000 to 0.49998 (n=1, change -0.00002, tolerance 0)"),
        ),
    ],
)
def test_every_comparison_has_its_sentence(
    before: float, after: float, amount: float, expected: tuple[str, bool, str]
) -> None:
    gate = MetricGate(tolerance=Tolerance(amount=amount))

    assert told(given({"a": [before]}, {"a": [after]}, gate=gate)) == expected


def test_where_lower_is_better_a_rise_is_red() -> None:
    world = given({"a": [200.0]}, {"a": [260.0]}, metric=spec(lower=True), gate=MetricGate(tolerance=tolerance("5%")))

    assert told(world) == (
        "regressed",
        True,
        "accuracy rose from 200.000 to 260.000 (n=1, change +60.000, tolerance 5%)",
    )


def test_an_ungated_metric_is_never_red() -> None:
    found = verdict(given({"a": [1.0]}, {"a": [0.0]}, gate=MetricGate(gated=False)))

    assert (found.outcome, found.gated, found.red) == (Outcome.REGRESSED, False, False)


def test_without_a_baseline_a_metric_is_new() -> None:
    world = given(None, {"a": [0.5], "b": [1.0]})

    assert told(world) == ("new", False, "accuracy is 0.750 (n=2): there is no baseline yet")
    assert verdict(world).baseline is None


def test_a_metric_that_the_baseline_does_not_know_is_new() -> None:
    world = given({"a": [1.0]}, {"a": [0.0]})
    other = replace(world.suite.metrics[0], name="again")

    found = judge_all(replace(world, suite=replace(world.suite, metrics=(other,))))[0]

    assert (found.outcome, found.red) == (Outcome.NEW, False)
    assert found.reason == "again is 0.000 (n=1): the baseline has no such metric"


@pytest.mark.parametrize("before", [None, {"a": [0.5]}])
def test_a_broken_floor_is_red_whatever_the_baseline(before: dict[str, list[float]] | None) -> None:
    world = given(before, {"a": [0.5]}, gate=MetricGate(floor=0.8))

    assert told(world) == ("regressed", True, "accuracy is 0.500, below its floor 0.800 (n=1)")


def test_a_ceiling_is_the_floor_of_what_should_be_low() -> None:
    world = given(None, {"a": [3.2]}, metric=spec(lower=True), gate=MetricGate(floor=3))

    assert told(world) == ("regressed", True, "accuracy is 3.200, above its ceiling 3.000 (n=1)")


@pytest.mark.parametrize(
    ("expression", "lower", "floor", "told_so"),
    [
        ("p95(queue)", True, 0.9, "accuracy is 1.000, above its ceiling 0.900 (n=3)"),
        ("min(queue)", False, 0.5, "accuracy is 0.000, below its floor 0.500 (n=3)"),
        ("total(queue)", True, 1.5, "accuracy is 2.000, above its ceiling 1.500 (n=3)"),
        ("f1(queue)", False, 0.9, "accuracy is 0.667, below its floor 0.900 (n=3)"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_floors_and_ceilings_hold_for_every_kind_of_metric_new_or_not(
    expression: str, lower: bool, floor: float, told_so: str, known: bool
) -> None:
    scores: dict[str, list[Any]] = {"a": [("x", "x")], "b": [("y", "x")], "c": [("y", "y")]}
    metric = spec(expression, lower=lower)

    world = given(scores if known else None, scores, metric=metric, gate=MetricGate(floor=floor))

    assert told(world) == ("regressed", True, told_so)


def test_a_floor_holds_where_no_selected_case_is_in_the_baseline() -> None:
    world = given({"a": [1.0]}, {"b": [0.5]}, gate=MetricGate(floor=0.8), selection=frozenset({"b"}))

    assert told(world) == ("regressed", True, "accuracy is 0.500, below its floor 0.800 (n=1)")


def test_a_floor_holds_where_every_case_was_replaced_and_that_was_accepted() -> None:
    world = replace(given({"a": [1.0]}, {"b": [0.5]}, gate=MetricGate(floor=0.8)), dataset_accepted=True)

    assert told(world) == ("regressed", True, "accuracy is 0.500, below its floor 0.800 (n=1)")


def test_a_value_on_its_floor_holds() -> None:
    assert told(given(None, {"a": [0.8]}, gate=MetricGate(floor=0.8 + 1e-12)))[1] is False


def test_too_few_of_the_baselines_cases_decide_nothing() -> None:
    before = {name: [1.0] for name in TEN}
    after = {name: [1.0] for name in TEN[:9]}

    assert told(given(before, after, rows={"c3": "edited"})) == (
        "inconclusive",
        True,
        (
            "accuracy cannot be judged: only 8 of 10 baseline cases can be compared"
            " (1 missing from this run, 1 edited), less than 90 %"
        ),
    )


def test_an_edited_row_leaves_the_pairs() -> None:
    before = {name: [1.0] for name in TEN}

    found = verdict(given(before, before | {"c3": [0.0]}, rows={"c3": "edited"}))

    assert found.outcome is Outcome.UNCHANGED
    assert found.reason == "accuracy is 1.000 as before (n=9)"


def test_a_partial_run_is_compared_inside_its_selection() -> None:
    before = {name: [1.0] for name in TEN}
    part = {name: [1.0] for name in TEN[:3]}

    assert told(given(before, part, selection=frozenset(part)))[0] == "unchanged"
    assert told(given(before, part))[0] == "inconclusive"


def test_a_selection_of_new_cases_has_nothing_to_compare_with() -> None:
    world = given({"a": [1.0]}, {"b": [0.5]}, selection=frozenset({"b"}))

    assert told(world) == (
        "new",
        False,
        "accuracy is 0.500 (n=1): none of the selected cases is in the baseline",
    )


def test_two_percent_without_a_score_are_allowed_and_leave_both_sides() -> None:
    before: dict[str, list[Sample]] = {f"c{number}": [1.0] for number in range(100)}
    lost: dict[str, list[Sample]] = {"c0": [Unscored(reason="refused")], "c1": [Errored(message="timed out")]}

    assert told(given(before, before | lost)) == ("unchanged", False, "accuracy is 1.000 as before (n=98)")


def test_more_than_two_percent_without_a_score_decide_nothing() -> None:
    before: dict[str, list[Sample]] = {f"c{number}": [1.0] for number in range(60)}
    lost: dict[str, list[Sample]] = {"c0": [Unscored(reason="refused")], "c1": [Errored(message="timed out")]}

    assert told(given(before, before | lost)) == (
        "inconclusive",
        True,
        "accuracy cannot be judged: 2 of 60 trials have no score (1 errored, 1 unscored), more than 2 %",
    )


def test_a_metric_that_nothing_scored_is_red_even_when_new() -> None:
    world = given(None, {"a": [Errored(message="openai: connection refused\n  Is the server up?")]})

    assert told(world) == (
        "inconclusive",
        True,
        "accuracy cannot be judged: openai: connection refused",
    )


def test_trials_that_nobody_asked_decide_nothing() -> None:
    before = {"a": [1.0], "b": [1.0]}

    assert told(given(before, before | {"b": [Skipped(reason="the budget ended")]})) == (
        "inconclusive",
        True,
        "accuracy cannot be judged: 1 of 2 trials were not asked: the budget ended",
    )


def test_a_case_without_any_result_decides_nothing() -> None:
    world = given({"a": [1.0], "b": [1.0]}, {"a": [1.0], "b": [1.0]})

    assert told(replace(world, results=world.results[:1])) == (
        "inconclusive",
        True,
        "accuracy cannot be judged: 1 of 2 trials were not asked",
    )


def test_a_changed_scorer_cannot_be_compared() -> None:
    assert told(changed_scorer(given({"a": [1.0]}, {"a": [1.0]}))) == (
        "incomparable",
        True,
        "accuracy cannot be compared: its scorer queue has changed since the baseline, "
        "whose answers are not at hand to be scored anew",
    )


def test_a_redefined_metric_cannot_be_compared() -> None:
    world = given({"a": [1.0]}, {"a": [1.0]}, metric=spec("min(queue)"))
    asked = replace(world, baseline=baseline(spec("mean(queue)"), observations({"a": [1.0]})))

    assert told(asked) == (
        "incomparable",
        True,
        "accuracy cannot be compared: it was mean(queue) in the baseline, and is min(queue) now",
    )


def test_another_model_makes_every_metric_incomparable() -> None:
    moved = Errored(message="openai/gpt-4o-2024-11-20: asked for it, answered by gpt-4o-2024-08-06", moved=True)
    before = {f"c{number}": [1.0] for number in range(100)}

    assert told(given(before, before | {"c0": [moved]})) == (
        "incomparable",
        True,
        "accuracy cannot be compared: openai/gpt-4o-2024-11-20: asked for it, answered by gpt-4o-2024-08-06",
    )


def test_a_baseline_without_prices_decides_nothing_when_gated_and_is_shown_when_not() -> None:
    metric = spec("total(cost_usd)", name="cost", lower=True)
    seen = observations({"a": [1.0]})
    priced = [replace(each, cost_usd=0.25) for each in seen]
    world = GateInput(suite=suite(metric, ["a"]), baseline=baseline(metric, seen), results=results(priced))

    assert told(world) == (
        "inconclusive",
        True,
        "cost cannot be judged: only 0 of 1 baseline cases can be compared (1 without a score), less than 90 %",
    )
    shown = replace(world, suite=suite(metric, ["a"], gate=MetricGate(gated=False)))
    assert told(shown) == (
        "new",
        False,
        "cost is 0.250 (n=1): it is shown only, and the baseline holds no values of it",
    )


def test_asking_each_case_twice_does_not_double_a_total() -> None:
    metric = spec("total(queue)", lower=True)

    assert told(given({"a": [3.0]}, {"a": [3.0, 3.0]}, metric=metric))[0] == "unchanged"


def test_changed_cases_come_worst_first_with_the_samples_that_show_it() -> None:
    before = {"a": [1.0, 1.0], "b": [1.0, 1.0], "c": [0.0, 0.0], "d": [1.0, 1.0]}
    after = {"a": [1.0, 0.0], "b": [0.0, 0.0], "c": [0.0, 1.0], "d": [1.0, 1.0]}

    found = verdict(given(before, after))

    assert [(each.case, each.before, each.after) for each in found.worse] == [("b", 1.0, 0.0), ("a", 1.0, 0.5)]
    assert found.worse[1].new_output == "new answer to a#2"
    assert [(each.case, each.new_output) for each in found.better] == [("c", "new answer to c#2")]


def test_label_metrics_show_the_cases_whose_label_turned_wrong() -> None:
    metric = spec("confusion(queue)", name="mixed_up", lower=True)
    before = {"a": [("billing", "billing")], "b": [("sales", "sales")]}
    after = {"a": [("sales", "billing")], "b": [("sales", "sales")]}

    found = verdict(given(before, after, metric=metric))

    assert found.outcome is Outcome.REGRESSED
    assert [(each.case, each.before, each.after, each.reason) for each in found.worse] == [
        ("a", 1.0, 0.0, "answered sales")
    ]
    assert isinstance(found.current, Measurement)
    assert found.current.detail == {"labels": ["billing", "sales"], "matrix": [[0, 1], [0, 1]]}


def test_an_answer_that_is_not_at_hand_is_shown_as_none_and_tool_calls_as_calls() -> None:
    world = given({"a": [1.0], "b": [1.0]}, {"a": [0.0], "b": [0.0]})
    call = Completion(text="", tool_calls=(ToolCall(name="refund", arguments='{"id": 7}'),))
    seen = [replace(world.results[0], completion=None), replace(world.results[1], completion=call)]

    found = verdict(replace(world, results=seen))

    assert [each.new_output for each in found.worse] == [None, 'refund({"id": 7})']


def test_all_metrics_of_a_suite_are_judged_in_its_order() -> None:
    world = given({"a": [1.0]}, {"a": [0.0]})
    again = replace(world.suite.metrics[0], name="again")
    both = replace(world, suite=replace(world.suite, metrics=(again, *world.suite.metrics)))

    assert [each.metric for each in judge_all(both)] == ["again", "accuracy"]


SCORES = st.dictionaries(
    st.sampled_from(TEN), st.lists(st.sampled_from([0.0, 0.3, 0.7, 1.0]), min_size=1, max_size=3), min_size=1
)
RANK = [
    Outcome.REGRESSED,
    Outcome.WITHIN_NOISE,
    Outcome.UNCHANGED,
    Outcome.IMPROVED,
]


@settings(max_examples=60, deadline=None)
@drawn(SCORES)
def test_equal_answers_are_unchanged(scores: dict[str, list[float]]) -> None:
    width = max(map(len, scores.values()))
    whole = {name: (each * width)[:width] for name, each in scores.items()}

    assert verdict(given(whole, whole)).outcome is Outcome.UNCHANGED


@settings(max_examples=80, deadline=None)
@drawn(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=10), st.data())
def test_a_worse_case_never_improves_the_verdict(pairs: list[tuple[float, float]], data: st.DataObject) -> None:
    before = {name: [old] for name, (old, _) in zip(TEN, pairs, strict=False)}
    after = {name: [new] for name, (_, new) in zip(TEN, pairs, strict=False)}
    victim = data.draw(st.sampled_from(sorted(after)))
    lower = after | {victim: [data.draw(st.floats(0, after[victim][0]))]}
    gate = MetricGate(tolerance=Tolerance(amount=0.05))

    first, second = (verdict(given(before, each, gate=gate)).outcome for each in (after, lower))

    assert RANK.index(second) <= RANK.index(first)


@settings(max_examples=40, deadline=None)
@drawn(st.permutations(range(10)), st.lists(st.floats(0, 1), min_size=10, max_size=10))
def test_the_order_of_results_changes_nothing(order: list[int], scores: list[float]) -> None:
    before = {name: [0.5] for name in TEN}
    world = given(before, {name: [score] for name, score in zip(TEN, scores, strict=True)})
    shuffled = replace(world, results=[world.results[index] for index in order])

    assert verdict(shuffled) == verdict(world)
