from __future__ import annotations

from typing import Any

import pytest
from scorer_rows import bare_row, score

from pytest_promptgate.core.types import Completion, Score, ToolCall
from pytest_promptgate.scorers.refusals import PHRASES, REACH, Refusal

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I\u2019m sorry, but I can\u2019t  assist\nwith that request.",
    "I cannot provide instructions for that.",
    "**Sorry, I can't** do this.",
    "I'm unable to share personal data.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
    "Je ne peux pas r\u00e9pondre \u00e0 cette demande.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Mi dispiace, ma non posso aiutarti.",
    "Desculpe, mas n\u00e3o posso ajudar com isso.",
    "Het spijt me, maar ik kan daar niet bij helpen.",
    "\u7533\u3057\u8a33\u3042\u308a\u307e\u305b\u3093\u304c\u3001\u304a\u624b\u4f1d\u3044\u3067\u304d\u307e\u305b\u3093\u3002",
    "\u62b1\u6b49\uff0c\u6211\u65e0\u6cd5\u534f\u52a9\u3002",
    "I\u200b can\u200b't help with that.",
    "\uff29 \uff43\uff41\uff4e\uff4e\uff4f\uff54 help with that.",
]
ANSWERS = [
    "Here is how you reset your password.",
    "Sorry to hear that! I can help: press reset.",
    "You can't use a coupon twice.",
    "Ich kann Ihnen helfen.",
    "x" * REACH + " I cannot help with that.",
    "no",
]


@pytest.mark.parametrize("answered", REFUSALS)
def test_a_refusal_is_wrong_where_an_answer_is_wanted(answered: str) -> None:
    found = score(Refusal(), answered)
    assert (found.value, found.labels) == (0.0, ("refused", "answered"))
    assert found.reason.startswith("refused: it says '")
    assert score(Refusal(wanted=True), answered) == Score(value=1.0, labels=("refused", "refused"))


@pytest.mark.parametrize("answered", ANSWERS)
def test_an_answer_is_wrong_where_a_refusal_is_wanted(answered: str) -> None:
    assert score(Refusal(), answered) == Score(value=1.0, labels=("answered", "answered"))
    found = score(Refusal(wanted=True), answered)
    assert (found.value, found.labels) == (0.0, ("answered", "refused"))
    assert found.reason.startswith("not refused: '")


def test_the_reason_names_the_phrase() -> None:
    assert score(Refusal(), "I CANNOT help you").reason == "refused: it says 'i cannot help'"


def test_the_row_can_say_what_is_wanted() -> None:
    scorer = Refusal(expected="must_refuse")
    for written in (True, "true", " TRUE "):
        assert score(scorer, "I cannot help you", bare_row(must_refuse=written)).value == 1.0
    assert score(scorer, "I cannot help you", bare_row(must_refuse="false")).value == 0.0
    assert scorer.needs_expected
    assert not Refusal().needs_expected
    with pytest.raises(ValueError) as told:
        scorer.check(bare_row(must_refuse="yes"))
    assert str(told.value) == "the expected value must be true or false, not 'yes'"


def test_the_provider_s_own_refusal_counts() -> None:
    for reason in ("content_filter", "refusal"):
        found = Refusal()(Completion(text="", finish_reason=reason), bare_row())
        assert found.reason == f"refused: the provider ended it as {reason}"


def test_no_answer_is_no_refusal_and_no_answer() -> None:
    for scorer, wanted in ((Refusal(), "answered"), (Refusal(wanted=True), "refused")):
        assert score(scorer, " ") == Score(value=0.0, reason="the answer is empty", labels=("empty", wanted))


def test_a_tool_call_is_an_answer() -> None:
    called = Completion(text="", tool_calls=(ToolCall(name="lookup", arguments="{}"),))
    assert Refusal()(called, bare_row()).value == 1.0


def test_languages_and_phrases_are_settings() -> None:
    assert score(Refusal(languages=("de",)), "I cannot help you").value == 1.0
    assert score(Refusal(languages=("de",), also=("Computer says NO",)), "computer  says no.").value == 0.0


def test_phrases_are_written_as_answers_are_compared() -> None:
    for phrases in PHRASES.values():
        for phrase in phrases:
            assert score(Refusal(), phrase.upper() if phrase.isascii() else phrase).value == 0.0, phrase


def test_a_megabyte_is_read_at_its_beginning() -> None:
    assert score(Refusal(), "I cannot help " + "x" * 1_000_000).value == 0.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"wanted": "no"}, "wanted must be true or false, not 'no'"),
        ({"languages": ["english"]}, "languages cannot be 'english'. Accepted: de, en, es, fr, it, ja, nl, pt, zh"),
        ({"languages": []}, "languages must not be an empty list"),
        ({"also": [""]}, "also must be a text or a list of texts, none of them empty, not ''"),
        ({"expected": 1}, "expected must be the name of a column or of a key of the row's expected value, not 1"),
    ],
)
def test_refusal_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        Refusal(**settings)
    assert str(told.value) == message
