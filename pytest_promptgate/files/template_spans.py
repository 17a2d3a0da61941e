"""The text of a template cut as Jinja's lexer cuts it, with nothing lost and every piece at its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.files.sandbox import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENING = re.compile(r"\{[{%#]")
_CLOSING = {"block_begin": "block_end", "variable_begin": "variable_end"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text that stands in one file."""

    text: str
    file: str
    line: int  # of the file, where `text` starts
    exact: bool = True  # its lines are the file's lines from there on
    written: bool = True  # False: put in by composition; nothing in it can fail

    def line_of(self, offset: int) -> int:
        """The line of the file that is `offset` lines below the first of `text`."""
        return self.line + offset if self.exact else self.line


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Plain text, a comment, a ``{{ … }}`` or a ``{% … %}``.

    Attributes:
        kind: "block" for a tag, "variable" for an expression, "data" for everything else.
        skipped: White space before it that it strips.
        text: As it is written.
        tokens: Kind and text of every token of a tag or an expression; together they are `text`.
    """

    kind: str
    skipped: str
    text: str
    tokens: tuple[tuple[str, str], ...] = ()


def is_plain(template: str) -> bool:
    """Whether nothing of `template` is for Jinja: most messages of a prompt with examples are so."""
    return _OPENING.search(template) is None


def spans(template: str) -> Iterator[Span]:
    """The spans of a template that Jinja can parse; with what they skip, they are its text."""
    at, skipped = 0, ""
    tokens: list[tuple[str, str]] = []
    for _, kind, value in environment.lex(template):
        found = template.index(value, at)
        if not tokens:
            skipped = template[at:found]
        at = found + len(value)
        if not tokens and kind not in _CLOSING:
            yield Span(kind="data", skipped=skipped, text=value)
            continue
        tokens.append((kind, value))
        if kind == _CLOSING[tokens[0][0]]:
            text = "".join(each for _, each in tokens)
            yield Span(kind=tokens[0][0].removesuffix("_begin"), skipped=skipped, text=text, tokens=tuple(tokens))
            tokens = []
