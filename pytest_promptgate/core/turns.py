"""Conversations: a column whose values are lists of user turns, played one after the other in one trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_promptgate.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_promptgate.core.types import Case, Json, Request, Suite


def turns_of(case: Case, column: str) -> tuple[str, ...]:
    """The user turns of a row, at least one; a text is one turn.

    Raises:
        DatasetError: The row has none, or something else than texts.
    """
    value = case.inputs.get(column)
    turns = (value,) if isinstance(value, str) else value
    if isinstance(turns, Sequence) and turns and all(isinstance(each, str) and each.strip() for each in turns):
        return tuple(str(each) for each in turns)
    what = f"case {case.id!r} has no user turns in column {column!r}"
    raise DatasetError(case.place, what, hint='It holds a list of texts, none of them empty: ["Hello", "And then?"].')


def opening(suite: Suite, case: Case, values: Mapping[str, Json]) -> tuple[dict[str, Json], tuple[str, ...]]:
    """`values` of the prompt's inputs with the first turn in place of all of them, and the turns that follow.

    Raises:
        DatasetError: As `turns_of`.
    """
    if not suite.turns:
        return dict(values), ()
    first, *following = turns_of(case, suite.turns)
    filled = {name for name in values if suite.inputs.get(name, name) == suite.turns and name not in suite.constants}
    return {name: first if name in filled else value for name, value in values.items()}, tuple(following)


def lengths(request: Request, size: Callable[[str], int]) -> int:
    """Sum of the sizes of all that is sent for `request`: every turn sends what came before it again.

    Args:
        request: To be asked; answers that come in between are not counted.
        size: Of one text.
    """
    sent = sum(size(message.content) for message in request.messages)
    total = sent
    for turn in request.turns:
        sent += size(turn)
        total += sent
    return total
