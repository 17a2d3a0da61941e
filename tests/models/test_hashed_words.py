from __future__ import annotations

import asyncio
import math

import pytest

from pytest_promptgate.core.embeddings import cosine, embedding_request, unpacked
from pytest_promptgate.core.types import Message, ModelPin, Request
from pytest_promptgate.errors import AccountStopped
from pytest_promptgate.models.embedded import EmbeddedAccount
from pytest_promptgate.models.hashed_words import PLACES, hashed


def vector(text: str) -> tuple[float, ...]:
    pin = ModelPin(provider="embedded", name="hashed-words-1")
    return unpacked(asyncio.run(EmbeddedAccount("embedded").ask(embedding_request(pin, text))).embedding)


def refusal(request: Request) -> str:
    with pytest.raises(AccountStopped) as told:
        asyncio.run(EmbeddedAccount("embedded").ask(request))
    return str(told.value)


def test_a_text_is_a_vector_of_length_one() -> None:
    found = vector("Where is my parcel?")

    assert len(found) == PLACES
    assert math.hypot(*found) == pytest.approx(1.0, abs=1e-6)
    assert found == vector("PARCEL my is where")  # no order, no case, no signs


def test_the_vectors_are_the_same_on_every_machine() -> None:
    # crc32(b"refund") is 0x5b2c1458: place 0x1458 % 512 = 88, and bit 16 is 0, which is minus.
    assert {place: each for place, each in enumerate(hashed(["refund"])) if each} == {88: -1.0}


def test_a_word_that_stands_several_times_weighs_more() -> None:
    twice, once = 1 + math.log(2), 1.0
    found = sorted(abs(each) for each in hashed(["a", "b", "a"]) if each)
    assert found == pytest.approx([once / math.hypot(once, twice), twice / math.hypot(once, twice)])


def test_it_knows_words_and_no_meaning() -> None:
    assert cosine(vector("I want a refund"), vector("a refund, please")) == pytest.approx(2 / math.sqrt(12), abs=1e-6)
    assert cosine(vector("refund"), vector("money back")) == 0.0


@pytest.mark.parametrize("text", ["", "?!"])
def test_a_text_without_a_word_has_no_direction(text: str) -> None:
    assert set(vector(text)) == {0.0}


def test_each_embedded_model_does_one_thing() -> None:
    question = (Message(role="user", content="hello"),)
    vectors = ModelPin(provider="embedded", name="hashed-words-1")
    answers = ModelPin(provider="embedded", name="nearest-example-1")

    assert refusal(Request(pin=vectors, messages=question, parameters={})) == (
        "embedded/hashed-words-1: it is no embedded model that answers\n"
        "  The one that answers is embedded/nearest-example-1."
    )
    assert refusal(embedding_request(answers, "hello")) == (
        "embedded/nearest-example-1: it is no embedded model that gives vectors\n"
        "  The one that gives vectors is embedded/hashed-words-1."
    )
    assert refusal(embedding_request(ModelPin(provider="embedded", name="hashed-words-2"), "hello")) == (
        "embedded/hashed-words-2: there is no such embedded model\n"
        "  Did you mean 'hashed-words-1'? The one that gives vectors is embedded/hashed-words-1."
    )
