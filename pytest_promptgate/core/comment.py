"""One comment on a pull request that is found again: by a marker that only stands at its very beginning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_promptgate.core.types import Json

MOST = 65_536  # characters of a comment on GitHub
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment as the API lists it."""

    id: int
    author: str
    body: str
    url: str


def marker(name: str) -> str:
    """The hidden first line of the comment called `name`.

    Raises:
        ValueError: It is no name.
    """
    if not _NAME.match(name):
        raise ValueError("use letters, digits, '.', '_' and '-', at most 100")
    return f"<!-- promptgate-comment: {name} -->"


def body_of(report: str, mark: str) -> str:
    """The comment's text: the marker, then the report, cut at the end of a line if it is too long for a comment."""
    whole = f"{mark}\n{report}"
    if len(whole) <= MOST:
        return whole
    # At the top: a note behind the cut could stand inside a code block.
    head = f"{mark}\n> This report has {len(report):,} characters and is cut here; the job's summary has the whole.\n\n"
    kept = report[: MOST - len(head)]
    return head + (kept.rpartition("\n")[0] or kept)


def own(comments: Iterable[Comment], mark: str, author: str) -> tuple[Comment | None, int]:
    """The oldest comment with the marker that `author` wrote, and how many there are with it by anybody else.

    Somebody else's is never ours, whatever it begins with: it could be a quote, or a trap.
    """
    marked = [each for each in comments if each.body.startswith(mark)]
    mine = [each for each in marked if each.author == author]
    return min(mine, key=lambda each: each.id, default=None), len(marked) - len(mine)


def pull_request_of(event: Json) -> int | None:
    """The pull request that a GitHub event is about; None if it is about none."""
    if not isinstance(event, Mapping):
        return None
    for key in ("pull_request", "issue"):
        found = event.get(key)
        if isinstance(found, Mapping) and (key == "pull_request" or "pull_request" in found):
            number = found.get("number")
            return number if isinstance(number, int) and number > 0 else None
    return None
