"""Two texts word by word: what stayed, what went, what came. For prompts, and for answers before and after."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_WORDS = 600  # of a block of changed lines, in either text; a longer one is not looked into
MOST_LINES = 5000  # of either text; of longer ones only what they begin and end with alike is kept
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


class Mark(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of text, never empty."""

    mark: Mark
    text: str


WordDiff: TypeAlias = tuple[Span, ...]


def word_diff(before: str, after: str) -> WordDiff:
    """The way from one text to the other.

    Kept and removed pieces together are `before`, kept and added ones `after`. Lines are compared first, then the
    words of the lines that differ, so that long texts take little more time than short ones.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    spans: list[Span] = []
    for same, start, end, other_start, other_end in _blocks(old, new):
        was, now = "".join(old[start:end]), "".join(new[other_start:other_end])
        spans += _span(Mark.KEPT, [was]) if same else _words(was, now)
    return tuple(_joined(spans))


def before_and_after(diff: WordDiff) -> tuple[WordDiff, WordDiff]:
    """The spans of either text, for a view side by side."""
    return (
        tuple(span for span in diff if span.mark is not Mark.ADDED),
        tuple(span for span in diff if span.mark is not Mark.REMOVED),
    )


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Whether a block of lines is the same on both sides, and its bounds in either."""
    if max(len(old), len(new)) <= MOST_LINES:
        for tag, start, end, other_start, other_end in SequenceMatcher(None, old, new).get_opcodes():
            yield tag == "equal", start, end, other_start, other_end
        return
    shorter = min(len(old), len(new))
    head = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    rest = shorter - head
    tail = next((index for index in range(rest) if old[-1 - index] != new[-1 - index]), rest)
    ends = len(old) - tail, len(new) - tail
    yield True, 0, head, 0, head
    yield False, head, ends[0], head, ends[1]
    yield True, ends[0], len(old), ends[1], len(new)


def _words(before: str, after: str) -> list[Span]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if max(len(old), len(new)) > MOST_WORDS:
        return [*_span(Mark.REMOVED, old), *_span(Mark.ADDED, new)]
    spans: list[Span] = []
    opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for index, (tag, start, end, other_start, other_end) in enumerate(opcodes):
        # A gap between two changed words is no news: alone it would cut every changed sentence into pieces.
        gap = 0 < index < len(opcodes) - 1 and "".join(old[start:end]).isspace()
        if tag == "equal" and not gap:
            spans += _span(Mark.KEPT, old[start:end])
        else:
            spans += [*_span(Mark.REMOVED, old[start:end]), *_span(Mark.ADDED, new[other_start:other_end])]
    return spans


def _span(mark: Mark, words: Sequence[str]) -> list[Span]:
    text = "".join(words)
    return [Span(mark=mark, text=text)] if text else []


def _joined(spans: Sequence[Span]) -> Iterator[Span]:
    """Runs of changes as one removal and one addition, and neighbours of one kind as one span."""
    kept: list[str] = []
    changed: dict[Mark, list[str]] = {Mark.REMOVED: [], Mark.ADDED: []}
    for span in spans:
        if span.mark is Mark.KEPT:
            for mark, texts in changed.items():
                yield from _span(mark, texts)
                texts.clear()
            kept.append(span.text)
        else:
            yield from _span(Mark.KEPT, kept)
            kept.clear()
            changed[span.mark].append(span.text)
    for mark, texts in {Mark.KEPT: kept, **changed}.items():
        yield from _span(mark, texts)
