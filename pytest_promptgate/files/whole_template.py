"""The templates of all messages of a version, and where each line of them stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import SourceLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_promptgate.files.template_spans import Piece
    from pytest_promptgate.files.templates import TemplateNames

_CODE = re.compile(r"\{[{%]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The messages' templates with their partials put in, in pieces, and what they use together."""

    sections: Sequence[Sequence[Piece]]
    names: TemplateNames

    @property
    def contents(self) -> list[str]:
        """The template of every message."""
        return [text_of(pieces) for pieces in self.sections]

    def origins(self) -> Iterator[SourceLines]:
        """Where the lines of the joined template stand, of all pieces that hold more than plain text."""
        return (_origin(piece, line) for piece, line in self.placed() if piece.written and _CODE.search(piece.text))

    def placed(self) -> Iterator[tuple[Piece, int]]:
        """Every piece, with the line of the joined template on which it starts."""
        line = 1
        for pieces in self.sections:
            for piece in pieces:
                yield piece, line
                line += piece.text.count("\n")
            line += 1


def text_of(pieces: Iterable[Piece]) -> str:
    """The text of pieces that follow each other."""
    return "".join(piece.text for piece in pieces)


def _origin(piece: Piece, line: int) -> SourceLines:
    height = piece.text.count("\n") + 1
    return SourceLines(first=line, last=line + height - 1, file=piece.file, line=piece.line, exact=piece.exact)
