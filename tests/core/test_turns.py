"""Lists of user turns: the first stands in the prompt, the others follow in the request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import case, prompt, render, suite

from pytest_promptgate.core.estimate import answer_tokens, prompt_tokens
from pytest_promptgate.core.fingerprint import request_digest, request_parts
from pytest_promptgate.core.plan import plan, slowness
from pytest_promptgate.core.types import Message, Request
from pytest_promptgate.errors import DatasetError


def request(*turns: str) -> Request:
    """Of a case whose column ``says`` holds `turns`."""
    template = prompt("Hear: {text}")
    of = replace(suite([case("a", says=list(turns))], template=template, inputs={"text": "says"}), turns="says")
    return plan(of, "default", render=render).trials[0].request


def test_the_first_turn_stands_in_the_prompt_and_the_others_follow() -> None:
    found = request("one", "two", "three")

    assert found.messages == (Message(role="user", content="Hear: one"),)
    assert found.turns == ("two", "three")


def test_a_text_is_one_turn() -> None:
    of = replace(suite([case("a", "hello")], inputs={"text": "text"}), turns="text")

    assert plan(of, "default", render=render).trials[0].request.turns == ()


def test_a_single_turn_has_the_digest_of_an_ordinary_request() -> None:
    plain = plan(suite([case("a", "one")], template=prompt("Hear: {text}")), "default", render=render)

    assert request_digest(request("one")) == plain.trials[0].digest


def test_every_turn_is_part_of_the_digest() -> None:
    two, other = request("one", "two"), request("one", "too")
    as_message = replace(two, turns=(), messages=(*two.messages, Message(role="user", content="two")))

    assert len({request_digest(each) for each in (request("one"), two, other, as_message)}) == 4
    assert request_parts(two)["messages"] != request_parts(other)["messages"]


def test_what_is_sent_again_counts_again() -> None:
    of = replace(suite([case("a", says=["x" * 40, "y" * 40])], inputs={"text": "says"}), turns="says")
    trial = plan(of, "default", render=render).trials[0]

    assert slowness(trial) == 120
    assert prompt_tokens(trial.request) == 30
    assert answer_tokens(trial.request) == 512


@pytest.mark.parametrize("value", [None, 3, [], ["a", ""], ["a", 3], {"a": "b"}])
def test_anything_but_texts_is_an_error_of_its_row(value: object) -> None:
    of = replace(suite([case("a", says=value)], inputs={"text": "says"}), turns="says")  # type: ignore[arg-type]

    with pytest.raises(DatasetError) as caught:
        plan(of, "default", render=render)

    assert str(caught.value) == (
        "data/fake.jsonl:1: case 'a' has no user turns in column 'says'\n"
        '  It holds a list of texts, none of them empty: ["Hello", "And then?"].'
    )
