"""Tokens to money."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_world import baseline, observations, spec

from pytest_promptgate.core.budget import cost_usd, priced, priced_baseline
from pytest_promptgate.core.ports import Price

PRICE = Price(input=2.5, output=10.0, cached=1.25)


@pytest.mark.parametrize(
    ("price", "counts", "expected"),
    [
        (PRICE, (1_000_000, 100_000, None), 3.5),
        (PRICE, (1_000_000, 0, 400_000), 2.0),
        (replace(PRICE, cached=None), (1_000_000, 0, 400_000), 2.5),
        (PRICE, (10, 0, 99), 0.0000125),
        (Price(input=0, output=0), (10, 10, None), 0.0),
        (None, (10, 10, 0), None),
        (PRICE, (None, 10, 0), None),
        (PRICE, (10, None, 0), None),
    ],
)
def test_the_cost_of_an_answer(
    price: Price | None, counts: tuple[int | None, int | None, int | None], expected: float | None
) -> None:
    assert cost_usd(price, *counts) == (None if expected is None else pytest.approx(expected))


def test_the_baselines_costs_follow_todays_prices() -> None:
    seen = [replace(each, tokens_in=1_000_000, tokens_out=0, cost_usd=99.0) for each in observations({"a": [1.0]})]

    repriced = priced_baseline(baseline(spec(), seen), PRICE)

    assert repriced.cases["a"].observations == (priced(seen[0], PRICE),)
    assert repriced.cases["a"].observations[0].cost_usd == 2.5
    assert priced_baseline(repriced, None).cases["a"].observations[0].cost_usd is None
