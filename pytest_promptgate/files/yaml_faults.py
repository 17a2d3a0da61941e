"""What the YAML parser complains of, in our own shape and with a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.errors import FileError, Place

if TYPE_CHECKING:
    from yaml import MarkedYAMLError


def syntax_error(fault: MarkedYAMLError, text: str, file: str, first_line: int, error: type[FileError]) -> FileError:
    """The parser's fault as `error`, with the place in the file."""
    mark = fault.problem_mark or fault.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = fault.problem or fault.context or "unreadable"
    lines = text.splitlines()
    seen = lines[line] if line < len(lines) else ""
    place = Place(file=file, line=line + first_line, column=column + 1)
    return error(place, f"not valid YAML: {problem}", hint=_syntax_hint(problem, seen, column))


def _syntax_hint(problem: str, seen: str, column: int) -> str:
    if "\t" in seen[: column + 1]:
        return "Indent with spaces; YAML allows no tabs there."
    if "mapping values are not allowed" in problem:
        return "A value that contains ': ' needs quotes; keys of one mapping start in the same column."
    if "cannot start any token" in problem and column < len(seen):
        return f"A value that starts with {seen[column]!r} needs quotes."
    return "Look here and on the lines before: a bracket or a quote that is not closed, or an indent that is off."
