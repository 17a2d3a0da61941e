"""Metric expressions: ``mean(queue)``, ``p95(latency_s)``, ``f1(queue, label=billing)``.

::

    expression = name "(" name ("," name "=" value)* ")"
    value      = "'" text "'" | '"' text '"' | word

A word that reads as a JSON number, true, false or null is one; every other word is text.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Json

NAME = re.compile(r"[^\W\d][\w-]*")  # scorers and metrics are named so too

_CALL = re.compile(r"\s*(?P<aggregate>[^\W\d][\w-]*)\s*\((?P<inside>.*)\)\s*\Z", re.DOTALL)
_PART = re.compile(r"""\s*((?:'[^']*'|"[^"]*"|[^,'"])*?)\s*(?:,|\Z)""")
_ARGUMENT = re.compile(r"""([^\W\d]\w*)\s*=\s*('[^']*'|"[^"]*"|[^\s,'"=()]+)\Z""")
_JSON_WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z|true\Z|false\Z|null\Z")
_SHAPE = "Write it like mean(queue), p95(latency_s) or f1(queue, label=billing)."


class ExpressionError(ValueError):
    """A metric expression cannot be read; the caller knows its place."""

    def __init__(self, what: str, *, hint: str = _SHAPE) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """One metric expression; the names in it are not looked up yet."""

    aggregate: str
    source: str
    arguments: Mapping[str, Json]


def parse_expression(text: str) -> Expression:
    """Read a metric expression.

    Raises:
        ExpressionError: It does not have the form above, or an argument stands in it twice.
    """
    call = _CALL.match(text)
    if call is None:
        raise ExpressionError(f"{text!r} is no metric")
    parts = _parts(call["inside"], text)
    if not parts or not NAME.fullmatch(parts[0]):
        raise ExpressionError(f"{text!r} names nothing to measure")
    return Expression(aggregate=call["aggregate"], source=parts[0], arguments=_arguments(parts[1:], text))


def _parts(inside: str, text: str) -> list[str]:
    parts: list[str] = []
    position = 0
    while position < len(inside):
        part = _PART.match(inside, position)
        if part is None:
            raise ExpressionError(f"{text!r} has a quote without its end")
        parts.append(part[1])
        position = part.end()
    return parts


def _arguments(parts: list[str], text: str) -> Mapping[str, Json]:
    found: dict[str, Json] = {}
    for part in parts:
        argument = _ARGUMENT.match(part)
        if argument is None:
            raise ExpressionError(f"{part!r} in {text!r} is no argument", hint="Arguments look like label=billing.")
        name, value = argument.groups()
        if name in found:
            raise ExpressionError(f"{name!r} stands twice in {text!r}", hint="Keep one.")
        found[name] = _value(value, text)
    return found


def _value(word: str, text: str) -> Json:
    if word[0] in "'\"":
        return word[1:-1]
    value: Json = json.loads(word) if _JSON_WORD.match(word) else word
    if isinstance(value, float) and math.isinf(value):
        raise ExpressionError(f"{word} in {text!r} is no finite number", hint="Quote it if it is text.")
    return value


def written(value: Json) -> str:
    """An argument's value as `parse_expression` reads it back; only text with both kinds of quotes cannot be."""
    if not isinstance(value, str):
        return json.dumps(value)
    if value and not _JSON_WORD.match(value) and not re.search(r"[\s,'\"=()]", value):
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"
