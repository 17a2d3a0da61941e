"""A failure that is certain: never contradicted by the full run, and found as soon as there is one."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

import pytest
from gate_world import PIN, given, spec
from stopping_worlds import in_two_orders, is_lossless, watched, world

from pytest_promptgate.core.certainty import Stopped
from pytest_promptgate.core.gate import Course, GateInput
from pytest_promptgate.core.plan import Plan
from pytest_promptgate.core.types import (
    GatePolicy,
    MetricGate,
    MustPass,
    Outcome,
    Part,
    Score,
    Tolerance,
    Unscored,
)
from pytest_promptgate.workflows.watch import Watch


def test_a_stop_never_contradicts_the_full_run_in_any_order() -> None:
    chance = random.Random(20261123)
    stopped: Counter[str] = Counter()
    for _ in range(250):
        full = world(chance)
        for each in in_two_orders(full, chance):
            assert each.same, (full.suite.rule, each)
            stopped[full.suite.rule] += each.stopped and each.used < 1

    assert min(stopped.values()) > 10, stopped


def test_under_strict_every_drop_is_certain_at_the_last_answer_or_before() -> None:
    chance = random.Random(7)
    for _ in range(100):
        full = world(chance, rule="strict")
        if is_lossless(full) and full.suite.metrics[0].aggregate != "total":
            found = watched(full)
            assert found.stopped is (found.full.outcome is Outcome.REGRESSED)


def watch_of(full: GateInput, *, must_pass: frozenset[str] = frozenset(), gated: bool = True) -> Watch:
    plan = Plan(suite=full.suite, slot="default", pin=PIN, trials=tuple(each.trial for each in full.results))
    metrics = frozenset(each.name for each in full.suite.judged) if gated else frozenset()
    return Watch(plan, replace(full, results=()), metrics=metrics, must_pass=must_pass)


def run(full: GateInput, **options: frozenset[str]) -> Stopped | None:
    watch = watch_of(full, **options)  # type: ignore[arg-type]  # a test's options
    for each in full.results:
        watch.see(each)
    return watch.stopped


def samples(*values: float) -> dict[str, list[float]]:
    return {f"c-{at}": [value] for at, value in enumerate(values)}


def test_the_reason_says_how_far_the_run_was_and_what_is_certain() -> None:
    stopped = run(given(samples(1, 1, 1, 1, 0), samples(0, 0, 1, 1, 1)))

    assert stopped == Stopped(
        why="accuracy is certain to fail, after 2 of 5 cases",
        certain={
            "accuracy": (
                "accuracy falls from 0.800 to 0.600 at best (n=5, tolerance 0): "
                "certain after 2 of 5 cases, even if all others pass"
            )
        },
    )


def test_costs_have_no_upper_limit_and_stop_when_they_are_spent() -> None:
    costs = spec("total(queue)", name="cost", lower=True)

    stopped = run(given(samples(0.25, 0.25, 0.5), samples(0.5, 0.75, 0.0), metric=costs))

    assert stopped is not None
    assert stopped.certain["cost"] == (
        "cost rises from 1.000 to 1.250 at best (n=3, tolerance 0): certain after 2 of 3 cases, even if all others score 0"
    )


def test_a_floor_needs_no_baseline() -> None:
    stopped = run(given(None, samples(0, 0, 1, 1), gate=MetricGate(floor=0.9)))

    assert stopped is not None
    assert stopped.certain["accuracy"] == (
        "accuracy is 0.750 at best, below its floor 0.900: certain after 1 of 4 cases, even if all others pass"
    )


USUAL = GatePolicy()


def ruled(full: GateInput, rule: str, policy: GatePolicy = USUAL, *, family: int = 1) -> GateInput:
    return replace(full, suite=replace(full.suite, rule=rule, policy=policy), course=Course(family=family))


def test_confirm_and_non_inferior_are_never_certain_but_of_a_floor() -> None:
    full = given(samples(*[1] * 30), samples(*[0] * 30))
    low = given(samples(*[1] * 30), samples(*[0] * 30), gate=MetricGate(floor=0.5))

    assert run(ruled(full, "confirm")) is None
    assert run(ruled(full, "non_inferior")) is None
    assert run(ruled(low, "confirm")) is not None


def test_significant_takes_the_smallest_share_of_the_level() -> None:
    full = given(samples(*[1] * 12), samples(*[0] * 6, *[1] * 6))
    policy = GatePolicy(max_drop=None)

    alone, among = run(ruled(full, "significant", policy)), run(ruled(full, "significant", policy, family=8))

    assert alone is not None
    assert alone.certain["accuracy"] == (
        "accuracy falls from 1.000 to 0.583 at best (n=12, tolerance 0): certain after 5 of 12 cases, "
        "even if all others pass; which luck does not explain"
    )
    assert among is None


def test_a_large_drop_is_certain_without_a_proof() -> None:
    stopped = run(ruled(given(samples(1, 1, 1, 1), samples(0, 1, 1, 1)), "significant"))

    assert stopped is not None
    assert stopped.certain["accuracy"].endswith("even if all others pass; a drop this large needs no proof")


@pytest.mark.parametrize("expression", ["median(queue)", "min(queue)", "p95(queue)"])
def test_metrics_without_a_sound_bound_never_stop(expression: str) -> None:
    assert run(given(samples(1, 1, 1), samples(0, 0, 0), metric=spec(expression))) is None


def test_a_score_beyond_1_takes_the_bound_away() -> None:
    assert run(given(samples(5, 1, 1), samples(0, 0, 0))) is None
    assert run(given(samples(1, 1, 1), samples(2, 0, 0))) is None


def test_a_slice_ends_its_suite_too() -> None:
    full = given(samples(1, 1, 1, 1), samples(0, 1, 1, 1), gate=MetricGate(tolerance=Tolerance(amount=0.5)))
    whole = full.suite.metrics[0]
    part = replace(whole, name="accuracy[language=de]", part=Part(name="language=de", cases=frozenset({"c-0", "c-1"})))
    gates = {**full.suite.gates, part.name: MetricGate()}

    stopped = run(replace(full, suite=replace(full.suite, parts=(part,), gates=gates)))

    assert stopped is not None
    assert [*stopped.certain] == ["accuracy[language=de]"]


def test_a_case_that_must_pass_ends_its_suite_with_no_gate_judged() -> None:
    full = given(None, {"c-0": [1.0], "c-1": [0.0], "c-2": [1.0]})
    rule = MustPass(cases=frozenset({"c-1"}), scorers=("queue",))
    full = replace(full, suite=replace(full.suite, must_pass=(rule,)))

    assert run(full) is None, "its item was not selected"
    assert run(full, must_pass=frozenset({"c-1"})) == Stopped(why="c-1 must pass and did not, after 2 of 3 cases")


def test_a_case_that_must_pass_and_could_not_be_scored_ends_it_too() -> None:
    full = given(None, {"c-0": [Unscored(reason="?")], "c-1": [Score(value=1.0)]})
    rule = MustPass(cases=frozenset({"c-0"}), scorers=("queue",))

    stopped = run(replace(full, suite=replace(full.suite, must_pass=(rule,))), must_pass=frozenset({"c-0"}))

    assert stopped == Stopped(why="c-0 must pass and did not, after 1 of 2 cases")


def test_cases_that_failed_before_come_first() -> None:
    watch = watch_of(given(samples(1, 0, 1, 0), samples(1, 1, 1, 1)))

    assert sorted(watch.ranks, key=lambda case: (watch.ranks[case], case)) == ["c-1", "c-3", "c-0", "c-2"]


def test_where_evidence_is_read_case_by_case_the_order_knows_nothing_of_the_baseline() -> None:
    policy = GatePolicy(early_stop="e")
    orders = {
        tuple(sorted(ranks, key=lambda case: ranks[case]))
        for old in (samples(1, 0, 1, 0), samples(0, 1, 0, 1), samples(1, 1, 0, 0))
        for ranks in [watch_of(ruled(given(old, samples(1, 1, 1, 1)), "significant", policy)).ranks]
    }

    assert len(orders) == 1


def test_evidence_case_by_case_stops_and_says_what_it_saw() -> None:
    full = given(samples(*[1, 0] * 30), samples(*[0] * 60))
    forward = ruled(full, "significant", GatePolicy(early_stop="e", max_drop=None))

    found = watched(forward)

    told = "0 better: luck alone looks so bad at some point in fewer than 1 of 100 runs"
    assert re.fullmatch(rf"accuracy fell: of the first \d+ cases \d+ were worse and {told}", found.why)
    assert found.full.reason.endswith(told)
    assert found.used < 0.5


def test_an_early_answer_waits_for_its_turn() -> None:
    full = ruled(given(samples(*[1, 0] * 30), samples(*[0] * 60)), "significant", GatePolicy(early_stop="e"))
    first = min(watch_of(full).ranks.items(), key=lambda each: each[1])[0]
    watch = watch_of(full)
    for each in full.results[:35]:
        if each.trial.case.id != first:
            watch.see(each)

    assert watch.stopped is None
