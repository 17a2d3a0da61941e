"""What a run may spend: the decision, and its words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_promptgate.core.estimate import Estimate, Source
from pytest_promptgate.core.limits import (
    Budget,
    budget_reached,
    duration,
    money,
    parse_duration,
    parse_money,
    refusal,
    time_reached,
)


def estimated(asked: int, cost_usd: float | None, *, model: str = "openai/gpt-4o-2024-11-20") -> Estimate:
    return Estimate(
        suite="triage",
        slot="default",
        model=model,
        cases=asked,
        trials=asked,
        unchanged=0,
        stored=0,
        asked=asked,
        tokens_in=100 * asked,
        tokens_out=10 * asked,
        source=Source.STORE,
        cost_usd=cost_usd,
    )


def test_a_budget_takes_every_call_under_way_for_the_guess_until_an_answer_tells() -> None:
    budget = Budget(limit_usd=1.0, guess_usd=0.4)
    assert budget.allows()
    assert budget.started().allows()
    assert not budget.started().started().allows()
    assert budget.started().started().answered(0.1).allows()


def test_a_budget_is_exhausted_when_nothing_is_under_way_and_the_next_call_would_be_too_much() -> None:
    budget = Budget(limit_usd=1.0, guess_usd=0.6).started()
    assert not budget.exhausted
    assert budget.answered(0.6).exhausted
    assert not budget.answered(0.5).exhausted
    assert not budget.failed().exhausted


def test_an_answer_of_unknown_cost_is_taken_for_an_average_one() -> None:
    budget = Budget(limit_usd=1.0, guess_usd=0.3).started().started()
    assert budget.answered(None).spent_usd == 0.3
    assert budget.answered(0.1).answered(None).spent_usd == 0.2


def test_what_is_free_never_exhausts_a_budget_of_nothing() -> None:
    budget = Budget(limit_usd=0.0, guess_usd=0.0)
    assert budget.allows()
    assert budget.started().answered(0.0).allows()


@given(
    st.lists(st.floats(min_value=0.01, max_value=0.02), min_size=1, max_size=200),
    st.integers(min_value=1, max_value=64),
    st.floats(min_value=0.001, max_value=0.02),
)
def test_the_spend_goes_beyond_the_limit_by_what_the_guess_was_wrong_at_most(
    costs: list[float], connections: int, guess: float
) -> None:
    budget = Budget(limit_usd=0.5, guess_usd=guess)
    under_way: list[float] = []
    waiting = list(costs)
    while waiting or under_way:
        if waiting and len(under_way) < connections and budget.allows():
            under_way.append(waiting.pop())
            budget = budget.started()
        elif under_way:
            budget = budget.answered(under_way.pop())
        else:
            break
    started = min(connections, 0.5 / guess)
    assert budget.spent_usd <= 0.5 + 0.02 + started * max(0.0, 0.02 - guess)


def test_a_run_within_its_estimate_may_start() -> None:
    assert refusal(0.5, [estimated(120, 0.3), estimated(10, 0.2)]) == ""
    assert refusal(0.0, [estimated(120, 0.0)]) == ""
    assert refusal(0.0, []) == ""


def test_a_run_above_its_estimate_is_refused_with_the_ways_out() -> None:
    assert refusal(0.1, [estimated(110, 0.3), estimated(10, 0.12)]) == (
        "--prompt-max-cost 0.1: the estimate is $0.42 (120 calls, about 13k tokens, about $0.42): nothing was asked\n"
        "  Grant more, select fewer cases (-k, --prompt-smoke), or run without the limit."
    )


def test_a_run_of_unknown_price_is_refused_with_the_line_to_write() -> None:
    asking = [estimated(1, 0.1), estimated(1, None, model="local/llama"), estimated(0, None, model="local/other")]
    assert refusal(10, asking) == (
        "--prompt-max-cost 10: the price of local/llama is not known: nothing was asked\n"
        "  Write it in promptgate.yaml, in USD per million tokens: `prices: {local/llama: {input: 2.5, output: 10}}`, "
        "or run without the limit."
    )


def test_reasons_name_the_limit() -> None:
    assert budget_reached(0.5) == "the budget of $0.50 was reached"
    assert time_reached(600) == "the time of 10 min was reached"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "$0.00"), (12.5, "$12.50"), (0.5, "$0.50"), (0.05, "$0.050"), (0.00041, "$0.00041")],
)
def test_small_amounts_keep_two_digits(amount: float, shown: str) -> None:
    assert money(amount) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(90, "90 s"), (60, "1 min"), (90 * 60, "1.5 h"), (0.5, "0.5 s")])
def test_times_are_shown_in_their_own_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(("text", "amount"), [("0.5", 0.5), ("$2", 2), (" 0 ", 0)])
def test_amounts_are_read(text: str, amount: float) -> None:
    assert parse_money(text) == amount


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("10min", 600), ("1h", 3600), ("1h30m", 5400), ("0.5s", 0.5)]
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "ten", "-1", "nan", "inf", "0.5 EUR"])
def test_what_is_no_amount_is_told(text: str) -> None:
    assert told(parse_money, text) == "expected an amount of USD, such as 0.50"


@pytest.mark.parametrize("text", ["", "10", "0s", "-5m", "soon", "5m1h"])
def test_what_is_no_time_is_told(text: str) -> None:
    assert told(parse_duration, text) == "expected a time with its unit, such as 90s, 10m or 1h"


def told(parse: Callable[[str], float], text: str) -> str:
    with pytest.raises(ValueError) as raised:
        parse(text)
    return str(raised.value)
