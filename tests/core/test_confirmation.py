"""Which cases are asked again, and how often (GATE §4, DECISIONS 9)."""

from __future__ import annotations

import pytest

from pytest_promptgate.core.arms import Arms, Statistic
from pytest_promptgate.core.confirmation import Arm, Retried, retrial
from pytest_promptgate.core.types import Observation


def arms(before: list[float], after: list[float], *, prefix: str = "c") -> Arms:
    return Arms(
        cases=tuple(f"{prefix}{at}" for at in range(len(before))),
        before=tuple((each,) for each in before),
        after=tuple((each,) for each in after),
    )


def test_cases_that_moved_are_asked_again_in_both_directions() -> None:
    found = retrial([arms([1, 1, 0, 0, 1], [0, 1, 1, 0, 0])], most_calls=600)

    assert found.cases == ("c0", "c2", "c4")


def test_cases_of_all_metrics_that_are_lower_are_asked_together() -> None:
    lower = [arms([1, 1, 1], [0, 1, 1]), arms([0.9, 0.9, 0.9], [0.9, 0.9, 0.2])]

    assert retrial(lower, most_calls=600).cases == ("c0", "c2")


@pytest.mark.parametrize(
    ("moved", "budget", "prompts", "samples"),
    [
        (2, 600, 2, 8),  # never more than eight
        (10, 120, 2, 6),
        (10, 79, 2, 3),  # 3.95 rounds down
        (10, 120, 3, 4),  # a third arm shares the budget
        (1, 6, 2, 3),
    ],
)
def test_the_budget_decides_how_often(moved: int, budget: int, prompts: int, samples: int) -> None:
    found = retrial([arms([1.0] * moved, [0.0] * moved)], most_calls=budget, arms=prompts)

    assert (len(found.cases), found.samples) == (moved, samples)
    assert found.calls(prompts) <= budget


def test_a_suite_may_ask_for_fewer_samples() -> None:
    assert retrial([arms([1], [0])], most_calls=600, most_samples=5).samples == 5


def test_a_small_budget_takes_those_that_moved_most_three_times() -> None:
    found = retrial([arms([1, 1, 1, 0], [0.9, 0.1, 0.5, 0.8])], most_calls=12)

    assert (found.cases, found.samples) == (("c1", "c3"), 3)


def test_moves_count_by_the_share_of_their_metrics_largest() -> None:
    cost = arms([-100.0, -100.0], [-110.0, -200.0], prefix="x")
    score = arms([1.0, 1.0], [0.7, 0.9], prefix="y")

    assert retrial([cost, score], most_calls=12).cases == ("x1", "y0")


def test_a_budget_for_less_than_one_case_still_asks_one() -> None:
    found = retrial([arms([1, 1], [0, 0])], most_calls=1)

    assert (found.cases, found.samples) == (("c0",), 3)


def test_a_case_that_only_its_statistic_sees_move_is_asked_again() -> None:
    """A wrong label gave way to another wrong one: an F1 reads that, though the case is as wrong as before."""
    seen = Arms(
        cases=("c0", "c1"),
        before=((0.0,), (1.0,)),
        after=((0.0,), (1.0,)),
        statistic=Statistic(before=(("a",), ("x",)), after=(("b",), ("x",)), of=lambda _: 0.0),
    )

    assert retrial([seen], most_calls=600).cases == ("c0",)


def test_what_was_asked_is_counted_over_all_arms() -> None:
    chosen = retrial([arms([1], [0])], most_calls=600, most_samples=3)
    samples = {"c0": tuple(Observation(case="c0", sample=number, grades={}) for number in (1, 2, 3))}

    found = Retried(retrial=chosen, asked=4, answers=dict.fromkeys(Arm, samples))

    assert (chosen.calls(), chosen.calls(3), found.total) == (6, 9, 9)
