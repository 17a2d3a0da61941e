"""Rows and answers for the tests of scorers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Case, Completion, Score, ToolCall
from pytest_promptgate.errors import Place

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import Scorer
    from pytest_promptgate.core.types import Json


def row(expected: Json, **columns: Json) -> Case:
    """A row with this expected value."""
    return Case(
        id="t-1",
        inputs=columns,
        expected=expected,
        has_expected=True,
        tags=(),
        digest="",
        place=Place(file="rows.jsonl", line=1),
    )


def bare_row(**columns: Json) -> Case:
    """A row without an expected value."""
    return Case(
        id="t-1",
        inputs=columns,
        expected=None,
        has_expected=False,
        tags=(),
        digest="",
        place=Place(file="rows.jsonl", line=1),
    )


def score(scorer: Scorer, text: str, case: Case | None = None) -> Score:
    """What `scorer` says about this answer."""
    return graded(scorer, Completion(text=text), case or bare_row())


def score_calls(scorer: Scorer, case: Case, *calls: tuple[str, str]) -> Score:
    """What `scorer` says about these tool calls (name, arguments)."""
    made = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in calls)
    return graded(scorer, Completion(text="", tool_calls=made), case)


def graded(scorer: Scorer, completion: Completion, case: Case) -> Score:
    """The score of a scorer that does not wait and can always tell."""
    found = scorer(completion, case)
    assert isinstance(found, Score)
    return found
