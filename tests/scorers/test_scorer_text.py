from __future__ import annotations

from typing import Any

import pytest
from scorer_rows import bare_row, row, score

from pytest_promptgate.core.types import Completion, Json
from pytest_promptgate.scorers.text import Contains, ExactMatch


@pytest.mark.parametrize(
    ("normalize", "answered", "expected", "value"),
    [
        (["strip"], " billing\n", "billing", 1.0),
        ([], " billing", "billing", 0.0),
        (["strip"], "Billing", "billing", 0.0),
        (["lower"], "Billing", "billing", 1.0),
        ("casefold", "STRASSE", "straße", 1.0),
        (["lower"], "STRASSE", "straße", 0.0),
        (["collapse_whitespace"], "new \n\t order ", "new order", 1.0),
        (["punctuation"], "billing!", "billing", 1.0),
        (["punctuation"], "$5", "5", 0.0),
        (["quotes"], "“it’s”", '"it\'s"', 1.0),
        (["unquote"], '"billing"', "billing", 1.0),
        (["unquote"], '"', "", 0.0),
        (["articles", "strip"], "The answer an author", "answer author", 1.0),
        (["articles"], "theatre", "atre", 0.0),
        (["nfc"], "cafe\u0301", "caf\u00e9", 1.0),
        (["strip"], "cafe\u0301", "caf\u00e9", 0.0),
        (["nfkc"], "ﬁn²", "fin2", 1.0),
        (["unquote", "strip"], '" a "', "a", 1.0),
        (["strip"], "", "", 1.0),
    ],
)
def test_exact_match_compares_normalised_texts(normalize: Any, answered: str, expected: str, value: float) -> None:
    assert score(ExactMatch(normalize=normalize), answered, row(expected)).value == value


@pytest.mark.parametrize(
    ("expected", "answered", "value"),
    [
        (None, "null", 1.0),
        (None, "None", 0.0),
        (None, "", 0.0),
        (True, "true", 1.0),
        (True, "True", 0.0),
        (True, "1", 0.0),
        (1, "1", 1.0),
        (1, "1.0", 0.0),
        (1.0, "1.0", 1.0),
        (0.1, "0.1", 1.0),
        ("None", "None", 1.0),
    ],
)
def test_exact_match_takes_what_is_no_text_as_its_json_text(expected: Json, answered: str, value: float) -> None:
    assert score(ExactMatch(), answered, row(expected)).value == value


def test_exact_match_labels_are_the_normalised_texts() -> None:
    scorer = ExactMatch(normalize=("strip", "casefold"))
    assert score(scorer, " Billing ", row("BILLING")).labels == ("billing", "billing")
    assert score(scorer, "Sales", row("BILLING")).labels == ("sales", "billing")


def test_labels_of_long_texts_are_short_and_stay_different() -> None:
    found = score(ExactMatch(), "x" * 1_000_000, row("x" * 999_999))
    assert found.value == 0.0
    assert found.labels is not None
    assert [len(each) for each in found.labels] == [80, 80]
    assert found.labels[0] != found.labels[1]


def test_a_reason_is_short_and_without_control_characters() -> None:
    found = score(ExactMatch(), "a\x1b[31m\u202e\n" + "y" * 1_000_000, row("billing"))
    assert found.reason == "answered 'a\\x1b[31m\\u202e " + "y" * 103 + "…', expected 'billing'"


def test_exact_match_of_odd_unicode_scores() -> None:
    assert score(ExactMatch(), "\ud800", row("\ud800")).value == 1.0
    assert score(ExactMatch(), "\ud800", row("x")).reason == "answered '\\ud800', expected 'x'"


def test_exact_match_reads_the_named_column() -> None:
    assert score(ExactMatch(expected="queue"), "billing", bare_row(queue="billing")).value == 1.0


