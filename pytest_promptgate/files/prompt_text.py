"""The text of prompts and partials as it is read: UTF-8, line feeds, and nothing that an editor would not show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_promptgate.errors import Place, PromptError
from pytest_promptgate.files.text import read_whole

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 5_000_000
# Microsoft's package ends lines at these too; in an editor they look like a space or like nothing.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


def read_prompt_text(path: Path, *, file: str) -> str:
    """The text at `path`; raises PromptError as `files.text.read_whole` and `plain_text` do."""
    return plain_text(read_whole(path, file=file, error=PromptError, most_bytes=MOST_BYTES), file=file)


def plain_text(text: str, *, file: str) -> str:
    """`text` with line feeds alone.

    Raises:
        PromptError: A control character stands in it, or nothing at all.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if odd := _ODD.search(text):
        before = text[: odd.start()]
        place = Place(file=file, line=before.count("\n") + 1, column=odd.start() - before.rfind("\n"))
        hint = "Delete it, or end the line there with a line feed."
        raise PromptError(place, f"control character U+{ord(odd[0]):04X}", hint=hint)
    if not text.strip():
        raise PromptError(Place(file=file), "the file is empty")
    return text
