"""Values that stand in a prompt's text although an input or a constant carries the same text.

Two copies of one fact drift apart: the constant is changed, and the sentence is not. Told are texts that nobody writes
by chance: of at least four characters, beginning and ending at the bounds of words, and either with an upper-case
letter or a digit, or with several words and eight characters. ``kind`` or ``billing`` are ordinary words; ``Fern &
Kettle`` and ``24 hours`` are not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_promptgate.errors import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Json

SHORTEST = 4
SHORTEST_PHRASE = 8
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_MESSAGES = re.compile(r"^messages\s*:", re.MULTILINE)
_FRONT_MATTER = re.compile(r"---[ \t]*\n.*?^---[ \t]*$", re.DOTALL | re.MULTILINE)


def is_telling(value: Json) -> bool:
    """Whether `value` is a text that no other sentence holds by chance."""
    if not isinstance(value, str) or len(value.strip()) < SHORTEST:
        return False
    text = value.strip()
    if not any(each.isalpha() for each in text):
        return False
    return (
        text != text.lower() or any(each.isdigit() for each in text) or (" " in text and len(text) >= SHORTEST_PHRASE)
    )


def written_out(text: str, file: str, values: Mapping[str, Json]) -> dict[str, Place]:
    """Where values stand in the messages of a prompt file.

    Args:
        text: Of the file.
        file: Its name in places.
        values: By the name of the variable that carries them.

    Returns:
        By name, the place of the first.
    """
    body = _only_messages(text.replace("\r\n", "\n"), file)
    found: dict[str, Place] = {}
    for name, value in values.items():
        if not is_telling(value):
            continue
        match = re.search(rf"(?<!\w){re.escape(str(value).strip())}(?!\w)", body)
        if match:
            before = body[: match.start()]
            line, column = before.count("\n") + 1, match.start() - before.rfind("\n")
            found[name] = Place(file=file, line=line, column=column)
    return found


def _only_messages(text: str, file: str) -> str:
    """`text` with white space in the place of tags, and of what stands above the messages."""
    start = None
    if file.endswith(".prompty"):
        start = _FRONT_MATTER.match(text)
    elif file.endswith((".yaml", ".yml")):
        start = _MESSAGES.search(text)
    above = text[: start.end()] if start else ""
    return _blank(above) + _TAG.sub(lambda tag: _blank(tag[0]), text[len(above) :])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
