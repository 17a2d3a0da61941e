"""What stands above a prompt's messages: metadata, model, inputs, outputs, tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.parameters import EXTRA, canonical_parameters
from pytest_promptgate.core.prompt import ModelPin, PromptInput, parse_model
from pytest_promptgate.files import properties

if TYPE_CHECKING:
    from pytest_promptgate.core.prompt import Json
    from pytest_promptgate.files.node import Node

KEYS = frozenset({"name", "displayName", "description", "metadata", "model", "inputs", "outputs", "tools", "template"})
REFUSED = {
    "version": ("'version' stands in the wrong place", "Write it under `metadata:`."),
    "owner": ("'owner' stands in the wrong place", "Write it under `metadata:`."),
    "source": ("'source' stands in the wrong place", "Write it under `metadata:`."),
    "authors": ("'authors' stands in the wrong place", "Write it under `metadata:`."),
    "tags": ("'tags' stands in the wrong place", "Write it under `metadata:`."),
    "sample": ("'sample' is of Prompty 1", "Write an `example` beside each input."),
    "instructions": ("'instructions' is not read", "Messages stand below the front matter, or under `messages:`."),
}
_MODEL_KEYS = frozenset({"id", "provider", "apiType", "options"})
_ENDPOINT = "Endpoints, and the names of the variables that hold keys, stand in promptgate.yaml."
_MODEL_REFUSED = {
    "connection": ("'connection' is not used", _ENDPOINT),
    "configuration": ("'configuration' is of Prompty 1", _ENDPOINT),
    "api": ("'api' is of Prompty 1", "Write `apiType: chat`, or nothing."),
    "parameters": ("'parameters' is of Prompty 1", "Write `options`."),
    "pinned": ("'pinned' is no key of prompts", "Your word for an opaque model stands in the suite."),
}
_INPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TAKEN = frozenset(
    {"loop", "self", "super", "caller", "varargs", "kwargs", "true", "false", "none", "True", "False", "None"}
)
_REFERENCE = re.compile(r"\$\{[^}]*\}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """Read, with what is wrong noted at its nodes."""

    description: str
    owner: str
    source: str
    pin: ModelPin | None
    parameters: Mapping[str, Json]
    inputs: Mapping[str, tuple[PromptInput, Node]]  # by name, with the place of the declaration
    tools: tuple[Json, ...]
    response_format: Json


def read_front_matter(node: Node, *, name: str, version: str) -> FrontMatter:
    """Read the mapping `node`.

    Args:
        name: Of the prompt's directory; a ``name:`` has to agree.
        version: Of the file; a ``metadata.version`` has to agree.
    """
    for each in _references(node):
        each.fault("a ${…} reference", "A version holds its whole text: write the value out.")
    _agrees(node.get("name"), name, "the directory")
    display = node.get("displayName")
    if display:
        display.text()
    metadata = node.get("metadata")
    if metadata:
        metadata.pairs()
        _agrees(metadata.get("version"), version, "the file name")
    pin, parameters = read_model(node.get("model"))
    _template(node.get("template"))
    declared, outputs, tools = node.get("inputs"), node.get("outputs"), node.get("tools")
    return FrontMatter(
        description=_text(node, "description"),
        owner=_text(metadata, "owner"),
        source=_text(metadata, "source"),
        pin=pin,
        parameters=parameters,
        inputs=_inputs(declared) if declared else {},
        tools=properties.tools(tools) if tools else (),
        response_format=properties.response_format(outputs) if outputs else None,
    )


def _text(owner: Node | None, key: str) -> str:
    field = owner.get(key) if owner else None
    return (field.text() or "") if field else ""


def _agrees(field: Node | None, expected: str, other: str) -> None:
    if field is None or field.value == expected:
        return
    if isinstance(field.value, str):
        field.fault(f"{field.name} {field.value!r} disagrees with {other} {expected!r}", f"Write {expected}.")
    else:
        field.wrong(f"text, {expected!r}")


def _references(node: Node) -> Iterator[Node]:
    """Values that Prompty would replace by a variable of the environment or by another file."""
    if isinstance(node.value, Mapping):
        for key, inner in node.pairs():
            if isinstance(inner.value, str) and _REFERENCE.match(inner.value) and key != "content":
                yield inner
            yield from _references(inner)
    elif isinstance(node.value, list):
        for item in node.items():
            yield from _references(item)


def read_model(node: Node | None) -> tuple[ModelPin | None, Mapping[str, Json]]:
    """Pin and parameters of ``model:``; what is wrong is noted at its nodes."""
    if node is None:
        return None, {}
    if isinstance(node.value, str):
        return _pin(node, None), {}
    node.keys(_MODEL_KEYS, refused=_MODEL_REFUSED)
    api = node.get("apiType")
    if api and api.value != "chat":
        api.wrong("'chat'", "Only chat completions are asked.")
    model, provider, options = node.get("id"), node.get("provider"), node.get("options")
    if provider and not model:
        provider.fault("a provider without a model", "Write `id`, or remove `provider`.")
    pin = _pin(model, provider) if model else None
    return pin, _parameters(options) if options else {}


def _pin(model: Node, provider: Node | None) -> ModelPin | None:
    """The provider ends at the first "/", unless it stands under its own key."""
    written = model.text("the id of a model")
    if provider:
        owner, name = provider.text("the name of a provider"), written
    else:
        owner, name = parse_model(written) if written else (None, None)
    if written and not (owner and name) and not provider:
        model.fault(f"{written!r} names no model", "Write the model's id, or provider/id.")
    return ModelPin(provider=owner, name=name) if owner and name else None


def _parameters(node: Node) -> Mapping[str, Json]:
    if not isinstance(node.value, Mapping):
        node.wrong("a mapping")
        return {}
    found, faults = canonical_parameters(node.value)
    for fault in faults:
        owner = node if fault.name in node.value else (node.get(EXTRA) or node)
        (owner.get(fault.name) or owner).fault(fault.what, fault.hint)
    return found


def _inputs(node: Node) -> Mapping[str, tuple[PromptInput, Node]]:
    found: dict[str, tuple[PromptInput, Node]] = {}
    for name, each in properties.named(node):
        if not _INPUT_NAME.match(name) or name in _TAKEN:
            why = "Jinja uses it itself" if name in _TAKEN else "letters, digits and '_', no digit first"
            each.fault(f"{name!r} cannot be the name of an input", f"A template could not write it: {why}.")
            continue
        properties.schema(each)
        found[name] = (_input(name, each), each)
    return found


def _input(name: str, node: Node) -> PromptInput:
    fields = node.value if isinstance(node.value, Mapping) else {}
    if nullable := node.get("nullable"):
        nullable.fault("'nullable' is not used for inputs", "Write `required: false`.")
    default = fields.get("default")
    kind = fields.get("kind")
    return PromptInput(
        name=name,
        kind=kind if isinstance(kind, str) else "string",
        required=fields.get("required") is not False and default is None,
        default=default,
    )


def _template(node: Node | None) -> None:
    if node is None:
        return
    node.keys({"format", "parser"})
    for key, only, known in (("format", "jinja2", {"kind", "strict"}), ("parser", "prompty", {"kind"})):
        field = node.get(key)
        if field is None:
            node.fault(f"{node.name} has no {key!r}", f"Write `{key}: {only}`.")
            continue
        kind = field.get("kind") or field
        if isinstance(field.value, Mapping):
            field.keys(known)
        if kind.value != only:
            kind.wrong(f"{only!r}", "Messages are Jinja templates with Prompty's role markers.")
        if (strict := field.get("strict")) and strict.value is not True:
            strict.wrong("true", "Roles are always split before a row's values come in.")
