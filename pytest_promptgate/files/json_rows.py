"""Rows from ``.jsonl`` (one object a line), ``.json`` and ``.yaml`` (one list of objects).

Values stay as they are written; numbers are finite, keys unique, texts valid Unicode.
"""

from __future__ import annotations

import gc
import json
import math
import re
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_promptgate.core.ports import Row
from pytest_promptgate.core.wording import shown
from pytest_promptgate.errors import DatasetError, Place
from pytest_promptgate.files.source import place_of, read_yaml
from pytest_promptgate.files.text import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SPACE = re.compile(r"[ \t\n\r]*")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SHAPE = 'A dataset is a list of objects: [{"id": "t-1", …}, …].'


class _ValueFaultError(Exception):
    """Valid JSON that is no value for us; raised inside the decoder, which knows no place."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _ValueFaultError(f"the key {shown(twice)} stands twice in one object")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _ValueFaultError(f"{text[:40]} is too large for a number")
    return value


def _not_a_number(text: str) -> NoReturn:
    raise _ValueFaultError(f"{text} is not a finite number")


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_not_a_number).raw_decode


def read_jsonl(path: str) -> Sequence[Row]:
    """One object a line; blank lines are skipped."""
    file, text = _text(path)
    with _no_cycles_sought():
        # Not splitlines: U+2028 may stand in a JSON string.
        numbered = enumerate(text.split("\n"), 1)
        rows = [_line_row(written, line, number, file) for number, written in numbered if (line := written.strip())]
    return _without_lone_surrogates(rows, text, file)


def _line_row(written: str, line: str, number: int, file: str) -> Row:
    try:
        value, end = _decode(line)
    except (ValueError, RecursionError, _ValueFaultError) as fault:
        raise _told(fault, file, number, indent=len(written) - len(written.lstrip())) from None
    if end != len(line):
        place = Place(file=file, line=number, column=written.index(line) + end + 1)
        raise DatasetError(place, "text after the object", hint="One line holds one object.")
    if type(value) is not dict or not value:
        hint = "A file that holds one list is called .json." if isinstance(value, list) else ""
        raise _no_row(value, file, number, hint)
    return Row(fields=value, line=number)


@contextmanager
def _no_cycles_sought() -> Iterator[None]:
    """Rows hold no cycles, and the garbage collector's search for some takes half of the time of reading many."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_json(path: str) -> Sequence[Row]:
    """One list of objects."""
    file, text = _text(path)
    start = _after_space(text, 0)
    if start == len(text):
        raise DatasetError(Place(file=file), "the file is empty", hint=_SHAPE)
    if text[start] != "[":
        hint = "A file with one object a line is called .jsonl." if text[start] == "{" else _SHAPE
        raise DatasetError(_place_in(text, start, file), "not a list of objects", hint=hint)
    rows: list[Row] = []
    line, counted = 1, 0
    with _no_cycles_sought():
        for at, value in _items(text, start, file):
            line, counted = line + text.count("\n", counted, at), at
            if type(value) is not dict or not value:
                raise _no_row(value, file, line, _SHAPE)
            rows.append(Row(fields=value, line=line))
    return _without_lone_surrogates(rows, text, file)


def read_yaml_rows(path: str) -> Sequence[Row]:
    """One list of mappings; what YAML calls a date is text."""
    file, text = _text(path)
    document = read_yaml(text, file=file, error=DatasetError)
    if document.value is None:
        raise DatasetError(Place(file=file), "the file is empty", hint="A dataset is a list of mappings.")
    if not isinstance(document.value, list):
        raise DatasetError(place_of(document, ()), "not a list of mappings", hint="Begin each row with a dash.")
    rows: list[Row] = []
    for index, value in enumerate(document.value):
        line = place_of(document, (index,)).line or 1
        if not isinstance(value, Mapping) or not value:
            raise _no_row(value, file, line, "A dataset is a list of mappings.")
        rows.append(Row(fields=value, line=line))
    return rows


def _text(path: str) -> tuple[str, str]:
    file = Path(path).as_posix()
    return file, read_whole(Path(path), file=file, error=DatasetError)


def _items(text: str, start: int, file: str) -> Iterator[tuple[int, Any]]:
    """Offset and value of every item of the list that opens at `start`."""
    at = _after_space(text, start + 1)
    closed = text.startswith("]", at)
    while not closed:
        try:
            value, end = _decode(text, at)
        except (ValueError, RecursionError, _ValueFaultError) as fault:
            raise _told(fault, file, text.count("\n", 0, at) + 1) from None
        yield at, value
        at = _after_space(text, end)
        closed = text.startswith("]", at)
        if not closed and not text.startswith(",", at):
            raise DatasetError(_place_in(text, at, file), "not valid JSON: ',' or ']' expected")
        if not closed:
            at = _after_space(text, at + 1)
    after = _after_space(text, at + 1)
    if after != len(text):
        raise DatasetError(_place_in(text, after, file), "text after the list")


def _after_space(text: str, start: int) -> int:
    space = _SPACE.match(text, start)
    return space.end() if space else start


def _place_in(text: str, offset: int, file: str) -> Place:
    return Place(file=file, line=text.count("\n", 0, offset) + 1, column=offset - text.rfind("\n", 0, offset))


def _told(fault: Exception, file: str, line: int, indent: int = 0) -> DatasetError:
    """The decoder's fault in a value that starts on `line`."""
    if isinstance(fault, json.JSONDecodeError):
        single = "\n" not in fault.doc
        place = Place(file=file, line=line if single else fault.lineno, column=fault.colno + indent)
        return DatasetError(place, f"not valid JSON: {fault.msg[:1].lower()}{fault.msg[1:]}")
    if isinstance(fault, _ValueFaultError):
        return DatasetError(Place(file=file, line=line), str(fault))
    what = "nested too deep" if isinstance(fault, RecursionError) else "a number with too many digits"
    return DatasetError(Place(file=file, line=line), what)


def _no_row(value: Any, file: str, line: int, hint: str) -> DatasetError:
    what = "an object without a key" if value == {} else f"a row must be an object, not {shown(value)}"
    return DatasetError(Place(file=file, line=line), what, hint=hint)


def _without_lone_surrogates(rows: Sequence[Row], text: str, file: str) -> Sequence[Row]:
    """`rows`, unless one holds half a character, which could be neither sent nor written to a file."""
    if not _ESCAPED_SURROGATE.search(text):
        return rows
    for row in rows:
        if _LONE_SURROGATE.search(json.dumps(row.fields, ensure_ascii=False)):
            raise DatasetError(Place(file=file, line=row.line), "half a character: a lone surrogate, such as \\ud83d")
    return rows
