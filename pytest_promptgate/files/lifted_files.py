"""Files whose prompts are lifted: Python modules, notebooks and text files; read, never run."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

from pytest_promptgate.errors import Place, PromptError
from pytest_promptgate.files.lifted_parts import NotLiftedError
from pytest_promptgate.files.lifted_python import Found, find_prompts, guessed_section
from pytest_promptgate.files.prompty_format import ROLES
from pytest_promptgate.files.text import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_BYTES = 20_000_000
_SEPARATOR = re.compile(r"(?m)^===[ \t]*([^\n=]*?)[ \t]*=*[ \t]*$\n?")
_ROLE = re.compile(rf"(?m)^({'|'.join(ROLES)}):[ \t]*$\n?")
_MAGIC = re.compile(r"(\s*)([%!?].*|.*\?\s*|[\w, ]+=\s*[%!].*)\Z")
_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*")
_OF_PYTHON = {"capture", "prun", "time", "timeit"}  # the cell below them is Python


def read_prompts(path: Path, *, file: str) -> list[tuple[str, Found]]:
    """The prompts of a file, each with its place as ``metadata.source`` writes it.

    Args:
        path: Ends in .py, .ipynb or .txt (.md).
        file: Its name in messages and places.

    Raises:
        PromptError: It cannot be read, or is no Python and no notebook.
    """
    readers = {".py": _python, ".ipynb": _notebook, ".txt": _text, ".md": _text}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise PromptError(Place(file=file), "prompts are lifted from .py, .ipynb and .txt files")
    text = read_whole(path, file=file, error=PromptError, most_bytes=_MOST_BYTES)
    return list(reader(text, file, path.stem))


def _python(text: str, file: str, stem: str) -> Iterator[tuple[str, Found]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        what = f"not valid Python: {getattr(error, 'msg', error)}"
        raise PromptError(Place(file=file, line=line), what, hint="Nothing was lifted.") from None
    for found in find_prompts(tree, stem=stem):
        yield f"{file}:{found.line}", found


def _notebook(text: str, file: str, stem: str) -> Iterator[tuple[str, Found]]:
    lines: list[tuple[int, int]] = []  # cell and its line, by the line of all cells together
    together = ""
    for number, source in _code_cells(text, file):
        try:
            code = _without_magic(source)
        except (SyntaxError, ValueError, RecursionError) as error:
            what = f"not valid Python: {getattr(error, 'msg', error)}"
            yield f"{file}, cell {number}", Found(name=stem, line=1, why_not=what)
            continue
        together += f"{code}\n"
        lines += [(number, line) for line in range(1, code.count("\n") + 2)]
    for found in find_prompts(ast.parse(together), stem=stem):
        cell, line = lines[found.line - 1]
        yield f"{file}, cell {cell}, line {line}", found


def _without_magic(source: str) -> str:
    """A cell as Python, line for line; a line is IPython's own only where Python cannot read it: texts stay whole."""
    cell = _CELL_MAGIC.match(source)
    if cell and cell[1] not in _OF_PYTHON:
        return ""
    lines = (source[: cell.start()] + "pass" + source[cell.end() :] if cell else source).split("\n")
    while True:
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            magic = _MAGIC.match(lines[at]) if 0 <= at < len(lines) else None
            if magic is None:
                raise
            lines[at] = f"{magic[1]}pass"
        else:
            return "\n".join(lines)


def _code_cells(text: str, file: str) -> Iterator[tuple[int, str]]:
    try:
        notebook: Any = json.loads(text)
    except ValueError as error:
        raise PromptError(Place(file=file), f"not a notebook: {error}", hint="Nothing was lifted.") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise PromptError(Place(file=file), "not a notebook: it has no list of cells", hint="Nothing was lifted.")
    for number, cell in enumerate(cells, 1):
        source = cell.get("source", "") if isinstance(cell, dict) else ""
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            yield number, source if isinstance(source, str) else "".join(map(str, source))


def _text(text: str, file: str, stem: str) -> Iterator[tuple[str, Found]]:
    """Blocks between lines ``=== name ===``; in a block, lines such as ``user:`` begin a message."""
    text = text.replace("\r\n", "\n")
    names, starts, ends = [stem], [0], []
    for match in _SEPARATOR.finditer(text):
        names.append(match[1] or stem)
        ends.append(match.start())
        starts.append(match.end())
    for name, start, end in zip(names, starts, [*ends, len(text)], strict=True):
        if text[start:end].strip():
            line = text.count("\n", 0, start) + 1
            yield f"{file}:{line}", _block(name, line, text[start:end])


def _block(name: str, line: int, text: str) -> Found:
    before, *rest = _ROLE.split(text)
    messages = [("user", before)] if before.strip() else []
    messages += list(zip(rest[::2], rest[1::2], strict=True))
    try:
        return Found(name=name, line=line, sections=tuple(guessed_section(role, each) for role, each in messages))
    except NotLiftedError as why:
        return Found(name=name, line=line, why_not=str(why))
