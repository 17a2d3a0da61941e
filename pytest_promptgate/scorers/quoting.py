"""Untrusted text in reasons: short, on one line, without control characters."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Json

QUOTE = 120  # characters of a model's answer
VALUE = 40  # characters of one JSON value, of which a reason may hold several
LABEL = 80  # characters of a label, which stands in the lockfile

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")


def quoted(text: str, *, width: int = QUOTE) -> str:
    """`text` between quotation marks, cut to `width` characters."""
    return f"'{one_line(text, width=width)}'"


def quoted_json(value: Json, *, width: int = VALUE) -> str:
    """A JSON value as JSON text, cut to `width` characters."""
    # A text may have a megabyte; its end is never shown.
    short = value[: 4 * width] if isinstance(value, str) else value
    return one_line(json.dumps(short, ensure_ascii=False), width=width)


def quoted_path(path: Sequence[str | int]) -> str:
    """``$.items[0].sku``; keys that are no plain words stand between quotation marks."""
    steps = (
        f"[{step}]" if isinstance(step, int) else f".{step}" if _WORD.fullmatch(step) else f"[{quoted_json(step)}]"
        for step in path
    )
    return one_line("$" + "".join(steps), width=QUOTE)


def label(text: str) -> str:
    """`text`; if it is too long for a label, its beginning and a digest, so that different texts stay different."""
    if len(text) <= LABEL:
        return text
    return f"{text[: LABEL - 9]}…{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
