"""Rows from ``.csv`` and ``.tsv``.

The first line names the columns. Every cell is text, an empty one ``""``: what looks like a number stays as it is
written, so no id loses its zeros. Quoted cells may hold line ends. Blank lines are skipped.
"""

from __future__ import annotations

import csv
import io
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_promptgate.core.ports import Row
from pytest_promptgate.core.wording import shown
from pytest_promptgate.errors import DatasetError, Place
from pytest_promptgate.files.text import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_CHARACTERS = 5_000_000  # of one cell
_limit_lock = threading.Lock()


def read_csv(path: str) -> Sequence[Row]:
    """Cells are separated by commas."""
    return _read(path, ",")


def read_tsv(path: str) -> Sequence[Row]:
    """Cells are separated by tabs."""
    return _read(path, "\t")


def _read(path: str, delimiter: str) -> Sequence[Row]:
    file = Path(path).as_posix()
    text = read_whole(Path(path), file=file, error=DatasetError)
    with _long_cells():
        records = _records(text, delimiter, file)
        first = next(records, None)
        if first is None:
            raise DatasetError(Place(file=file), "the file is empty", hint="The first line names the columns.")
        columns = _columns(*first, delimiter, file)
        rows = [Row(fields=_fields(columns, cells, line, file), line=line) for line, cells in records]
    if not rows:
        raise DatasetError(Place(file=file, line=first[0]), "a header and no rows")
    return rows


@contextmanager
def _long_cells() -> Iterator[None]:
    # The csv module has one limit for the whole process, and its default is shorter than a long document.
    with _limit_lock:
        before = csv.field_size_limit(MOST_CHARACTERS)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _records(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """First line and cells of every record that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            raise DatasetError(Place(file=file, line=line), f"not readable: {fault}", hint=_hint(str(fault))) from None
        if cells:
            yield line, cells


def _hint(fault: str) -> str:
    if "unexpected end of data" in fault:
        return "A quoted cell that begins here never ends."
    if "expected after" in fault:
        return 'Inside a quoted cell a quote is written twice: "".'
    return ""


def _columns(line: int, names: list[str], delimiter: str, file: str) -> list[str]:
    place = Place(file=file, line=line)
    other = next((each for each in ";\t,|" if each != delimiter and each in names[0]), None)
    if len(names) == 1 and other:
        separator = "commas" if delimiter == "," else "tabs"
        hint = f"Separate the cells by {separator}."
        raise DatasetError(place, f"one column, {shown(names[0])}, with {shown(other)} in its name", hint=hint)
    for index, name in enumerate(names, 1):
        if not name.strip():
            raise DatasetError(place, f"column {index} has no name")
        if name != name.strip():
            raise DatasetError(place, f"the column name {shown(name)} begins or ends with white space")
        if names.index(name) != index - 1:
            raise DatasetError(place, f"two columns are named {shown(name)}")
    return names


def _fields(columns: list[str], cells: list[str], line: int, file: str) -> dict[str, str]:
    if len(cells) == len(columns):
        return dict(zip(columns, cells, strict=True))
    hint = "A cell with a separator in it needs quotes." if len(cells) > len(columns) else ""
    what = f"{len(cells)} cells where the header has {len(columns)} columns"
    raise DatasetError(Place(file=file, line=line), what, hint=hint)
