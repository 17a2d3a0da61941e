"""What a comment holds, and by what it is found again."""

from __future__ import annotations

import pytest

from pytest_promptgate.core.comment import MOST, Comment, body_of, marker, own, pull_request_of
from pytest_promptgate.core.types import Json

MARK = marker("promptgate")


def comment(number: int, body: str, author: str = "bot") -> Comment:
    """A comment."""
    return Comment(id=number, author=author, body=body, url="")


def test_the_marker_is_hidden_and_comes_first() -> None:
    assert body_of("# red\n", MARK) == "<!-- promptgate-comment: promptgate -->\n# red\n"


@pytest.mark.parametrize("name", ["", "a b", "-->", "-x", "a" * 101, "é"])
def test_a_name_that_could_end_the_marker_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\Ause letters, digits, '\.', '_' and '-', at most 100\Z"):
        marker(name)


@pytest.mark.parametrize("line", ["x" * 80, "é" * 80, "🙂" * 80])
def test_a_report_that_is_too_long_is_cut_at_a_line_and_says_so_first(line: str) -> None:
    report = f"{line}\n" * 1000

    body = body_of(report, MARK)

    assert MOST - 200 < len(body) <= MOST
    assert body.splitlines()[:3] == [
        MARK,
        "> This report has 81,000 characters and is cut here; the job's summary has the whole.",
        "",
    ]
    assert set(body.splitlines()[3:]) == {line}


def test_a_single_line_without_end_is_cut_as_well() -> None:
    assert len(body_of("x" * 100_000, MARK)) == MOST
    assert len(body_of("x" * (MOST - len(MARK) - 1), MARK)) == MOST


def test_ours_is_the_oldest_that_begins_with_the_marker_and_that_we_wrote() -> None:
    comments = [
        comment(1, f"> {MARK}\nquoted"),
        comment(2, f"{MARK}\nby somebody else", author="eve"),
        comment(4, f"{MARK}\nlater"),
        comment(3, f"{MARK}\nours"),
        comment(5, f"{marker('promptgate-2')}\nanother job"),
    ]

    assert own(comments, MARK, "bot") == (comments[3], 1)
    assert own(comments[:2], MARK, "bot") == (None, 1)


@pytest.mark.parametrize(
    ("event", "number"),
    [
        ({"pull_request": {"number": 7}}, 7),
        ({"issue": {"number": 8, "pull_request": {}}}, 8),
        ({"issue": {"number": 8}}, None),
        ({"pull_request": {"number": "7"}}, None),
        ({"ref": "refs/heads/main"}, None),
        ([], None),
    ],
)
def test_the_pull_request_of_an_event(event: Json, number: int | None) -> None:
    assert pull_request_of(event) == number
