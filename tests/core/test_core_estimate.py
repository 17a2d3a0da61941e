"""Estimates: what is counted, what is guessed, and what stays unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.estimate import (
    Estimate,
    History,
    Source,
    answer_tokens,
    dollars,
    estimate,
    headline,
    history_of,
    prompt_tokens,
    rounded,
    total_cost,
)
from pytest_promptgate.core.ports import Price
from pytest_promptgate.core.types import Case, Message, ModelPin, Observation, Request, Trial
from pytest_promptgate.errors import Place

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

HISTORY = History(tokens_in=100.0, tokens_out=10.0, answers=7, source=Source.STORE)
PRICE = Price(input=1.0, output=10.0)


def trial(text: str = "12345678", parameters: dict[str, Json] | None = None) -> Trial:
    request = Request(
        pin=ModelPin(provider="openai", name="gpt-4o-2024-11-20"),
        messages=(Message(role="user", content=text),),
        parameters=parameters or {},
    )
    case = Case(id="c", inputs={}, expected=None, has_expected=False, tags=(), digest="d", place=Place(file="x"))
    return Trial(case=case, sample=1, request=request, digest="r", ordinal=0)


def told(
    *, asked: int = 2, history: History | None = HISTORY, price: Price | None = PRICE, share: float = 1.0
) -> Estimate:
    return estimate(
        suite="s",
        slot="default",
        model="openai/gpt-4o-2024-11-20",
        cases=5,
        unchanged=2,
        stored=1,
        asked=[trial()] * asked,
        history=history,
        price=price,
        share=share,
    )


def test_history_tells_the_tokens_and_the_price_the_cost() -> None:
    found = told()

    assert (found.trials, found.asked, found.tokens_in, found.tokens_out, found.tokens) == (5, 2, 200, 20, 220)
    assert found.cost_usd == pytest.approx(200e-6 + 200e-6)
    assert found.source is Source.STORE


def test_a_batch_costs_its_share() -> None:
    assert told(share=0.5).cost_usd == pytest.approx(200e-6)


def test_without_history_the_prompts_length_tells() -> None:
    found = told(history=None)

    assert (found.tokens_in, found.tokens_out, found.source) == (4, 512, Source.LENGTH)


def test_an_unknown_price_is_unknown_unless_nothing_is_asked() -> None:
    assert told(price=None).cost_usd is None
    assert told(price=None, asked=0).cost_usd == 0.0
    assert told(asked=0).source is None
    assert total_cost([told(), told(price=None)]) is None


def test_tokens_are_guessed_from_bytes_so_that_other_scripts_are_not_forgotten() -> None:
    assert prompt_tokens(trial("x" * 9).request) == 3
    assert prompt_tokens(trial("漢" * 4).request) == 3
    assert prompt_tokens(trial("\ud800").request) == 1


@pytest.mark.parametrize(
    ("parameters", "tokens"),
    [({}, 256), ({"max_output_tokens": 16}, 16), ({"max_tokens": 4096}, 256), ({"max_completion_tokens": 8}, 8)],
)
def test_an_answer_is_as_long_as_usual_or_as_it_may_be(parameters: dict[str, Json], tokens: int) -> None:
    assert answer_tokens(trial(parameters=parameters).request) == tokens


def test_history_counts_only_what_was_counted() -> None:
    seen = [
        Observation(case="a", sample=1, grades={}, tokens_in=10, tokens_out=2),
        Observation(case="b", sample=1, grades={}, tokens_in=20, tokens_out=4),
        Observation(case="c", sample=1, grades={}, tokens_in=None, tokens_out=4),
    ]

    assert history_of(seen, source=Source.BASELINE) == History(
        tokens_in=15.0, tokens_out=3.0, answers=2, source=Source.BASELINE
    )
    assert history_of(seen[2:], source=Source.BASELINE) is None


def test_the_headline_says_calls_tokens_cost_and_what_is_a_guess() -> None:
    assert headline([told(asked=0)]) == "0 calls"
    assert headline([]) == "0 calls"
    assert headline([told(asked=1)]) == "1 call, about 110 tokens, less than $0.01"
    assert headline([told(asked=1, price=Price(input=0.0, output=0.0))]) == "1 call, about 110 tokens, $0.00"
    assert headline([told(asked=200), told(price=None)]) == "202 calls, about 22k tokens, cost unknown"
    assert headline([told(asked=500, history=None)]) == (
        "500 calls, about 129k tokens, about $1.28 (tokens guessed from the length of the prompts)"
    )


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (950, "950"), (4100, "4.1k"), (41_234, "41k"), (3_200_000, "3.2M")]
)
def test_tokens_are_rounded_for_people(number: int, shown: str) -> None:
    assert rounded(number) == shown


@pytest.mark.parametrize(
    ("amount", "shown"), [(0.0, "$0.00"), (0.001, "less than $0.01"), (0.126, "$0.13"), (1234.5, "$1234.50")]
)
def test_what_is_above_nothing_is_never_shown_as_nothing(amount: float, shown: str) -> None:
    assert dollars(amount) == shown
