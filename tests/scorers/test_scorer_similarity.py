"""edit_similarity and token_f1, against rapidfuzz's and SQuAD's own numbers."""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scorer_rows import bare_row, row, score

from pytest_promptgate.core.types import Completion, Json, Unscored
from pytest_promptgate.scorers.similarity import EditSimilarity, TokenF1

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = st.text(string.ascii_letters + " .,!-", max_size=40).filter(str.strip)


@pytest.mark.parametrize(
    ("expected", "answered", "value", "reason"),
    [
        ("sitting", "kitten", 0.5714285714285714, "3 edits from 'sitting' to 'kitten'"),
        ("approve", "disapprove", 0.7, "3 edits from 'approve' to 'disapprove'"),
        ("The dog had bit the man.", "The dog bit the man.", 0.8333333333333334,
         "4 edits from 'The dog had bit the man.' to 'The dog bit the man.'"),
        ("abc", " abc\n", 1.0, ""),
        ("abc", "", 0.0, "3 edits from 'abc' to ''"),
        ("abd", "abc", 2 / 3, "1 edit from 'abd' to 'abc'"),
        (["red", "blue"], "blue!", 0.8, "1 edit from 'blue' to 'blue!'"),
        (42, "43", 0.5, "1 edit from '42' to '43'"),
        ("e\u0301", "\u00e9", 0.0, "2 edits from 'e\u0301' to '\u00e9'"),
    ],
)  # fmt: skip
def test_edit_similarity_is_one_minus_the_share_of_edits(
    expected: Json, answered: str, value: float, reason: str
) -> None:
    found = score(EditSimilarity(), answered, row(expected))
    assert found.value == pytest.approx(value, abs=1e-15)
    assert found.reason == reason


def test_both_texts_are_normalised_alike() -> None:
    scorer = EditSimilarity(expected="name", normalize=("nfc", "casefold"))
    assert score(scorer, "CAFE\u0301", bare_row(name="caf\u00e9")).value == 1.0


@settings(deadline=None)
@given(answered=PLAIN, expected=PLAIN)
def test_the_number_is_rapidfuzz_s(answered: str, expected: str) -> None:
    levenshtein = pytest.importorskip("rapidfuzz.distance").Levenshtein
    found = score(EditSimilarity(normalize=()), answered, row(expected)).value
    assert found == pytest.approx(levenshtein.normalized_similarity(answered, expected), abs=1e-12)


def test_texts_that_would_take_minutes_are_unscored() -> None:
    found = EditSimilarity()(Completion(text="x" * 1_000_000), row("y"))
    assert found == Unscored(reason="the answer has 1,000,000 characters; only texts of up to 100,000 are compared")
    assert EditSimilarity()(Completion(text="x"), row("y" * 100_001)) == Unscored(
        reason="the expected text has 100,001 characters; only texts of up to 100,000 are compared"
    )


@pytest.mark.parametrize(
    ("expected", "answered", "value"),
    [
        ("Denver Broncos", "The Denver Broncos!", 1.0),
        ("Denver Broncos", "Denver", 2 / 3),
        ("Denver Broncos", "the Carolina Panthers", 0.0),
        ("Santa Clara, California", "Levi's Stadium in Santa Clara", 2 * 2 / (3 + 5)),
        (["1958", "in 1958"], "It was in 1958.", 2 * 2 / (2 + 4)),
        ("x x y", "x y y", 2 * 2 / 6),
        ("the", "an", 1.0),
        ("the", "word", 0.0),
        ("word", "", 0.0),
    ],
)
def test_token_f1_counts_shared_words(expected: Json, answered: str, value: float) -> None:
    assert score(TokenF1(), answered, row(expected)).value == pytest.approx(value)


def test_token_f1_shows_what_was_compared() -> None:
    assert (
        score(TokenF1(), "the red car\n", row(["blue", "a car"])).reason == "answered 'the red car', expected 'a car'"
    )


def squad_f1(prediction: str, truth: str) -> float:
    """`f1_score` of SQuAD's evaluation script, version 1.1, with the two cases that 2.0 adds."""

    def tokens(text: str) -> list[str]:
        bare = "".join(each for each in text.lower() if each not in set(string.punctuation))
        return re.sub(r"\b(a|an|the)\b", " ", bare).split()

    ours, theirs = tokens(prediction), tokens(truth)
    if not ours or not theirs:
        return float(ours == theirs)
    same = sum((Counter(ours) & Counter(theirs)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(ours), same / len(theirs)
    return 2 * precision * recall / (precision + recall)


@given(answered=PLAIN, expected=PLAIN)
def test_the_number_is_squad_s(answered: str, expected: str) -> None:
    assert score(TokenF1(), answered, row(expected)).value == pytest.approx(squad_f1(answered, expected), abs=1e-12)


def test_a_megabyte_of_words_is_compared() -> None:
    found = score(TokenF1(), "word " * 200_000, row("word"))
    assert found.value == pytest.approx(2 / 200_001)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (None, "the expected value must be a text or a list of texts, not null"),
        (True, "the expected value must be a text or a list of texts, not true"),
        ({"a": 1}, "the expected value must be a text or a list of texts, not a mapping"),
        (["a", None], "the expected value must be a text or a list of texts, not null"),
        ([["a"]], "the expected value must be a text or a list of texts, not a list"),
        ("", "the expected text is empty"),
        ([], "the expected text is empty"),
        (["a", " "], "the expected text is empty"),
    ],
)
def test_a_row_that_holds_no_text_is_an_error(expected: Json, message: str) -> None:
    for scorer in (EditSimilarity(), TokenF1()):
        with pytest.raises(ValueError) as told:
            scorer.check(row(expected))
        assert str(told.value) == message


def test_bytes_are_no_text() -> None:
    expected: Any = b"abc"
    with pytest.raises(ValueError) as told:
        TokenF1().check(row([expected]))
    assert str(told.value) == "the expected value must be a text or a list of texts, not a list"


@pytest.mark.parametrize("scorer", [EditSimilarity, TokenF1])
def test_wrong_settings_are_refused(scorer: Any) -> None:
    refusals: Sequence[tuple[dict[str, Any], str]] = [
        ({"expected": 3}, "expected must be the name of a column or of a key of the row's expected value, not 3"),
        ({"normalize": 3}, "normalize must be a text or a list of texts, none of them empty, not 3"),
    ]
    for given_settings, message in refusals:
        with pytest.raises(ValueError) as told:
            scorer(**given_settings)
        assert str(told.value) == message
