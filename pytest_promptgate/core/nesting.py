"""Scorers inside scorers: combinators, and a scorer that reads an extracted part of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.expected import has_expected_of
from pytest_promptgate.core.types import BoundScorer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import Case


def parts_of(scorer: object) -> tuple[BoundScorer, ...]:
    """The scorers that `scorer` asks (its ``parts``), in the order written; empty for one that nests none."""
    parts = getattr(scorer, "parts", ())
    whole = isinstance(parts, tuple) and all(isinstance(part, BoundScorer) for part in parts)
    return parts if whole else ()


def leaves(scorer: object) -> Iterator[object]:
    """The scorers in `scorer` that nest no other, itself if it nests none, in the order written."""
    parts = parts_of(scorer)
    if not parts:
        yield scorer
    for part in parts:
        yield from leaves(part.scorer)


def check_row(scorer: object, case: Case) -> None:
    """Raise ValueError or LookupError if `scorer` can never score this row; whatever else its own ``check`` raises."""
    check = getattr(scorer, "check", None)
    if callable(check):
        check(case)
        return
    name = getattr(scorer, "expected", None)
    name = name if isinstance(name, str) else None
    if getattr(scorer, "needs_expected", False) and not has_expected_of(case, name):
        raise LookupError(f"it has no {name or 'expected'!r}")
