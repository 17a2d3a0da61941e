"""Texts of any length made fit for a document: the beginning, and what was cut with its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import canonical

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

MOST = 20_000  # characters of one text


def excerpt(text: str, *, most: int = MOST) -> str:
    """`text`, or its first `most` characters and ``… [cut: 123456 characters, sha256 0123456789abcdef]``."""
    if len(text) <= most:
        return text
    found = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{text[:most]}… [cut: {len(text)} characters, sha256 {found}]"


def excerpt_json(value: Json, *, most: int = MOST) -> Json:
    """`value` in plain lists and dicts if its JSON has at most `most` characters; else its beginning, as text."""
    if isinstance(value, str):
        return excerpt(value, most=most)
    if value is None or isinstance(value, bool | int | float):
        return value
    whole = canonical(value)
    return excerpt(whole, most=most) if len(whole) > most else _loaded(whole)


def _loaded(text: str) -> Json:
    value: Json = json.loads(text)
    return value


def excerpts(values: Mapping[str, Json]) -> dict[str, Json]:
    """Every value of `values` as `excerpt_json` leaves it."""
    return {name: excerpt_json(value) for name, value in values.items()}
