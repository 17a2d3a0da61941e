"""A baseline's recipe as one line of its outputs file: all that rebuilds the requests it was measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Message, PromptInput, PromptVersion, Recipe
from pytest_promptgate.files.canonical_json import encode
from pytest_promptgate.files.lockfile_entries import pin_entry, read_pin
from pytest_promptgate.files.shapes import anything, boolean, entries, field, items, mapping, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Json, ModelPin


ANCHOR = "anchor"


def encode_recipe(slot: str, recipe: Recipe, *, role: str = "") -> str:
    """The line of one slot, without its line feed; of its anchor, if that is the `role`."""
    return encode(
        {
            **({"role": role} if role else {}),
            "constants": recipe.constants,
            "inputs": recipe.inputs,
            "model": None if recipe.prompt.pin is None else pin_entry(recipe.prompt.pin),
            "prompt": _prompt(recipe.prompt),
            "slot": slot,
        }
    )


def _prompt(prompt: PromptVersion) -> dict[str, Json]:
    return {
        "digest": prompt.digest,
        "inputs": [
            {"default": each.default, "kind": each.kind, "name": each.name, "required": each.required}
            for each in prompt.inputs
        ],
        "messages": [{"content": each.content, "role": each.role} for each in prompt.messages],
        "name": prompt.name,
        "parameters": prompt.parameters,
        "response_format": prompt.response_format,
        "tools": prompt.tools,
        "version": prompt.version,
    }


def read_recipe(value: Json) -> tuple[str, Recipe]:
    """Slot and recipe of one line.

    Raises:
        WrongShapeError: It is no such line.
    """
    line = mapping(value)
    pin = field(line, "model", lambda inner: None if inner is None else read_pin(inner))
    recipe = Recipe(
        prompt=field(line, "prompt", lambda inner: _read_prompt(mapping(inner), pin)),
        inputs=field(line, "inputs", lambda inner: entries(inner, text)),
        constants=field(line, "constants", lambda inner: entries(inner, anything)),
    )
    return field(line, "slot", text), recipe


def _read_prompt(entry: Mapping[str, Json], pin: ModelPin | None) -> PromptVersion:
    return PromptVersion(
        name=field(entry, "name", text),
        version=field(entry, "version", text),
        messages=field(entry, "messages", lambda inner: items(inner, _read_message)),
        pin=pin,
        parameters=field(entry, "parameters", lambda inner: entries(inner, anything)),
        inputs=field(entry, "inputs", lambda inner: items(inner, _read_input)),
        tools=field(entry, "tools", lambda inner: items(inner, anything)),
        response_format=field(entry, "response_format", anything),
        digest=field(entry, "digest", text),
    )


def _read_message(value: Json) -> Message:
    entry = mapping(value)
    return Message(role=field(entry, "role", text), content=field(entry, "content", text))


def _read_input(value: Json) -> PromptInput:
    entry = mapping(value)
    return PromptInput(
        name=field(entry, "name", text),
        kind=field(entry, "kind", text),
        required=field(entry, "required", boolean),
        default=field(entry, "default", anything),
    )