@pytest.mark.parametrize(("expected", "what"), [({"a": 1}, "a mapping"), (["a"], "a list")])
def test_exact_match_cannot_compare_containers(expected: Json, what: str) -> None:
    for call in (
        lambda: ExactMatch().check(row(expected)),
        lambda: ExactMatch()(Completion(text="x"), row(expected)),
    ):
        with pytest.raises(ValueError) as told:
            call()
        assert str(told.value) == (
            f"the expected value is {what}, and this scorer compares text; "
            "use json_match, or let `expected` name one key of it"
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"normalize": ["stripp"]},
            (
                "normalize cannot be 'stripp'. Did you mean 'strip'? Accepted: articles, casefold, "
                "collapse_whitespace, lower, nfc, nfkc, punctuation, quotes, strip, unquote"
            ),
        ),
        ({"normalize": 3}, "normalize must be a text or a list of texts, none of them empty, not 3"),
        ({"normalize": ["strip", None]}, "normalize must be a text or a list of texts, none of them empty, not null"),
        ({"expected": 3}, "expected must be the name of a column or of a key of the row's expected value, not 3"),
        ({"expected": ""}, "expected must be the name of a column or of a key of the row's expected value, not ''"),
    ],
)
def test_exact_match_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        ExactMatch(**settings)
    assert str(told.value) == message


@pytest.mark.parametrize(
    ("settings", "answered", "value", "reason"),
    [
        ({"text": "refund"}, "a refund is due", 1.0, ""),
        ({"text": "Refund"}, "a refund is due", 0.0, "not in the answer: 'Refund'"),
        ({"text": "Refund", "ignore_case": True}, "a refund is due", 1.0, ""),
        ({"text": ["a", "b"]}, "a b", 1.0, ""),
        ({"text": ["a", "x", "y"]}, "a b", 0.0, "not in the answer: 'x', 'y'"),
        ({"text": ["x", "b"], "match": "any"}, "a b", 1.0, ""),
        ({"text": ["v", "w", "x", "y"], "match": "any"}, "a", 0.0, "not in the answer: 'v', 'w', 'x' and 1 more"),
        ({"text": ["x"], "match": "none"}, "a", 1.0, ""),
        ({"text": ["x", "y"], "match": "none"}, "a y", 0.0, "in the answer: 'y'"),
        ({"text": "x"}, "", 0.0, "not in the answer: 'x'"),
    ],
)
def test_contains_looks_for_the_texts_of_the_suite(
    settings: dict[str, Any], answered: str, value: float, reason: str
) -> None:
    found = score(Contains(**settings), answered)
    assert (found.value, found.reason) == (value, reason)


@pytest.mark.parametrize(
    ("expected", "value"), [("blue", 1.0), (["red", "blue"], 1.0), (["red", "green"], 0.0), (42, 1.0), ("Blue", 0.0)]
)
def test_contains_looks_for_the_texts_of_the_row(expected: Json, value: float) -> None:
    assert score(Contains(), "red and blue, 42", row(expected)).value == value
    assert score(Contains(expected="colour"), "red and blue, 42", bare_row(colour=expected)).value == value


def test_contains_needs_the_row_only_without_text() -> None:
    assert Contains().needs_expected
    assert not Contains(text=("x",)).needs_expected


@pytest.mark.parametrize("expected", ["", [], ["a", ""]])
def test_contains_refuses_an_empty_expected_value(expected: Json) -> None:
    with pytest.raises(ValueError) as told:
        Contains().check(row(expected))
    assert str(told.value) == "the expected value is empty, and every answer contains an empty text"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"text": []}, "text must not be an empty list"),
        ({"text": ""}, "text must be a text or a list of texts, none of them empty, not ''"),
        ({"text": {"a": 1}}, "text must be a text or a list of texts, none of them empty, not a mapping"),
        (
            {"text": "a", "expected": "b"},
            "text and expected exclude each other: text stands in the suite, expected in the row",
        ),
        ({"match": "some"}, "match cannot be 'some'. Accepted: all, any, none"),
        ({"ignore_case": "yes"}, "ignore_case must be true or false, not 'yes'"),
    ],
)
def test_contains_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        Contains(**settings)
    assert str(told.value) == message
