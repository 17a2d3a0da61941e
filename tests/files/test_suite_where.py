"""Filters of suites."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.files.where import WhereError, parse_where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Json

ROW: Mapping[str, Json] = {
    "language": "en",
    "score": 3,
    "share": 0.5,
    "ok": True,
    "none": None,
    "tags": ["safety", "slow"],
    "größe": 1,
}


@pytest.mark.parametrize(
    "text",
    [
        "language == 'en'",
        'language != "de"',
        "score >= 3 and share < 1",
        "score > 3 or ok",
        "not ok == false",
        "not (language == 'de' or score == 4)",
        "language in ['en', 'fr']",
        "language in ('en', 'fr')",
        "'safety' in tags and 'fast' not in tags",
        "'n' in language",
        "none == null and none == None",
        "ok == true and ok == True",
        "1 < score <= 3",
        "score == 3.0",
        "score > -1 and -1.5 < score",
        "größe == 1",
        "  ok  ",
        "absent == null",
        "language <= 'f'",
        "true",
    ],
)
def test_a_row_matches(text: str) -> None:
    assert parse_where(text).matches(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "language == 'EN'",
        "ok == 1",
        "score == true",
        "score == '3'",
        "none",
        "absent > 1",
        "none <= 1",
        "not ok",
        "score in []",
        "score in none",
        "1 in [true]",
        "3 < score < 4",
    ],
)
def test_a_row_does_not_match(text: str) -> None:
    assert not parse_where(text).matches(ROW)


def test_a_filter_knows_its_columns() -> None:
    assert parse_where("language == 'en' and (score > 1 or not ok) and true").columns == {"language", "score", "ok"}


SHAPE = "Write it like: language == 'en' and score >= 3. There are and, or, not, in, == != < <= > >=, ( ), [ ]."


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("language = 'en'", "the filter \"language = 'en'\" cannot be read"),
        ("", "the filter '' cannot be read"),
        ("a; b", "the filter 'a; b' cannot be read"),
        ("(" * 300 + "a" + ")" * 300, f"the filter {'(' * 57 + '...'!r} cannot be read"),
        ("a\x00b", r"the filter 'a\x00b' cannot be read"),
        ("len(language) > 1", "a filter cannot hold 'len(language)'"),
        ("language.upper() == 'EN'", "a filter cannot hold 'language.upper()'"),
        ("().__class__", "a filter cannot hold '().__class__'"),
        ("tags[0] == 'a'", "a filter cannot hold 'tags[0]'"),
        ("score + 1 == 4", "a filter cannot hold 'score + 1'"),
        ("language == f'{score}'", "a filter cannot hold \"f'{score}'\""),
        ("language == b'en'", "a filter cannot hold \"b'en'\""),
        ("(lambda: ok)", "a filter cannot hold 'lambda: ok'"),
        ("[x for x in tags]", "a filter cannot hold '[x for x in tags]'"),
        ("language in [language]", "a filter cannot hold 'language'"),
        ("score == 1j", "a filter cannot hold '1j'"),
        ("(x := 1)", "a filter cannot hold '(x := 1)'"),
    ],
)
def test_what_is_no_filter_is_told(text: str, what: str) -> None:
    with pytest.raises(WhereError) as caught:
        parse_where(text)

    assert (caught.value.what, caught.value.hint) == (what, SHAPE)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("score is 3", "a filter knows no 'is'", "Write == or !=."),
        ("a" * 2001, "a filter of 2,001 characters; at most 2,000 are read", ""),
    ],
)
def test_other_faults_have_their_own_hint(text: str, what: str, hint: str) -> None:
    with pytest.raises(WhereError) as caught:
        parse_where(text)

    assert (caught.value.what, caught.value.hint) == (what, hint)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("score > 'high'", "3 and 'high' have no order", "Compare numbers, or texts."),
        ("ok < 2", "true and 2 have no order", "Compare numbers, or texts."),
        ("language", "'language' is 'en', not true or false", "Compare it with something."),
        ("1 in score", "cannot look for 1 in 3", "What stands after `in` is a list or text."),
        ("1 in language", "cannot look for 1 in 'en'", "What stands after `in` is a list or text."),
    ],
)
def test_what_cannot_be_applied_to_a_row_is_told(text: str, what: str, hint: str) -> None:
    with pytest.raises(WhereError) as caught:
        parse_where(text).matches(ROW)

    assert (caught.value.what, caught.value.hint) == (what, hint)
