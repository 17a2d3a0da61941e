"""The swap test of metrics that are no means."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_promptgate.core.aggregates import quantile
from pytest_promptgate.core.labels import label_metric
from pytest_promptgate.core.statistic_test import statistic_test
from pytest_promptgate.core.swap_test import swap_test

Pair = tuple[str, str]


def f1(pairs: Sequence[Pair]) -> float:
    return label_metric("f1", pairs)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def median(values: Sequence[float]) -> float:
    return quantile(values, 0.5)


def labelled(n: int, *, seed: int, right: float) -> list[list[Pair]]:
    chance = random.Random(seed)
    gold = ["abc"[at % 3] for at in range(n)]
    return [[(wanted if chance.random() < right else chance.choice("abc"), wanted)] for wanted in gold]


SINGLES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=9
)


@settings(max_examples=100, deadline=None)
@given(SINGLES)
def test_for_a_mean_it_is_the_swap_test(pairs: list[tuple[float, float]]) -> None:
    before, after = [[old] for old, _ in pairs], [[new] for _, new in pairs]

    assert statistic_test(before, after, mean).p == pytest.approx(swap_test(before, after).p, abs=1e-12)
    assert statistic_test(before, after, mean).p_min == pytest.approx(swap_test(before, after).p_min)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(*[st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=2)] * 2), min_size=1, max_size=4)
)
def test_for_a_mean_of_repeated_samples_too(pairs: list[tuple[list[float], list[float]]]) -> None:
    before, after = [old for old, _ in pairs], [new for _, new in pairs]

    assert statistic_test(before, after, mean).p == pytest.approx(swap_test(before, after).p, abs=1e-12)


def test_alike_cases_are_swapped_together_so_that_many_stay_exact() -> None:
    before, after = (
        [[("a", "a")]] * 60 + [[("b", "b")]] * 40,
        [[("b", "a")]] * 30 + [[("a", "a")]] * 30 + [[("b", "b")]] * 40,
    )

    found = statistic_test(before, after, f1)

    assert found.exact
    assert found.p == pytest.approx(2**-30)


def test_drawn_swaps_come_near_the_exact_ones_and_repeat_themselves() -> None:
    before, after = labelled(120, seed=1, right=0.8), labelled(120, seed=2, right=0.7)
    values = (
        [[float(got == wanted)] for ((got, wanted),) in before],
        [[float(got == wanted)] for ((got, wanted),) in after],
    )

    found = statistic_test(before, after, lambda pairs: label_metric("f1", pairs, average="micro"))

    assert not found.exact
    assert found.p == pytest.approx(swap_test(*values).p, abs=0.02)
    assert statistic_test(before[::-1], after[::-1], lambda pairs: label_metric("f1", pairs, average="micro")) == found


def test_worse_is_better_with_the_arms_exchanged() -> None:
    before, after = labelled(90, seed=3, right=0.8), labelled(90, seed=4, right=0.7)

    assert statistic_test(before, after, f1) == statistic_test(after, before, f1, alternative="better")


def test_repeated_samples_of_many_cases_are_dealt_out_at_random() -> None:
    before = [[1.0 + at / 10, 1.1 + at / 10, 1.2 + at / 10] for at in range(12)]
    after = [[value - 1 for value in samples] for samples in before]

    found = statistic_test(before, after, median)

    assert not found.exact
    assert found.p == 0.0001


def test_equal_arms_give_1() -> None:
    arms = labelled(40, seed=5, right=0.8)

    assert statistic_test(arms, arms, f1).p == 1.0


def test_clusters_are_swapped_whole() -> None:
    before, after = [[1.0], [1.0], [1.0], [1.0]], [[0.0], [0.0], [0.0], [1.0]]

    assert statistic_test(before, after, mean, clusters=["a", "a", "a", "b"]).p == 1 / 2
