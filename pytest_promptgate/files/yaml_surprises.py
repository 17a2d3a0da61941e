"""Plain YAML values that are text here, and something else to every reader of YAML 1.1.

`files.scalars` keeps them as they are written, so nothing changes in silence; but an editor, a script or a colleague
may read ``Yes`` as true. Quotes make them the same everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.lint import LintFinding
from pytest_promptgate.core.wording import shown
from pytest_promptgate.errors import Place
from pytest_promptgate.files.scalars import plain_value, read_by_yaml_1_1
from pytest_promptgate.files.source import plain_scalars

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_TOLD = 10  # of one file


def yaml_surprises(text: str, file: str, *, first_line: int = 1) -> Iterator[LintFinding]:
    """A warning for each such key or value, at most `MOST_TOLD` one by one.

    Args:
        text: A YAML document; what stands after its first fault is not looked at.
        file: Its name in places.
        first_line: Line of the file on which `text` starts.
    """
    found = [(line, column, value) for line, column, value in plain_scalars(text) if _is_surprising(value)]
    for line, column, value in found[:MOST_TOLD]:
        yield LintFinding(
            code="PG901",
            place=Place(file=file, line=line + first_line - 1, column=column),
            message=f"{value} is text here, and {read_by_yaml_1_1(value)} to readers of YAML 1.1",
            hint=f"Put it in quotes, {shown(value)}, if text is meant{_otherwise(value)}.",
        )
    if len(found) > MOST_TOLD:
        message = f"{len(found) - MOST_TOLD:,} further values are something else to readers of YAML 1.1"
        yield LintFinding(code="PG901", place=Place(file=file), message=message)


def _is_surprising(value: str) -> bool:
    return bool(read_by_yaml_1_1(value)) and isinstance(plain_value(value), str)


def _otherwise(value: str) -> str:
    seen = read_by_yaml_1_1(value)
    if seen in ("true", "false"):
        return f"; write {seen} if that is meant"
    return "; write the number plainly if one is meant" if "number" in seen else ""
