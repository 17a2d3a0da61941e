"""``turns: COLUMN`` of a suite: which column holds a list of user turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.turns import turns_of
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_promptgate.core.types import Case, PromptVersion
    from pytest_promptgate.files.node import Node

_FAULTS_TOLD = 10


def read_turns(
    root: Node, prompt: PromptVersion | None, columns: Collection[str] | None, filled: Collection[str]
) -> str:
    """The column, or "" if the suite names none. Faults are noted.

    Args:
        root: Of the suite.
        prompt: None: it has faults.
        columns: Of the dataset; None: it has faults.
        filled: The columns that the prompt's inputs are filled from.
    """
    node = root.get("turns")
    column = node.text("the name of a column") if node else None
    if node is None or column is None:
        return ""
    if prompt is not None and prompt.target is not None:
        node.fault("a target plays its turns itself", "Remove `turns`; the target gets the whole list.")
    elif columns is not None and column not in columns:
        node.fault(f"no row has a column {column!r}", did_you_mean(column, columns, label="Columns"))
    elif prompt is not None and column not in filled:
        hint = f"Its first turn stands in the prompt: write `inputs: {{INPUT: {column}}}`."
        node.fault(f"no input of {prompt.title} is filled from {column!r}", hint)
    return column


def check_turns(root: Node, cases: Sequence[Case], column: str) -> None:
    """Note the rows that have no turns."""
    for case in cases if column else ():
        try:
            turns_of(case, column)
        except DatasetError as fault:
            root.note(fault)
            if len(root.faults) >= _FAULTS_TOLD:
                return
