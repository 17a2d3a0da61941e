from __future__ import annotations

from typing import Any

import pytest
from scorer_rows import bare_row, row, score

from pytest_promptgate.core.types import Completion
from pytest_promptgate.scorers.regex import Regex


@pytest.mark.parametrize(
    ("settings", "answered", "value"),
    [
        ({"pattern": r"\d+"}, "order 12", 1.0),
        ({"pattern": r"\d+"}, "order", 0.0),
        ({"pattern": r"\d+", "match": "fullmatch"}, "order 12", 0.0),
        ({"pattern": r"\d+", "match": "fullmatch"}, "12", 1.0),
        ({"pattern": "ORDER"}, "order", 0.0),
        ({"pattern": "ORDER", "flags": "ignore_case"}, "order", 1.0),
        ({"pattern": "^b$", "flags": ["multiline"]}, "a\nb", 1.0),
        ({"pattern": "a.b", "flags": ["dotall"]}, "a\nb", 1.0),
        ({"pattern": "a b", "flags": ["verbose"]}, "ab", 1.0),
        ({"pattern": r"\w", "flags": ["ascii"]}, "é", 0.0),
        ({"pattern": "(ab)+", "match": "fullmatch"}, "ababab", 1.0),
        ({"pattern": "(a|b)*c", "match": "fullmatch"}, "ab\ud800", 0.0),
        ({"pattern": "x"}, "", 0.0),
    ],
)
def test_regex_scores_a_match(settings: dict[str, Any], answered: str, value: float) -> None:
    assert score(Regex(**settings), answered).value == value


def test_regex_says_what_did_not_match() -> None:
    assert score(Regex(pattern=r"\d+"), "no\nnumber").reason == "'\\d+' does not match 'no number'"


def test_regex_compares_its_group_with_the_expected_text() -> None:
    scorer = Regex(pattern=r"queue: (?P<queue>\w+)", group="queue", expected="expected", normalize=("casefold",))

    right = score(scorer, "queue: Billing.", row("billing"))
    other = score(scorer, "queue: Sales.", row("billing"))
    none = score(scorer, "billing", row("billing"))

    assert (right.value, right.reason, right.labels) == (1.0, "", ("billing", "billing"))
    assert (other.value, other.reason, other.labels) == (
        0.0,
        "found 'sales', expected 'billing'",
        ("sales", "billing"),
    )
    assert (none.value, none.labels) == (0.0, ("(no match)", "billing"))


def test_a_group_that_took_no_part_is_no_match() -> None:
    assert score(Regex(pattern="(a)|b", group=1), "b").value == 0.0


def test_regex_needs_a_row_and_gives_labels_only_if_it_compares() -> None:
    assert not Regex(pattern="x").needs_expected
    assert not Regex(pattern="x").labels
    assert Regex(pattern="x", expected="queue").needs_expected
    assert Regex(pattern="x", expected="queue").labels


@pytest.mark.parametrize("pattern", ["(a+)+$", "(?x)(a+) +$", "(a|a)*$", "(a+)(?#c)+$", "a?" * 40 + "a" * 40 + "$"])
def test_a_pattern_that_would_run_for_hours_is_an_error_of_its_case(pattern: str) -> None:
    scorer = Regex(pattern=pattern, timeout_s=0.05, match="fullmatch")
    with pytest.raises(TimeoutError) as told:
        scorer(Completion(text="a" * 40 + "b"), bare_row())
    assert str(told.value) == (
        "the pattern took more than 0.05 s on an answer of 41 characters; "
        "the usual cause is a quantifier inside a quantified group, such as (a+)+"
    )


def test_the_next_match_after_a_timeout_is_made_as_usual() -> None:
    with pytest.raises(TimeoutError):
        Regex(pattern="(b+)+$", timeout_s=0.05)(Completion(text="b" * 40 + "a"), bare_row())
    assert score(Regex(pattern="(b+)+$", timeout_s=60), "bbb").value == 1.0


def test_a_long_answer_is_matched() -> None:
    assert score(Regex(pattern=r"a.*b.*c\Z", flags=("dotall",), timeout_s=60), "a" + "b" * 100_000 + "c").value == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"pattern": "(a"},
            "pattern '(a' is no regular expression: missing ), unterminated subpattern at position 0",
        ),
        ({"pattern": ""}, "pattern must be a regular expression, not ''"),
        ({"pattern": 3}, "pattern must be a regular expression, not 3"),
        ({"pattern": "(a)", "group": 2}, "group cannot be 2 in pattern '(a)'. Accepted: 0, 1"),
        ({"pattern": "(?P<q>a)", "group": "r"}, "group cannot be 'r' in pattern '(?P<q>a)'. Accepted: 0, 1, q"),
        ({"pattern": "a", "group": True}, "group cannot be True in pattern 'a'. Accepted: 0"),
        (
            {"pattern": "a", "flags": ["ignorecase"]},
            (
                "flags cannot be 'ignorecase'. Did you mean 'ignore_case'? "
                "Accepted: ascii, dotall, ignore_case, multiline, verbose"
            ),
        ),
        (
            {"pattern": "a", "match": "full"},
            "match cannot be 'full'. Did you mean 'fullmatch'? Accepted: fullmatch, search",
        ),
        ({"pattern": "a", "timeout_s": 0}, "timeout_s must be a number of seconds above 0 and up to 60, not 0"),
        ({"pattern": "a", "timeout_s": "2"}, "timeout_s must be a number of seconds above 0 and up to 60, not '2'"),
    ],
)
def test_regex_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        Regex(**settings)
    assert str(told.value) == message
