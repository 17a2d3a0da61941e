"""JSON as we commit it: one text for one value, and no doubt when it is read again."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NoReturn

from pytest_promptgate.core.fingerprint import canonical
from pytest_promptgate.errors import LockfileError, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Json

# Answers may hold what a terminal or a diff would obey, or what UTF-8 cannot hold: controls, line separators,
# bidirectional formatting, lone surrogates. The list is part of the format, so it is spelled out.
_ESCAPED = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)


def encode(value: Json) -> str:
    r"""Compact JSON on one line: sorted keys, shortest floats that read back equal, ``\u…`` only where it is needed.

    Raises:
        ValueError: A number is not finite.
    """
    return _ESCAPED.sub(lambda hidden: f"\\u{ord(hidden[0]):04x}", canonical(value))


def decode_utf8(data: bytes, *, file: str, hint: str) -> str:
    """Text of a file of ours; a byte order mark is dropped.

    Raises:
        LockfileError: It is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(file=file, line=data.count(b"\n", 0, error.start) + 1)
        raise LockfileError(place, "the file is not UTF-8", hint=hint) from None


def refuse_conflict(text: str, *, file: str) -> None:
    """Raise LockfileError at the first conflict marker of Git; valid JSON never has one."""
    marker = _CONFLICT.search(text)
    if marker:
        raise LockfileError(
            Place(file=file, line=_line(text, marker.start())),
            "a Git conflict was not resolved",
            hint=f"Take one side whole: git checkout --theirs {file}\nThen run: pytest --update-baseline",
        )


def decode(text: str, *, file: str, hint: str) -> Json:
    """The value of a JSON text, in which no key stands twice and no number is NaN or infinite.

    Raises:
        LockfileError: It is no such text; Git's conflict markers are told as such.
    """
    try:
        value: Json = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except _TwiceError as error:
        raise LockfileError(_second(text, error.key, file), f"{error.key!r} stands twice", hint=hint) from None
    except json.JSONDecodeError as error:
        refuse_conflict(text, file=file)
        place = Place(file=file, line=error.lineno, column=error.colno)
        raise LockfileError(place, f"no valid JSON: {error.msg}", hint=hint) from None
    except (ValueError, RecursionError) as error:
        raise LockfileError(Place(file=file), f"no valid JSON: {error}", hint=hint) from None
    return value


class _TwiceError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return mapping


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _second(text: str, key: str, file: str) -> Place:
    """Where `key` stands for the second time, if it can be told."""
    lines = [m.end() for m in re.finditer(rf"^[ \t]*(?={re.escape(encode(key))} *:)", text, re.MULTILINE)]
    return Place(file=file, line=_line(text, lines[1]) if len(lines) == 2 else None)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def find_line(text: str, path: Sequence[str | int]) -> int | None:
    """The line of the entry at `path`, in a text laid out by `layout`; None if it is laid out otherwise."""
    position, line = 0, None
    for depth, key in enumerate(path, 1):
        entry = re.compile(rf"^{'  ' * depth}{re.escape(encode(key))}: ", re.MULTILINE).search(text, position)
        if entry is None:
            break
        position, line = entry.end(), _line(text, entry.start())
    return line
