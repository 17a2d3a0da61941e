"""What differs between two states of a prompt version, in all that its digest covers."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import canonical
from pytest_promptgate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import PromptVersion

MOST_LINES = 40
_WIDTH = 160


def version_diff(before: PromptVersion, now: PromptVersion) -> str:
    """A unified diff of at most `MOST_LINES` lines, without control characters; "" if nothing differs."""
    names = (f"{before.label} as recorded", f"{now.label} as it is now")
    lines = [*unified_diff([*_lines(before)], [*_lines(now)], *names, n=2, lineterm="")]
    shown = [_short(line) for line in lines[:MOST_LINES]]
    left = len(lines) - MOST_LINES
    return "\n".join([*shown, *([f"… and {left} more lines"] if left > 0 else [])])


def _lines(prompt: PromptVersion) -> Iterator[str]:
    if prompt.pin is not None:
        yield f"model: {prompt.pin}"
    for name, value in sorted(prompt.parameters.items()):
        yield f"option {name}: {canonical(value)}"
    for each in prompt.inputs:
        default = "" if each.default is None else f", default {canonical(each.default)}"
        yield f"input {each.name}: {each.kind}{'' if each.required else ', not required'}{default}"
    yield from (f"tool: {canonical(tool)}" for tool in prompt.tools)
    if prompt.response_format is not None:
        yield f"outputs: {canonical(prompt.response_format)}"
    for message in prompt.messages:
        yield f"{message.role}:"
        yield from message.content.split("\n")


def _short(line: str) -> str:
    text = printable(line)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
