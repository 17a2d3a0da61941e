"""The swap test: beside scipy's permutation tests, and the laws that hold whatever the scores are."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_promptgate.core.broken_case import broken_case, broken_case_test
from pytest_promptgate.core.exact import mcnemar_exact
from pytest_promptgate.core.swap_test import Samples, swap_test

Arms = tuple[list[list[float]], list[list[float]]]

SCORES = st.one_of(
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),
    st.floats(0, 1).map(lambda value: round(value, 6)),
)


@st.composite
def arms(draw: st.DrawFn, *, cases: int = 6, samples: int = 4) -> Arms:
    before = draw(st.lists(st.lists(SCORES, min_size=1, max_size=samples), min_size=1, max_size=cases))
    after = [draw(st.lists(SCORES, min_size=1, max_size=samples)) for _ in before]
    return before, after


def brute_force(before: Samples, after: Samples) -> float:
    """Every re-split of every case, one by one."""
    drops = []
    for old, new in zip(before, after, strict=True):
        pool, taken = [*old, *new], len(new)
        drops.append(
            [
                sum(chosen) / taken - (sum(pool) - sum(chosen)) / len(old)
                for chosen in itertools.combinations(pool, taken)
            ]
        )
    seen = sum(sum(new) / len(new) - sum(old) / len(old) for old, new in zip(before, after, strict=True))
    every = [sum(each) for each in itertools.product(*drops)]
    return sum(total <= seen + 1e-9 for total in every) / len(every)


@settings(max_examples=100, deadline=None)
@given(arms(cases=3, samples=3))
def test_p_is_the_share_of_all_re_splits_that_are_as_bad(both: Arms) -> None:
    assert swap_test(*both).p == pytest.approx(brute_force(*both), abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(arms())
def test_p_is_a_probability_and_never_0(both: Arms) -> None:
    found = swap_test(*both)

    assert 0 < found.p <= 1
    assert found.p_min <= found.p


@settings(max_examples=100, deadline=None)
@given(arms())
def test_worse_is_better_with_the_arms_exchanged(both: Arms) -> None:
    before, after = both

    assert swap_test(before, after).p == swap_test(after, before, alternative="better").p


@settings(max_examples=100, deadline=None)
@given(arms(), st.randoms(use_true_random=False))
def test_the_order_of_cases_and_samples_does_not_matter(both: Arms, chance: random.Random) -> None:
    pairs = list(zip(*both, strict=True))
    chance.shuffle(pairs)
    mixed = [([*reversed(old)], [*reversed(new)]) for old, new in pairs]

    assert swap_test([old for old, _ in mixed], [new for _, new in mixed]).p == pytest.approx(
        swap_test(*both).p, abs=1e-12
    )


@settings(max_examples=50, deadline=None)
@given(arms())
def test_identical_samples_give_1(both: Arms) -> None:
    before, _ = both
    constant = [[samples[0]] * len(samples) for samples in before]

    assert swap_test(constant, constant).p == 1.0


@settings(max_examples=100, deadline=None)
@given(arms(), SCORES)
def test_cases_that_do_not_differ_drop_out(both: Arms, score: float) -> None:
    before, after = both

    assert swap_test([*before, [score]], [*after, [score]]).p == pytest.approx(swap_test(before, after).p, abs=1e-12)


def test_many_binary_samples_agree_with_the_mantel_haenszel_distribution_of_numpy() -> None:
    chance = np.random.default_rng(7)
    before, after = (chance.random((2, 300, 5)) < chance.beta(0.69, 0.18, 300)[None, :, None]).astype(float)
    distribution = np.ones(1)
    for old, new in zip(before, after, strict=True):
        passed = int(old.sum() + new.sum())
        distribution = np.convolve(distribution, stats.hypergeom(10, passed, 5).pmf(np.arange(6)))

    found = swap_test(before.tolist(), after.tolist())

    assert found.exact
    assert found.p == pytest.approx(distribution[: int(after.sum()) + 1].sum(), abs=1e-10)


def test_seeded_draws_agree_with_scipy_and_repeat_themselves() -> None:
    chance = np.random.default_rng(8)
    before, after = chance.random((2, 60))
    singles = ([[float(each)] for each in before], [[float(each)] for each in after])

    found = swap_test(*singles)

    theirs = stats.permutation_test(
        (after - before,), np.mean, permutation_type="samples", alternative="less", n_resamples=100_000, rng=1
    )
    assert not found.exact
    assert found.p == pytest.approx(theirs.pvalue, abs=0.015)
    assert swap_test(*singles) == found


def test_the_draws_are_the_same_on_every_machine_and_in_any_order() -> None:
    before = [[(37 * at % 101) / 101] for at in range(40)]
    after = [[(53 * at % 103) / 103] for at in range(40)]

    assert swap_test(before, after).p == 0.3016
    assert swap_test(before[::-1], after[::-1]).p == 0.3016


def test_repeated_samples_of_any_score_are_drawn_when_they_are_too_many() -> None:
    chance = random.Random(9)
    before = [[chance.random() for _ in range(8)] for _ in range(12)]
    after = [[value - 0.2 for value in samples] for samples in before]

    found = swap_test(before, after)

    assert not found.exact
    assert found.p == 0.0001
    assert swap_test(after, before).p > 0.99


def test_one_case_of_eight_different_samples_is_still_exact() -> None:
    before, after = [[0.9 + at / 1000 for at in range(8)]], [[at / 1000 for at in range(8)]]

    assert swap_test(before, after).p == pytest.approx(1 / 12_870, abs=1e-12)


def test_clusters_are_swapped_whole() -> None:
    before, after = [[1.0], [1.0], [1.0], [1.0]], [[0.0], [0.0], [0.0], [1.0]]

    assert swap_test(before, after).p == 1 / 8
    assert swap_test(before, after, clusters=["a", "a", "a", "b"]).p == 1 / 2


def test_p_min_says_what_these_answers_could_have_shown_at_best() -> None:
    assert swap_test([[1.0], [1.0], [0.0]], [[0.0], [0.0], [1.0]]).p_min == 1 / 8
    assert swap_test([[1.0] * 5], [[1.0, 1.0, 0.0, 0.0, 0.0]]).p_min == pytest.approx(1 / 12)


@pytest.mark.parametrize(
    ("before", "after", "clusters", "message"),
    [
        ([[1.0]], [], None, "1 cases before and 0 after cannot be paired"),
        ([[1.0]], [[]], None, "every case needs at least one sample on both sides"),
        ([[1.0]], [[0.0]], ["a", "b"], "2 clusters do not fit 1 cases"),
        (
            [[1.0, 0.0]],
            [[0.0]],
            ["a"],
            "whole clusters can be swapped only if both sides of every case have equally many samples",
        ),
    ],
)
def test_what_cannot_be_paired_is_refused(
    before: Samples, after: Samples, clusters: list[str] | None, message: str
) -> None:
    with pytest.raises(ValueError) as error:
        swap_test(before, after, clusters=clusters)

    assert str(error.value) == message


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_the_binomial_test(worse: int, better: int) -> None:
    theirs = stats.binomtest(worse, worse + better, alternative="greater").pvalue if worse + better else 1.0

    assert mcnemar_exact(worse, better) == pytest.approx(theirs, rel=1e-9)


def test_one_broken_case_among_many_is_found_by_the_worst_case_not_by_the_mean() -> None:
    before = [[1.0] * 8] * 100
    noisy = [[1.0, 0.0] * 4] * 60

    found = broken_case([*before, *noisy], [[0.0] * 8, *before[1:], *noisy])

    assert found.case == 0
    assert found.p < 0.01
    assert swap_test([*before, *noisy], [[0.0] * 8, *before[1:], *noisy]).p > 0.05


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=8))
def test_the_broken_case_test_is_the_product_of_hypergeometric_tails(pairs: list[tuple[int, int]]) -> None:
    before, after = [old for old, _ in pairs], [new for _, new in pairs]
    worst = max(old - new for old, new in pairs)
    tails = [float(stats.hypergeom.cdf((old + new - worst) // 2, 8, old + new, 4)) for old, new in pairs]
    expected = 1 - np.prod([1 - tail for tail in tails]) if worst > 0 else 1.0

    assert broken_case_test(before, after, 4) == pytest.approx(expected, abs=1e-9)


def test_other_scores_take_the_smallest_adjusted_p_of_the_cases_that_vary() -> None:
    before, after = [[0.9, 0.8, 0.7], [0.5, 0.5, 0.4], [1.0, 1.0, 1.0]], [[0.1, 0.2, 0.3], [0.4, 0.5, 0.5], [1.0] * 3]

    found = broken_case(before, after)

    assert found.case == 0
    assert found.p == pytest.approx(2 / 20)


def test_no_case_is_broken_where_none_fell() -> None:
    assert broken_case([[0.0, 1.0], [0.5]], [[1.0, 1.0], [0.5]]).case is None
    assert broken_case([[0.5]], [[0.5]]).p == 1.0
    assert broken_case([[0.0]], [[1.0]]).case is None
