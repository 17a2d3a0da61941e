"""Paths to one value of a JSON document: the singular queries of RFC 9535 (JSONPath)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

_ABSENT: Final = object()
_STEP = re.compile(
    r"\.(?P<name>[^\W\d][\w-]*)"
    r"|\[\s*(?:(?P<index>-?\d{1,9})|'(?P<single>(?:[^'\\]|\\['\\])*)'|\"(?P<double>(?:[^\"\\]|\\[\"\\])*)\")\s*\]"
)


def parse_path(text: str) -> tuple[str | int, ...]:
    """The steps of ``$.items[0]['unit price']``: names of keys, and positions, from the end if negative.

    Raises:
        ValueError: It is no such path; wildcards, slices, filters and ``..`` are refused.
    """
    if not text.startswith("$"):
        raise ValueError(f"json_path {text!r} does not begin with $, the whole document: write $.key or $[0]")
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(
                f"json_path {text!r} cannot be read at {text[at:][:20]!r}. Accepted: .key, ['key'], [0], [-1]"
            )
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> str | int:
    if match["index"] is not None:
        return int(match["index"])
    quoted = match["single"] if match["single"] is not None else match["double"]
    return match["name"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def value_at(value: Json, path: Sequence[str | int]) -> tuple[Json, int]:
    """What `path` leads to, and how many of its steps could be gone; all of them iff it was found."""
    for gone, step in enumerate(path):
        below = _below(value, step)
        if below is _ABSENT:
            return value, gone
        value = below  # type: ignore[assignment]
    return value, len(path)


def _below(value: Json, step: str | int) -> object:
    if isinstance(step, str):
        return value.get(step, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    return value[step] if isinstance(value, list) and -len(value) <= step < len(value) else _ABSENT
