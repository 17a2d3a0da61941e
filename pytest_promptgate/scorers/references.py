"""Texts that a free answer is held against: one, or several of which the best counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_promptgate.core.expected import expected_of
from pytest_promptgate.core.wording import shown
from pytest_promptgate.scorers.normalisers import text_of

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Json

LONGEST = 100_000  # characters of a text that is compared at more than linear cost


def references(case: Case, name: str | None) -> tuple[str, ...]:
    """The expected texts of a row, at least one; numbers are their JSON text.

    Raises:
        LookupError: The row has nothing of that name.
        ValueError: It is no text and no number, nor a list of them, or it is blank.
    """
    value = expected_of(case, name)
    each_of = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    texts = tuple(_text(each) for each in each_of)
    if not texts or not all(text.strip() for text in texts):
        raise ValueError("the expected text is empty")
    return texts


def _text(value: Json) -> str:
    if value is None or isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"the expected value must be a text or a list of texts, not {shown(value)}")
    return text_of(value)


def too_long(answered: str, texts: Sequence[str]) -> str:
    """Why these are not compared; "" if they are."""
    longest = max(map(len, (answered, *texts)))
    if longest <= LONGEST:
        return ""
    whose = "answer" if longest == len(answered) else "expected text"
    return f"the {whose} has {longest:,} characters; only texts of up to {LONGEST:,} are compared"
