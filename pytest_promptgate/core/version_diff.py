"""Two versions of a prompt, taken apart: messages in pairs, and everything else as one tree."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import Json, Message, PromptVersion


def paired(before: Sequence[Message], after: Sequence[Message]) -> Iterator[tuple[Message | None, Message | None]]:
    """Messages that stand for each other; None where one has no counterpart."""
    for tag, start, end, other_start, other_end in SequenceMatcher(None, before, after).get_opcodes():
        old, new = list(before[start:end]), list(after[other_start:other_end])
        if tag == "equal":
            yield from zip(old, new, strict=True)
        else:
            yield from _by_role(old, new)


def _by_role(old: list[Message], new: list[Message]) -> Iterator[tuple[Message | None, Message | None]]:
    roles = SequenceMatcher(None, [each.role for each in old], [each.role for each in new])
    for tag, start, end, other_start, other_end in roles.get_opcodes():
        if tag == "equal":
            yield from zip(old[start:end], new[other_start:other_end], strict=True)
        else:
            yield from ((each, None) for each in old[start:end])
            yield from ((None, each) for each in new[other_start:other_end])


def settings_tree(prompt: PromptVersion) -> dict[str, Json]:
    """What a version says beside its messages, as a tree whose keys are those of the file."""
    return {
        "model": str(prompt.pin) if prompt.pin else None,
        "options": dict(prompt.parameters),
        "inputs": {
            each.name: {"kind": each.kind, "required": each.required, "default": each.default} for each in prompt.inputs
        },
        "tools": list(prompt.tools),
        "outputs": prompt.response_format,
        "description": prompt.description,
        "metadata": {"owner": prompt.owner, "source": prompt.source},
    }
