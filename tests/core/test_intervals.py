"""Intervals, families and detectable drops, beside published figures and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_promptgate.core import detectable, intervals
from pytest_promptgate.core.families import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_newcombe_gives_the_published_example() -> None:
    low, high = intervals.newcombe(36, 12, 2, 0)

    assert (round(low, 4), round(high, 4)) == (0.0569, 0.3404)


@settings(deadline=None)
@given(st.tuples(*[st.integers(0, 20)] * 4).filter(lambda table: sum(table) > 0))
def test_newcombe_turns_round_with_its_sides(table: tuple[int, int, int, int]) -> None:
    both, first, second, neither = table
    low, high = intervals.newcombe(both, first, second, neither)
    other = intervals.newcombe(both, second, first, neither)

    assert (low, high) == pytest.approx((-other[1], -other[0]), abs=1e-12)
    assert low <= (first - second) / sum(table) <= high


def test_the_spread_of_answers_needs_two_samples_and_that_of_cases_two_clusters() -> None:
    with pytest.raises(ValueError) as samples:
        intervals.suite_se([[1.0]], [[1.0, 0.0]])
    with pytest.raises(ValueError) as clusters:
        intervals.cluster_se([0.1, 0.2], ["a", "a"])

    assert str(samples.value) == "the spread of answers needs at least two samples of every case on both sides"
    assert str(clusters.value) == "the spread of cases needs at least two clusters"


def test_without_clusters_every_case_is_one() -> None:
    d = [0.1, -0.3, 0.2, 0.0]

    assert intervals.cluster_se(d) == pytest.approx(float(np.std(d, ddof=1)) / 2)
    assert intervals.cluster_se(d, "abcd") == pytest.approx(intervals.cluster_se(d))


def test_the_bootstrap_covers_the_mean_and_repeats_itself() -> None:
    values = [math.sin(at) for at in range(200)]

    def mean(drawn: object) -> float:
        return float(np.mean([values[at] for at in drawn]))  # type: ignore[attr-defined]

    low, high = intervals.bootstrap(200, mean, seed="a")

    half = 1.96 * float(np.std(values)) / math.sqrt(200)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    assert intervals.bootstrap(200, mean, seed="a") == (low, high)
    assert intervals.bootstrap(200, mean, seed="b") != (low, high)


@given(P_VALUES)
def test_adjusted_p_values_are_never_smaller_and_keep_their_order(p: list[float]) -> None:
    for adjusted in (holm(p), benjamini_hochberg(p)):
        assert all(raw <= more + 1e-12 for raw, more in zip(p, adjusted, strict=True))
        assert all(more <= 1 for more in adjusted)
        ranked = [more for _, more in sorted(zip(p, adjusted, strict=True))]
        assert ranked == sorted(ranked)


@given(P_VALUES)
def test_equal_weights_are_no_weights(p: list[float]) -> None:
    assert holm(p, [0.5] * len(p)) == pytest.approx(holm(p))


def test_a_weight_moves_the_level_to_its_hypothesis() -> None:
    assert holm([0.04, 0.012], [0.8, 0.2]) == pytest.approx([0.05, 0.05])
    assert holm([0.04, 0.5], [0.8, 0.2]) == pytest.approx([0.05, 0.5])


def test_power_and_detectable_drop_are_inverse() -> None:
    for n in (30, 300):
        drop = detectable.mde(0.02, alpha=0.01, n=n)
        assert detectable.power_at(drop, 0.02, alpha=0.01, n=n) == pytest.approx(0.8)
        flips = detectable.mcnemar_mde(n, 0.155)
        assert flips is not None
        assert detectable.mcnemar_power(n, 0.155, flips) == pytest.approx(0.8, abs=0.01)


def test_the_detectable_drops_of_the_design_come_out() -> None:
    """GATE §7: flip rate .155, 100 cases: 14.0 points with one sample; 4.8 with five."""
    one = detectable.mcnemar_mde(100, 0.155)
    se = math.sqrt(2 * 0.155 / 2 / 5 / 100)

    assert one is not None
    assert one == pytest.approx(0.14, abs=0.015)
    assert detectable.mde(se, n=100) == pytest.approx(0.048, abs=0.001)


def test_a_handful_of_cases_detects_nothing() -> None:
    assert detectable.mcnemar_mde(4, 0.155) is None


def test_power_without_noise_is_certain() -> None:
    assert detectable.power_at(0.01, 0.0) == 1.0
    assert detectable.power_at(0.0, 0.0) == 0.0
    assert detectable.mcnemar_power(50, 0.0, 0.0) == 0.0
    assert detectable.mcnemar_power(50, 0.0, 1.0) == pytest.approx(1.0)


def test_mcnemar_power_is_the_double_sum() -> None:
    n, worse, better = 12, 0.3, 0.1
    total = 0.0
    for lost in range(n + 1):
        for won in range(n + 1 - lost):
            p = stats.binomtest(lost, lost + won, alternative="greater").pvalue if lost + won else 1.0
            total += (p <= 0.05) * stats.multinomial.pmf([lost, won, n - lost - won], n, [worse, better, 0.6])

    assert detectable.mcnemar_power(n, 0.2, 0.2) == pytest.approx(total, abs=1e-10)


@pytest.mark.parametrize(
    ("chance", "words"),
    [(0.01, "fewer than 1 of 30"), (0.11, "1 of 10"), (0.35, "1 of 3"), (0.79, "4 of 5"), (0.99, "nearly all")],
)
def test_a_chance_is_told_in_words(chance: float, words: str) -> None:
    assert detectable.in_words(chance) == words


def test_helpers_of_the_detectable_line() -> None:
    assert detectable.guessed_flip_rate(0.9) == pytest.approx(0.18)
    assert detectable.expected_se([[1.0]], [[1.0, 0.0]]) is None
    assert detectable.expected_se([[1.0, 0.0]], [[1.0, 0.0]]) == pytest.approx(math.sqrt(0.5))
