"""JSON text of a model, read more strictly than `json.loads` does."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from pytest_promptgate.scorers.quoting import VALUE, quoted

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

MAX_DEPTH = 64  # containers inside containers
MAX_LEAVES = 20_000  # values that are neither mapping nor list

_FENCE = re.compile(r"```[ \t]*(?:json|JSON)?[ \t]*\r?\n(?P<body>.*?)\r?\n?```", re.DOTALL)


class NotJsonError(ValueError):
    """The text is not one JSON value; the message says why, and is short."""


def parse_json(text: str, *, fenced: bool = False) -> Json:
    """The one JSON value that `text` is, with white space around it allowed.

    Args:
        fenced: The whole answer may also be one Markdown code block (```` ```json ````).

    Raises:
        NotJsonError: It is empty, not JSON, has a key twice in one object, NaN, Infinity or a number beyond a float,
            is nested more than 64 levels deep, or has more than 20,000 values.
    """
    if fenced and (block := _FENCE.fullmatch(text.strip())):
        text = block["body"]
    if not text.strip():
        raise NotJsonError("the answer is empty")
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"not JSON at line {error.lineno}, column {error.colno}: {quoted(text)}") from error
    except RecursionError as error:
        raise NotJsonError(_TOO_DEEP) from error
    return checked(value)


def reference_json(value: Json) -> Json:
    """The expected value as JSON: a text that starts with ``{`` or ``[`` is read, every other value is itself.

    Raises:
        ValueError: It starts like JSON and is none, or holds what JSON cannot.
    """
    try:
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            return parse_json(value)
        return checked(value)
    except NotJsonError as error:
        raise ValueError(f"the expected value cannot be compared with: {error}") from error


def checked(value: Json) -> Json:
    """`value`, if it is shallow and small enough, and its numbers are finite.

    Raises:
        NotJsonError: It is not.
    """
    leaves = 0
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for each in level:
            if isinstance(each, Mapping):
                below.extend(each.values())
            elif isinstance(each, Sequence) and not isinstance(each, str):
                below.extend(each)
            elif isinstance(each, float) and not math.isfinite(each):
                raise NotJsonError(f"{each} is no JSON number")
            else:
                leaves += 1
        if leaves + len(below) > MAX_LEAVES:
            raise NotJsonError(f"more than {MAX_LEAVES:,} values, which nobody compares")
        if not below:
            return value
        level = below
    raise NotJsonError(_TOO_DEEP)


_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise NotJsonError(f"the key {quoted(twice, width=VALUE)} stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is no JSON number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJsonError(f"{quoted(text, width=VALUE)} is not a finite number")
    return number


def _int(text: str) -> int:
    # Python reads no longer ones, and a float would be infinite.
    if len(text) > 309:
        raise NotJsonError(f"{quoted(text, width=VALUE)} is not a finite number")
    return int(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)
