"""Words that messages share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json


def shown(value: Json) -> str:
    """A value as a message shows it: short, a text in quotes and without control characters."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value}"[:60]
    return "a mapping" if isinstance(value, Mapping) else "a list"


def did_you_mean(word: str, known: Iterable[str], *, label: str) -> str:
    """``Did you mean 'dataset'? Known keys: dataset, prompt.`` with `label` for "Known keys"."""
    names = sorted(known)
    guess = get_close_matches(word, names, n=1)
    start = f"Did you mean {guess[0]!r}? " if guess else ""
    listed = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    return f"{start}{label}: {listed}." if names else f"{start}{label}: none."
