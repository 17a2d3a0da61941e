from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scorer_rows import row

from pytest_promptgate.core.embeddings import cosine, packed
from pytest_promptgate.core.ports import Inquiry, Judge
from pytest_promptgate.core.types import Completion, ModelPin, Score, Unscored
from pytest_promptgate.scorers.embedding import EmbeddingSimilarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Json

PIN = ModelPin(provider="openai", name="text-embedding-3-small")
SCORER = EmbeddingSimilarity(model=PIN)


def vector(*numbers: float) -> Completion:
    return Completion(text="", embedding=packed(numbers))


def graded(
    replies: Sequence[Completion | Unscored], *, answer: str = "money back", expected: Json = "refund"
) -> Score | Unscored:
    found = SCORER.inquire(Completion(text=answer), row(expected=expected))
    assert isinstance(found, Inquiry)
    return found.grade(replies)


def test_it_asks_for_the_vectors_of_answer_and_expected_texts() -> None:
    found = SCORER.inquire(Completion(text="money back"), row(expected=["refund", 7]))

    assert isinstance(SCORER, Judge)
    assert isinstance(found, Inquiry)
    assert [each.messages[0].content for each in found.requests] == ["money back", "refund", "7"]
    assert all(each.pin == PIN for each in found.requests)


def test_the_score_is_the_cosine() -> None:
    found = graded([vector(1, 2, 3), vector(4, 5, 6)])
    assert found == Score(value=cosine((1, 2, 3), (4, 5, 6)), reason="cosine 0.975 to 'refund'")


def test_opposites_score_zero() -> None:
    assert graded([vector(1, 0), vector(-1, 0)]) == Score(value=0.0, reason="cosine -1.000 to 'refund'")


def test_the_nearest_of_several_texts_counts() -> None:
    found = graded([vector(1, 0), vector(0, 1), vector(1, 1)], expected=["no", "yes"])
    assert found == Score(value=cosine((1, 0), (1, 1)), reason="cosine 0.707 to 'yes'")


def test_an_equal_text_needs_no_question() -> None:
    assert SCORER.inquire(Completion(text="refund"), row(expected=["no", "refund"])) == Score(value=1.0)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_answer_is_unscored_and_nothing_is_asked(text: str) -> None:
    assert SCORER.inquire(Completion(text=text), row(expected="refund")) == Unscored(
        reason="the answer is empty: there is no text to embed"
    )


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        (
            [vector(0, 0), vector(1, 2)],
            "the embeddings cannot be compared: a vector is all zeros, so it has no direction",
        ),
        (
            [vector(1, 2, 3), vector(1, 2)],
            "the embeddings cannot be compared: the vectors have different lengths: 3 and 2",
        ),
        ([vector(1, 2), Unscored(reason="too long")], "too long"),
        ([Unscored(reason="too long"), vector(1, 2)], "too long"),
        ([Completion(text="Hi!"), vector(1, 2)], "no vector came back: does this model give embeddings?"),
    ],
)
def test_what_cannot_be_compared_is_unscored(replies: Sequence[Completion | Unscored], reason: str) -> None:
    assert graded(replies) == Unscored(reason=reason)


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        ("", "the expected text is empty"),
        ([], "the expected text is empty"),
        (None, "the expected value must be a text or a list of texts, not null"),
        ({"a": 1}, "the expected value must be a text or a list of texts, not a mapping"),
    ],
)
def test_a_row_without_a_text_is_refused(expected: Json, why: str) -> None:
    with pytest.raises(ValueError) as told:
        SCORER.check(row(expected=expected))
    assert str(told.value) == why
