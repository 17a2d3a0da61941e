"""The JSON Schema of what `files.typed_json` writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pytest_promptgate.files.typed_json import (
    KIND,
    hints_of,
    is_any_json,
    is_required,
    is_union,
    kind_of,
    without_none,
)

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number"}


def schema_of(kind: type, *, title: str) -> dict[str, Json]:
    """The schema of a dataclass; every dataclass in it stands once, under ``$defs``."""
    definitions: dict[str, Json] = {}
    whole = _schema(kind, definitions)
    described: dict[str, Json] = {"$schema": _DRAFT, "title": title, **whole}
    return {**described, "$defs": {name: definitions[name] for name in sorted(definitions)}}


def _schema(hint: Any, definitions: dict[str, Json]) -> dict[str, Json]:
    if is_any_json(hint):
        return {}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if (inner := without_none(hint)) is not None:
        return {"anyOf": [_schema(inner, definitions), {"type": "null"}]}
    if is_union(hint):
        return {"oneOf": [_defined(member, definitions, tag=kind_of(member)) for member in get_args(hint)]}
    if is_dataclass(hint):
        return _defined(hint, definitions)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [each.value for each in hint]}
    return _collection(hint, definitions)


def _collection(hint: Any, definitions: dict[str, Json]) -> dict[str, Json]:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(args[1], definitions)}
    if origin is tuple and args[-1] is not Ellipsis:
        parts: list[Json] = [_schema(each, definitions) for each in args]
        return {"type": "array", "prefixItems": parts, "minItems": len(args), "maxItems": len(args)}
    return {"type": "array", "items": _schema(args[0], definitions)}


def _defined(kind: Any, definitions: dict[str, Json], *, tag: str = "") -> dict[str, Json]:
    """A reference to the definition of a dataclass, which is made at its first mention."""
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # it may refer to itself
        tagged: dict[str, Json] = {KIND: {"const": tag}} if tag else {}
        required = [each.name for each in fields(kind) if is_required(each)]
        definitions[kind.__name__] = {
            "description": (kind.__doc__ or "").partition("\n")[0],
            "type": "object",
            "properties": {**tagged, **{name: _schema(hint, definitions) for name, hint in hints_of(kind).items()}},
            "required": [*tagged, *required],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}
