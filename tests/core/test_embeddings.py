from __future__ import annotations

import base64
import struct

import pytest

from pytest_promptgate.core.embeddings import cosine, embedding_request, packed, unpacked
from pytest_promptgate.core.estimate import answer_tokens, prompt_tokens
from pytest_promptgate.core.fingerprint import request_digest
from pytest_promptgate.core.types import ModelPin, Request, RequestKind
from pytest_promptgate.core.votes import ordinal_of

PIN = ModelPin(provider="openai", name="text-embedding-3-small", parameters={"dimensions": 3})


def test_a_vector_comes_back_as_it_was_kept() -> None:
    vector = (1.0, -0.5, 0.1)

    kept = unpacked(packed(vector))

    assert kept == pytest.approx(vector, rel=1e-7)
    assert packed(kept) == packed(vector)  # 32 bits once are 32 bits for ever
    assert base64.b64decode(packed((1.0,))) == struct.pack("<f", 1.0)


@pytest.mark.parametrize(
    ("vector", "why"),
    [
        ((1.0, float("nan")), "a number is not finite"),
        ((float("-inf"),), "a number is not finite"),
        ((1e39,), "a number is too large for 32 bits"),
    ],
)
def test_what_is_no_vector_is_not_kept(vector: tuple[float, ...], why: str) -> None:
    with pytest.raises(ValueError) as told:
        packed(vector)
    assert str(told.value) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its 0 bytes are no whole numbers of 32 bits"),
        ("AAAA", "its 3 bytes are no whole numbers of 32 bits"),
        ("no base64!", "it is not base64"),
        (base64.b64encode(struct.pack("<f", float("nan"))).decode(), "a number is not finite"),
    ],
)
def test_a_text_that_holds_no_vector_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError) as told:
        unpacked(text)
    assert str(told.value) == why


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((1.0, 0.0), (0.0, 2.0), 0.0),
        ((1.0, 1.0), (2.0, 2.0), 1.0),
        ((1.0, 1.0), (-3.0, -3.0), -1.0),
        # (4 + 10 + 18) / sqrt(14 · 77), as numpy and scipy.spatial.distance.cosine give it
        ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), 0.9746318461970762),
        ((1e-30, 2e-30), (1e30, -1e30), -0.31622776601683794),
    ],
)
def test_cosine(one: tuple[float, ...], other: tuple[float, ...], expected: float) -> None:
    assert cosine(one, other) == pytest.approx(expected, abs=1e-15)
    assert cosine(other, one) == cosine(one, other)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ((1.0,), (1.0, 2.0), "the vectors have different lengths: 1 and 2"),
        ((0.0, 0.0), (1.0, 2.0), "a vector is all zeros, so it has no direction"),
    ],
)
def test_vectors_that_cannot_be_compared(one: tuple[float, ...], other: tuple[float, ...], why: str) -> None:
    with pytest.raises(ValueError) as told:
        cosine(one, other)
    assert str(told.value) == why


def test_a_request_for_a_vector_is_never_taken_for_one_for_an_answer() -> None:
    vector = embedding_request(PIN, "hello")
    answer = Request(pin=PIN, messages=vector.messages, parameters=vector.parameters)
    other_model = embedding_request(ModelPin(provider="openai", name="text-embedding-3-large"), "hello")

    assert (vector.kind, vector.parameters) == (RequestKind.EMBEDDING, {"dimensions": 3})
    assert len({request_digest(each) for each in (vector, answer, other_model)}) == 3


def test_a_vector_is_one_reply_and_costs_its_text_alone() -> None:
    vector = embedding_request(PIN, "x" * 40)
    answer = Request(pin=PIN, messages=vector.messages, parameters={})

    assert (prompt_tokens(vector), answer_tokens(vector)) == (10, 0)
    assert [ordinal_of(vector, place) for place in range(3)] == [0, 0, 0]
    assert [ordinal_of(answer, place) for place in range(3)] == [0, 1, 2]
