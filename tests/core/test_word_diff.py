"""Texts compared word by word, and the versions of a prompt taken apart."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_promptgate.core.types import Message
from pytest_promptgate.core.version_diff import paired
from pytest_promptgate.core.word_diff import MOST_LINES, MOST_WORDS, Mark, before_and_after, word_diff

TEXTS = st.text(alphabet=st.sampled_from("ab .\n\r\té"), max_size=60)


def marked(before: str, after: str) -> str:
    """The diff in one line: ``kept [-removed-] {+added+}``."""
    forms = {Mark.KEPT: "{}", Mark.REMOVED: "[-{}-]", Mark.ADDED: "{{+{}+}}"}
    return "".join(forms[span.mark].format(span.text) for span in word_diff(before, after))


@given(TEXTS, TEXTS)
def test_the_spans_of_either_side_are_that_text(before: str, after: str) -> None:
    old, new = before_and_after(word_diff(before, after))

    assert ("".join(span.text for span in old), "".join(span.text for span in new)) == (before, after)


@given(TEXTS, TEXTS)
def test_no_span_is_empty_and_no_two_neighbours_are_of_one_kind(before: str, after: str) -> None:
    spans = word_diff(before, after)

    assert all(span.text for span in spans)
    assert all(one.mark is not other.mark for one, other in itertools.pairwise(spans))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", ""),
        ("same", "same", "same"),
        ("", "new", "{+new+}"),
        ("Route it.", "Route them all.", "Route [-it-]{+them all+}."),
        ("a very old text", "a quite new text", "a [-very old-]{+quite new+} text"),
        ("one\ntwo\nthree\n", "one\n2\nthree\n", "one\n[-two-]{+2+}\nthree\n"),
    ],
)
def test_whole_words_are_compared(before: str, after: str, expected: str) -> None:
    assert marked(before, after) == expected


def test_a_block_that_is_too_long_is_not_looked_into() -> None:
    before = "kept\n" + "a " * MOST_WORDS + "\nkept too"

    assert marked(before, before.replace("a ", "b ")) == (
        f"kept\n[-{'a ' * MOST_WORDS}\n-]{{+{'b ' * MOST_WORDS}\n+}}kept too"
    )


def test_of_very_long_texts_the_ends_are_kept() -> None:
    lines = "same\n" * MOST_LINES

    assert marked(f"{lines}1\n{lines}", f"{lines}2\n{lines}") == f"{lines}[-1-]{{+2+}}\n{lines}"
    assert marked(lines + "same\n", lines + "same\n") == lines + "same\n"
    assert marked(lines + "same\n", lines) == lines + "[-same\n-]"


def test_messages_are_paired_by_their_roles() -> None:
    system, user, more, edited = (
        Message(role="system", content="s"),
        Message(role="user", content="u"),
        Message(role="assistant", content="a"),
        Message(role="user", content="u2"),
    )

    assert list(paired([system, user], [system, edited])) == [(system, system), (user, edited)]
    assert list(paired([system, user], [system, more, edited])) == [(system, system), (None, more), (user, edited)]
    assert list(paired([system, user], [user])) == [(system, None), (user, user)]
