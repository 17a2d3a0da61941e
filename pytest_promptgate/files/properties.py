"""Prompty's properties (inputs, outputs, parameters of tools) as JSON Schema, and what is made of them for OpenAI.

The schemas are those that Microsoft's ``prompty`` package (2.1) sends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.wording import did_you_mean

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.node import Node

KINDS: Mapping[str, str] = {
    "string": "string",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
    "union": "",
}
_KEYS = frozenset(
    {
        *("name", "kind", "description", "required", "nullable", "default", "example", "enumValues"),
        *("items", "properties", "anyOf"),
    }
)
_REFUSED = {
    "type": ("'type' is not read", "Prompty's word is `kind`."),
    "sample": ("'sample' is of Prompty 1", "Write `example`."),
    "enum": ("'enum' is not read", "Prompty's word is `enumValues`."),
    "oneOf": ("'oneOf' cannot be sent", "OpenAI's schemas know anyOf only."),
}
_TOOL_KEYS = frozenset({"name", "kind", "description", "parameters", "strict"})
_TOOL_REFUSED = {
    "bindings": ("'bindings' are not read", "No tool is run here: the calls that a model asks for are scored."),
}
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")

Schema = dict[str, Any]


def named(node: Node) -> list[tuple[str, Node]]:
    """Names and nodes of a list of ``{name: …}``, or of a mapping by name; both are Prompty's. Names are unique."""
    if isinstance(node.value, Mapping):
        return node.pairs()
    found: dict[str, Node] = {}
    for item in node.items("a list of properties, or a mapping by name"):
        field = item.get("name")
        if field is None:
            item.fault(f"{item.name} has no name" if isinstance(item.value, Mapping) else f"{item.name} is no mapping")
            continue
        name = field.text()
        if name in found:
            field.fault(f"{name!r} stands twice in {node.name}", "Names are unique.")
        elif name is not None:
            found[name] = item
    return list(found.items())


def schema(node: Node, *, optional: bool = False, strict: bool = False) -> Schema:
    """The JSON Schema of one property; notes what is wrong with it.

    Args:
        optional: Null is allowed too: strict schemas require every key.
        strict: Of the whole schema that this is a part of.
    """
    if not isinstance(node.value, Mapping):
        node.wrong("a mapping with `kind`")
        return {}
    node.keys(_KEYS, refused=_REFUSED)
    kind = _kind(node)
    made: Schema = {"type": KINDS[kind]} if KINDS.get(kind) else {}
    if description := node.get("description"):
        made["description"] = description.text() or ""
    if values := node.get("enumValues"):
        made["enum"] = [each.value for each in values.items()]
    made |= _inside(node, kind, strict=strict)
    nullable = node.get("nullable")
    if optional or (nullable and nullable.flag()):
        _allow_null(made)
    if required := node.get("required"):
        required.flag()
    return made


def _kind(node: Node) -> str:
    field = node.get("kind")
    if field is None:
        node.fault(f"{node.name} has no kind", f"Kinds: {', '.join(sorted(KINDS))}.")
        return ""
    kind = field.text()
    if kind is not None and kind not in KINDS:
        field.fault(f"unknown kind {kind!r}", did_you_mean(kind, KINDS, label="Kinds"))
    return kind or ""


_SIMPLEST = {
    "items": "{kind: string}",
    "properties": "{name: {kind: string}}",
    "anyOf": "[{kind: string}, {kind: number}]",
}


def _inside(node: Node, kind: str, *, strict: bool) -> Schema:
    needed = {"array": "items", "object": "properties", "union": "anyOf"}
    for owner, key in needed.items():
        inner = node.get(key)
        if kind == owner and inner is None:
            node.fault(f"{node.name} is of kind {kind!r} and has no {key!r}", f"Write `{key}: {_SIMPLEST[key]}`, say.")
        if kind != owner and inner is not None:
            inner.fault(f"{key!r} belongs to kind {owner!r}")
    inner = node.get(needed.get(kind, ""))
    if inner is None:
        return {}
    if kind == "array":
        return {"items": schema(inner, strict=strict)}
    if kind == "union":
        return {"anyOf": [schema(branch, strict=strict) for branch in inner.items()]}
    return {**_members(inner, strict=strict), "additionalProperties": False}


def _members(node: Node, *, strict: bool) -> Schema:
    members: dict[str, Schema] = {}
    required: list[str] = []
    for name, each in named(node):
        needed = isinstance(each.value, Mapping) and each.value.get("required") is True
        members[name] = schema(each, optional=strict and not needed, strict=strict)
        if strict or needed:
            required.append(name)
    return {"properties": members, **({"required": required} if required else {})}


def _allow_null(made: Schema) -> None:
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    elif isinstance(made.get("anyOf"), list):
        made["anyOf"].append({"type": "null"})
    if isinstance(made.get("enum"), list) and None not in made["enum"]:
        made["enum"].append(None)


def response_format(node: Node) -> Json:
    """OpenAI's ``response_format`` for declared outputs; None if there are none."""
    members = _members(node, strict=True)
    if not members["properties"]:
        return None
    made = {"type": "object", **members, "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "structured_output", "strict": True, "schema": made}}


def tools(node: Node) -> tuple[Json, ...]:
    """Tools in OpenAI's form, from Prompty's ``kind: function`` or from OpenAI's own form."""
    found: dict[str, Json] = {}
    for name, each in _named_tools(node):
        if name and not _TOOL_NAME.match(name):
            each.fault(f"{name!r} is no name of a tool", "Letters, digits, '_' and '-', at most 64.")
        elif name in found:
            each.fault(f"the tool {name!r} stands twice", "Names are unique.")
        elif made := _tool(name, each):
            found[name] = made
    return tuple(found.values())


def _named_tools(node: Node) -> list[tuple[str, Node]]:
    if isinstance(node.value, Mapping):
        return node.pairs()
    pairs: list[tuple[str, Node]] = []
    for item in node.items("a list of tools, or a mapping by name"):
        field = (item.get("function") or item).get("name")
        if field is None:
            item.fault(f"{item.name} has no name")
        else:
            pairs.append((field.text() or "", item))
    return pairs


def _tool(name: str, node: Node) -> Json:
    if function := node.get("function"):
        return _own_form(node, function)
    if not isinstance(node.value, Mapping):
        node.wrong("a mapping with `kind: function`")
        return None
    node.keys(_TOOL_KEYS, refused=_TOOL_REFUSED)
    kind = node.get("kind")
    if kind is None or kind.value != "function":
        (kind or node).fault(f"{node.name} is not of kind 'function'", "Only function tools can be sent.")
        return None
    flag = node.get("strict")
    strict = bool(flag and flag.flag())
    made: Schema = {"name": name}
    if description := node.get("description"):
        made["description"] = description.text()
    if (parameters := node.get("parameters")) and parameters.value:
        made["parameters"] = {"type": "object", **_members(parameters, strict=strict)}
        if strict:
            made["parameters"]["additionalProperties"] = False
    return {"type": "function", "function": made | ({"strict": True} if strict else {})}


def _own_form(node: Node, function: Node) -> Json:
    node.keys({"type", "function"})
    function.keys({"name", "description", "parameters", "strict"})
    kind = node.get("type")
    if kind is None or kind.value != "function":
        node.fault(f"{node.name} needs `type: function`")
    return node.value
