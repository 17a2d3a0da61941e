from __future__ import annotations

from typing import Any

import pytest
from scorer_rows import bare_row, score

from pytest_promptgate.core.types import Completion, Score, ToolCall, Unscored
from pytest_promptgate.scorers.length import Length


@pytest.mark.parametrize(
    ("settings", "answered", "value", "reason"),
    [
        ({"at_most": 3}, "abc", 1.0, ""),
        ({"at_most": 3}, "abcd", 0.0, "4 characters, at most 3 are allowed"),
        ({"at_least": 1}, "", 0.0, "0 characters, at least 1 are wanted"),
        ({"at_least": 2}, "a", 0.0, "1 character, at least 2 are wanted"),
        ({"at_most": 0}, "", 1.0, ""),
        ({"at_most": 2, "unit": "words"}, "one  two\nthree", 0.0, "3 words, at most 2 are allowed"),
        ({"at_least": 2, "at_most": 2, "unit": "words"}, " one two ", 1.0, ""),
        ({"at_most": 2, "unit": "lines"}, "a\n\n  \nb\r\nc", 0.0, "3 lines, at most 2 are allowed"),
        ({"at_most": 1000}, "x" * 1_000_000, 0.0, "1,000,000 characters, at most 1,000 are allowed"),
        ({"at_most": 1}, "\U0001f600", 1.0, ""),
    ],
)
def test_length_holds_the_answer_against_its_limits(
    settings: dict[str, Any], answered: str, value: float, reason: str
) -> None:
    found = score(Length(**settings), answered)
    assert (found.value, found.reason) == (value, reason)


def test_tokens_are_the_provider_s_and_unscored_without_its_count() -> None:
    scorer = Length(at_most=5, unit="tokens")
    assert scorer(Completion(text="x", tokens_out=6), bare_row()) == Score(
        value=0.0, reason="6 tokens, at most 5 are allowed"
    )
    assert scorer(Completion(text="x"), bare_row()) == Unscored(
        reason="the provider did not count the tokens of the answer"
    )
    assert not scorer.reads_text
    assert Length(at_most=5).reads_text


def test_tool_calls_have_no_length() -> None:
    answered = Completion(text="", tool_calls=(ToolCall(name="lookup", arguments="{}"),))
    assert Length(at_most=1)(answered, bare_row()) == Score(value=1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "it needs at_most or at_least; as it stands, every length is right"),
        ({"at_most": 2, "at_least": 3}, "at_most 2 is below at_least 3, so no length is right"),
        ({"at_most": -1}, "at_most must be a whole number >= 0, not -1"),
        ({"at_most": 2.5}, "at_most must be a whole number >= 0, not 2.5"),
        ({"at_most": float("nan")}, "at_most must be a whole number >= 0, not nan"),
        ({"at_most": True}, "at_most must be a whole number >= 0, not true"),
        ({"at_least": "3"}, "at_least must be a whole number >= 0, not '3'"),
        (
            {"at_most": 1, "unit": "word"},
            "unit cannot be 'word'. Did you mean 'words'? Accepted: characters, lines, tokens, words",
        ),
    ],
)
def test_length_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        Length(**settings)
    assert str(told.value) == message
