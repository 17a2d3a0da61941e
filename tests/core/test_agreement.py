"""Judges and live traffic: edge cases beside the vectors."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.agreement import (
    cohen_kappa,
    kappa_interval,
    krippendorff_alpha,
    ppi_mean,
    rogan_gladen,
)
from pytest_promptgate.core.canary import nm_one_sided, nm_two_sided, srm_chi2, ssrm_log_e, tuned_rho
from pytest_promptgate.core.pass_at_k import pass_at_k, pass_hat_k

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.agreement import Weights


def test_raters_who_always_agree_have_agreement_1_even_without_variety() -> None:
    assert cohen_kappa([1, 2], [1, 2], [1, 2]) == 1.0
    assert cohen_kappa([1, 1], [1, 1], [1, 2]) == 1.0
    assert krippendorff_alpha([[1, 1], [1, 1]], level="ordinal") == 1.0


def rated(table: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """The two raters' categories behind a table of counts."""
    pairs = [(one, two) for one, row in enumerate(table) for two, count in enumerate(row) for _ in range(count)]
    return [one for one, _ in pairs], [two for _, two in pairs]


@pytest.mark.parametrize(
    ("table", "weights", "interval"),
    [
        ([[53, 5, 2], [11, 14, 5], [1, 6, 3]], None, (0.279694854, 0.577448003)),
        ([[53, 5, 2], [11, 14, 5], [1, 6, 3]], "linear", (0.351725468, 0.632889917)),
        ([[53, 5, 2], [11, 14, 5], [1, 6, 3]], "quadratic", (0.412370279, 0.720963054)),
        ([[88, 10, 2], [14, 40, 6], [18, 10, 12]], None, (0.391563702, 0.591487145)),
        ([[88, 10, 2], [14, 40, 6], [18, 10, 12]], "quadratic", (0.324298632, 0.584792277)),
        ([[10, 0], [0, 10]], "quadratic", (1.0, 1.0)),
        ([[20, 0], [0, 0]], None, (1.0, 1.0)),
        ([[0, 10], [10, 0]], None, (-1.0, -1.0)),
    ],
)
def test_the_interval_of_kappa_is_that_of_the_delta_method(
    table: Sequence[Sequence[int]], weights: Weights | None, interval: tuple[float, float]
) -> None:
    # Expected: kappa +- 1.96 sqrt((sum p g^2 - (sum p g)^2) / n) with a numerical gradient g, by numpy.
    people, judge = rated(table)
    assert kappa_interval(people, judge, range(len(table)), weights=weights) == pytest.approx(interval, abs=1e-8)


def test_items_with_one_rating_do_not_count() -> None:
    ratings = [[1, 2, None, 3], [1, 2, 3, None], [None, 3, None, None]]

    assert krippendorff_alpha(ratings, level="nominal") == krippendorff_alpha(
        [each[:2] for each in ratings], level="nominal"
    )
    with pytest.raises(ValueError) as error:
        krippendorff_alpha([[1, None], [None, 2]], level="nominal")
    assert str(error.value) == "agreement needs at least one item that two raters rated"


def test_a_good_judge_shortens_the_interval_and_a_useless_one_does_not_lengthen_it() -> None:
    chance = random.Random(1)
    truth = [float(chance.random() < 0.7) for _ in range(1100)]
    good = [value if chance.random() < 0.95 else 1 - value for value in truth]
    useless = [float(chance.random() < 0.5) for _ in truth]

    def width(judge: list[float], lam: float | None = None) -> float:
        _, low, high = ppi_mean(truth[:100], judge[:100], judge[100:], lam=lam)
        return high - low

    alone = width(good, lam=0.0)
    assert width(good) < 0.7 * alone
    assert width(useless) <= alone * 1.001
    assert abs(ppi_mean(truth[:100], good[:100], good[100:])[0] - 0.7) < 0.06


def test_rogan_gladen_undoes_a_judge_of_known_errors() -> None:
    assert rogan_gladen(0.6 * 0.9 + 0.4 * 0.2, sensitivity=0.9, specificity=0.8) == pytest.approx(0.6)
    assert rogan_gladen(0.05, sensitivity=0.9, specificity=0.8) == 0.0
    with pytest.raises(ValueError) as error:
        rogan_gladen(0.5, sensitivity=0.5, specificity=0.5)
    assert str(error.value) == "sensitivity + specificity must be more than 1, or the judge tells nothing"


def test_a_fair_split_is_no_mismatch_and_a_skewed_one_is() -> None:
    assert srm_chi2([5000, 5000], [0.5, 0.5]) == (0.0, 1.0)
    assert ssrm_log_e([5000, 5000], [0.5, 0.5]) < 0
    assert ssrm_log_e([5400, 4600], [0.5, 0.5]) > math.log(1000)


def test_the_one_sided_bound_is_tighter_and_the_tuned_one_tightest() -> None:
    v = 400.0
    rho = tuned_rho(v)

    assert nm_one_sided(v, rho) < nm_two_sided(v, rho)
    assert nm_two_sided(v, rho) <= min(nm_two_sided(v, rho / 5), nm_two_sided(v, rho * 5))


def test_impossible_counts_are_refused() -> None:
    for call in (pass_at_k, pass_hat_k):
        with pytest.raises(ValueError) as error:
            call(5, 6, 2)
        assert str(error.value) == "of 5 samples, 6 passed ones and 2 chosen ones are not possible"
