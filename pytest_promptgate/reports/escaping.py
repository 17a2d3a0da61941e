"""Untrusted text inside Markdown: it is shown as it is, and never becomes a link, an image, a mention or a tag.

Whatever a model or a row said stands in ``<code>`` or ``<pre>``, where GitHub and GitLab look for no mentions; every
character that Markdown or HTML reads is written as an entity.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line, printable
from pytest_promptgate.core.word_diff import Mark, word_diff

if TYPE_CHECKING:
    from pytest_promptgate.core.word_diff import Span

_ACTIVE = re.compile(r"[!\"#$&*<>@\[\\\]^_`{|}~]|:(?=/)|(?<=www)\.", re.IGNORECASE)
# What sites link after the Markdown is done: mentions, issues, commits, addresses. A space of no width parts it.
_LINKED = re.compile(
    r"(?<=[@#])(?=\w)|(?<=GH-)(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\b[0-9a-f]{6})(?=[0-9a-f])", re.IGNORECASE
)
_TAGS = {Mark.REMOVED: "del", Mark.ADDED: "ins"}


def prose(text: str, *, width: int = 400) -> str:
    """A sentence of ours that may quote others, on one line."""
    parted = _LINKED.sub("\0", one_line(text, width=width))
    return _ACTIVE.sub(_entity, parted).replace("\0", "&#8203;")


def code(text: str, *, width: int = 120) -> str:
    """A name or a value, on one line; it may stand in a table and in ``<summary>``."""
    return f"<code>{_ACTIVE.sub(_entity, one_line(text, width=width)) or ' '}</code>"


def block(text: str, *, most: int) -> str:
    """A text of several lines, in at most `most` bytes of Markdown, marks of what was cut included."""
    kept = text
    while len((found := _pre(html.escape(printable(kept)), len(text) - len(kept))).encode()) > most and kept:
        kept = kept[: min(len(kept) * 3 // 4, most)]
    return found


def diff_block(before: str, after: str, *, most: int) -> str:
    """What went and what came, word by word, in at most `most` bytes; two blocks if that is too much."""
    if len(before) + len(after) <= most:
        found = _pre("".join(map(_marked, word_diff(before, after))), 0)
        if len(found.encode()) <= most:
            return found
    half = (most - len("before:\n\n\nnow:\n\n")) // 2
    return f"before:\n\n{block(before, most=half)}\n\nnow:\n\n{block(after, most=half)}"


def _marked(span: Span) -> str:
    text = html.escape(printable(span.text))
    return f"<{_TAGS[span.mark]}>{text}</{_TAGS[span.mark]}>" if span.mark in _TAGS else text


def _pre(escaped: str, cut: int) -> str:
    more = f"… {cut} more characters" if cut else ""
    return f"<pre>{escaped or '(empty)'}{more}</pre>"


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
