"""Rows from ``.jsonl`` (one object a line), ``.json`` and ``.yaml`` (one list of objects).

Values stay as they are written; numbers are finite, keys unique, texts valid Unicode.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_promptgate.core.wording import shown
from pytest_promptgate.errors import DatasetError, Place
from pytest_promptgate.core.ports import Row
from pytest_promptgate.files.source import place_of, read_yaml
from pytest_promptgate.files.text import read_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\n\r]*")
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


_decode = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_not_a_number
).raw_decode


def read_jsonl(path: str) -> Sequence[Row]:
    """One object a line; blank lines are skipped."""
    text = read_whole(Path(path), file=Path(path).as_posix(), error=DatasetError)
    rows: list[Row] = []
    # Not splitlines: U+2028 may stand in a JSON string.
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(" \t\r")
        if not line:
            continue
        value, end = _decoded(line, 0, path, number)
        if end != len(line):
            raise _fault(path, number, end + 1, "text after the object", "One line holds one object.")
        rows.append(_row(value, path, number))
    return rows


def read_json(path: str) -> Sequence[Row]:
    """One list of objects."""
    text = read_whole(Path(path), file=Path(path).as_posix(), error=DatasetError)
    at = _after_space(text, 0)
    if not text[at:]:
        raise DatasetError(Place(file=Path(path).as_posix()), "the file is empty", hint=_SHAPE)
    if text[at] != "[":
        raise _fault_in(text, at, path, "not a list of objects", _SHAPE)
    rows: list[Row] = []
    at = _after_space(text, at + 1)
    line, counted = 1, 0
    while not text.startswith("]", at):
        line, counted = line + text.count("\n", counted, at), at
        value, at = _decoded(text, at, path, line)
        rows.append(_row(value, path, line))
        at = _after_space(text, at)
        if text.startswith(",", at):
            at = _after_space(text, at + 1)
            if text.startswith("]", at):
                raise _fault_in(text, at, path, "not valid JSON: a comma before the end of the list", "")
        elif not text.startswith("]", at):
            raise _fault_in(text, at, path, "not valid JSON: ',' or ']' expected", "")
    after = _after_space(text, at + 1)
    if after != len(text):
        raise _fault_in(text, after, path, "text after the list", "")
    return rows


def read_yaml_rows(path: str) -> Sequence[Row]:
    """One list of mappings; what YAML calls a date is text."""
    file = Path(path).as_posix()
    text = read_whole(Path(path), file=file, error=DatasetError)
    document = read_yaml(text, file=file, error=DatasetError)
    if document.value is None:
        raise DatasetError(Place(file=file), "the file is empty", hint=_SHAPE)
    if not isinstance(document.value, list):
        raise DatasetError(place_of(document, ()), "not a list of objects", hint="Begin each row with a dash.")
    lines = [place_of(document, (index,)).line or 1 for index in range(len(document.value))]
    return [_row(value, path, line) for value, line in zip(document.value, lines, strict=True)]


def _decoded(text: str, start: int, path: str, line: int) -> tuple[Any, int]:
    """The value at `start` and its end; `line` is the file's, where `text` starts if it is one line."""
    try:
        return _decode(text, start)
    except json.JSONDecodeError as fault:
        single = "\n" not in text
        seen = line if single else fault.lineno
        raise _fault(path, seen, fault.colno, f"not valid JSON: {fault.msg[:1].lower()}{fault.msg[1:]}", "") from None
    except _ValueFaultError as fault:
        raise DatasetError(_place(path, line), str(fault)) from None
    except RecursionError:
        raise DatasetError(_place(path, line), "nested too deep") from None
    except ValueError:
        raise DatasetError(_place(path, line), "a number with too many digits") from None


def _row(value: Any, path: str, line: int) -> Row:
    if not isinstance(value, Mapping):
        raise DatasetError(_place(path, line), f"a row must be an object, not {shown(value)}", hint=_SHAPE)
    if not value:
        raise DatasetError(_place(path, line), "an object without any column")
    return Row(fields=value, line=line)
