"""Text that a judge grades is data: it is quoted so that no line of it can pass for ours.

Whatever an answer holds (closing tags, role markers, verdict lines, a rubric of its own), every line of it begins
with ``| `` and stands between lines that carry a mark which the answer cannot know: the mark is a digest of the answer
itself, so an answer that held its own mark would be a fixed point of SHA-256.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Json

QUOTE = "| "
_MARK_LENGTH = 16  # hexadecimal characters: 64 bits
# Joiners that scripts and emoji need, and marks of direction that right-to-left text needs: they stay as they are.
_WANTED = re.compile("([\u200c-\u200f])")
# Marks that servers of open models read as the end of a turn, wherever they stand.
_CONTROL = re.compile(
    r"<(?=[|｜])|(?<=[|｜])>|<(?=/?s>)|<(?=(?:start|end)_of_turn>)|<(?=(?:bos|eos|pad|unk|mask)>)|<(?=/?think>)"
    r"|<(?=<\s*/?\s*SYS)|(?<=SYS>)>|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)


def mark_of(content: Json) -> str:
    """The mark of one request: the same whenever the same content is graded, so that stored verdicts are found."""
    return digest(content)[:_MARK_LENGTH]


def quoted_lines(value: Json) -> str:
    r"""`value` as lines that begin with ``| ``; what is no text as JSON.

    Hidden characters are written out (``\u202e``), control marks of chat formats are opened with a space (``< |``).
    Any separator of lines that Unicode knows begins a new quoted line.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=list)
    lines = text.splitlines() or [""]
    return "\n".join(f"{QUOTE}{_neutral(line)}" for line in lines)


def _neutral(line: str) -> str:
    pieces = _WANTED.split(line)
    seen = "".join(piece if index % 2 else printable(piece) for index, piece in enumerate(pieces))
    return _CONTROL.sub(_opened, seen)


def _opened(match: re.Match[str]) -> str:
    sign = match[0]
    return f" {sign}" if sign == ">" else f"{sign} "


def blocks(parts: Sequence[tuple[str, Json]], mark: str) -> str:
    """Named parts of data, between lines with `mark`; names are ours or column names."""
    lines = [f"[{mark} {quoted_name(name)}]\n{quoted_lines(value)}" for name, value in parts]
    return "\n".join([*lines, f"[{mark} end]"])


def quoted_name(name: str) -> str:
    """A column's name, on one line and without brackets."""
    return re.sub(r"[\[\]\s]+", " ", printable(name)).strip()
