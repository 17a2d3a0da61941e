"""Early stopping: what is certain is certain, and evidence is as rare as promised when nothing has changed."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_promptgate.core.early import (
    Certainty,
    e_grid,
    e_mcnemar,
    e_without_replacement,
    mcnemar_curtail,
    strict_bounds,
)
from pytest_promptgate.core.exact import mcnemar_exact

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)
SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


@settings(max_examples=500)
@given(SCORES, st.sampled_from([0.0, 0.02, 0.1]))
def test_exact_bounds_never_contradict_the_full_run(pairs: list[tuple[float, float]], tolerance: float) -> None:
    n = len(pairs)
    mean = math.fsum(old for old, _ in pairs) / n
    fails = math.fsum(new for _, new in pairs) / n < mean - tolerance - 1e-9
    total = 0.0
    for done, (_, new) in enumerate(pairs, start=1):
        total += new
        found = strict_bounds(total, left_low=0, left_high=n - done, n=n, baseline_mean=mean, tolerance=tolerance)
        assert found in (Certainty.OPEN, Certainty.FAIL if fails else Certainty.PASS)
    assert found is not Certainty.OPEN


@settings(max_examples=500)
@given(PAIRS)
def test_mcnemar_bounds_never_contradict_the_full_run(pairs: list[tuple[bool, bool]]) -> None:
    lost, won = [old and not new for old, new in pairs], [new and not old for old, new in pairs]
    fails = mcnemar_exact(sum(lost), sum(won)) <= 0.05
    for done in range(len(pairs) + 1):
        left = [old for old, _ in pairs[done:]]
        found = mcnemar_curtail(
            worse=sum(lost[:done]),
            better=sum(won[:done]),
            passes_left=sum(left),
            fails_left=len(left) - sum(left),
            alpha=0.05,
        )
        assert found in (Certainty.OPEN, Certainty.FAIL if fails else Certainty.PASS)
    assert found is not Certainty.OPEN


def test_costs_are_bounded_by_turning_them_round() -> None:
    # 3 of 10 calls cost 9 already; the baseline took 8 for all ten.
    found = strict_bounds(-9.0, left_low=-math.inf, left_high=0.0, n=10, baseline_mean=-0.8)

    assert found is Certainty.FAIL


def test_seven_losses_in_a_row_are_evidence_at_one_in_twenty() -> None:
    assert e_mcnemar(6, 0) < 20 <= e_mcnemar(7, 0)


def test_without_an_effect_evidence_of_1_over_alpha_is_rarer_than_alpha() -> None:
    chance = random.Random(3)
    false = {"grid": 0, "mcnemar": 0, "rest": 0}
    for _ in range(400):
        d = [chance.choice([-1, 0, 0, 0, 1]) for _ in range(80)]
        steps = range(1, 81)
        false["grid"] += max(e_grid(d)) >= 20
        false["mcnemar"] += max(e_mcnemar(d[:at].count(-1), d[:at].count(1)) for at in steps) >= 20
        balanced = [*d, *(-each for each in d)]
        chance.shuffle(balanced)
        false["rest"] += max(e_without_replacement(balanced, 160)) >= 20

    assert all(count <= 0.05 * 400 + 2 * math.sqrt(0.05 * 0.95 * 400) for count in false.values()), false


def test_a_clear_drop_is_found_long_before_the_end() -> None:
    d = [-1.0, 0.0, -1.0, 0.0] * 50

    assert next(at for at, e in enumerate(e_grid(d)) if e >= 20) < 30
    assert next(at for at, e in enumerate(e_without_replacement(d, 200)) if e >= 100) < 40


def test_a_drop_that_the_open_cases_cannot_make_good_is_certain_evidence() -> None:
    assert e_without_replacement([-1.0, -1.0, -1.0, -1.0], 6)[-1] > 1e6


def test_a_margin_is_what_evidence_must_exceed() -> None:
    d = [-0.1] * 100

    assert e_grid(d)[-1] > 20
    assert e_grid(d, margin=0.1)[-1] == pytest.approx(1.0)
