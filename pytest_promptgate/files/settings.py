"""Settings of a scorer: what a suite writes, held against the fields of the dataclass that is offered."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.wording import did_you_mean, shown

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.node import Node

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "null"}


def build(offer: type, kind: str, node: Node, *, typed: bool, directory: Path) -> Any | None:
    """An instance of `offer` with the settings at `node`, or None after noting faults.

    A value that is neither a mapping nor null is the first field's: ``contains: refund``.

    Args:
        offer: A class; settings need a dataclass.
        kind: Its name in the suite.
        node: The settings, or anything that is no mapping of them.
        directory: Where paths start: a text for a field with ``metadata={"path": True}`` is one.
        typed: Hold the values against the annotations (users' classes); ours check themselves.
    """
    fields = [field for field in dataclasses.fields(offer) if field.init] if dataclasses.is_dataclass(offer) else []
    before = len(node.faults)
    if not fields and node.value is not None and not isinstance(node.value, Mapping):
        node.wrong("a mapping of settings")
    given = _given(node, fields)
    _check_names(given, fields, kind, node)
    hints = _hints(offer) if typed else {}
    values = {name: _fitting(name, below, hints.get(name, Any)) for name, below in given.items()}
    if len(node.faults) > before:
        return None
    try:
        return offer(**_resolved(values, fields, directory))
    except (TypeError, ValueError) as fault:
        node.fault(f"{kind}: {one_line(str(fault), width=400)}")
    except Exception as fault:  # noqa: BLE001 - it may be users' code that raises
        node.fault(f"{kind} cannot be set up: {type(fault).__name__}: {one_line(str(fault), width=200)}")
    return None


def _resolved(values: dict[str, Any], fields: Sequence[dataclasses.Field[Any]], directory: Path) -> dict[str, Any]:
    paths = {field.name for field in fields if field.metadata.get("path")}
    return {
        name: str(directory / value) if name in paths and isinstance(value, str) else value
        for name, value in values.items()
    }


def in_use(scorer: object) -> dict[str, Json]:
    """The settings of a built scorer that differ from their defaults: what its fingerprint covers.

    A field that a later release adds with a default so leaves the fingerprint as it was.
    """
    if not dataclasses.is_dataclass(scorer):
        return {}
    pairs = [(field, getattr(scorer, field.name)) for field in dataclasses.fields(scorer) if field.init]
    return {field.name: value for field, value in pairs if not _is_default(field, value)}


def _is_default(field: dataclasses.Field[Any], value: object) -> bool:
    default = field.default
    if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return type(value) is type(default) and bool(value == default)


def _given(node: Node, fields: Sequence[dataclasses.Field[Any]]) -> dict[str, Node]:
    if node.value is None:
        return {}
    if isinstance(node.value, Mapping):
        return dict(node.pairs())
    if not fields:
        return {}
    return {fields[0].name: node}


def _check_names(given: Mapping[str, Node], fields: Sequence[dataclasses.Field[Any]], kind: str, node: Node) -> None:
    names = {field.name for field in fields}
    for name, below in given.items():
        if name not in names:
            hint = did_you_mean(name, names, label="Settings") if names else "It takes none."
            below.fault(f"unknown setting {name!r} of {kind}", hint)
    for field in fields:
        bare = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if bare and field.name not in given:
            node.fault(f"{kind} lacks the setting {field.name!r}", f"Settings: {', '.join(sorted(names))}.")


def _hints(offer: type) -> Mapping[str, Any]:
    try:
        return get_type_hints(offer)
    except (NameError, TypeError, AttributeError):  # a name that is imported for type checkers alone
        return {}


def _fitting(name: str, node: Node, hint: Any) -> Any:
    fits, value = _converted(node.value, hint)
    if not fits:
        node.fault(f"{name} must be {_worded(hint)}, not {shown(node.value)}")
    return value


def _converted(value: Json, hint: Any) -> tuple[bool, Any]:
    """Whether `value` fits `hint`, and the value as `hint` wants it; hints that are not known fit everything."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return next((found for each in inner if (found := _converted(value, each))[0]), (False, value))
    if origin is Literal:
        return any(type(each) is type(value) and each == value for each in inner), value
    if hint in _WORDS:
        return _is_plain(value, hint), float(value) if hint is float and _is_plain(value, float) else value  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, Enum):
        member = next((each for each in hint if each.value == value), None)
        return member is not None, member
    container = origin or hint
    if container in (tuple, list, frozenset, set) or container is Sequence:
        return _items(value, container, inner)
    if container in (dict, Mapping):
        return isinstance(value, Mapping), value
    return True, value


def _items(value: Json, container: Any, inner: tuple[Any, ...]) -> tuple[bool, Any]:
    if not isinstance(value, list):
        return False, value
    fixed = container is tuple and inner and inner[-1] is not Ellipsis
    hints = inner if fixed else (inner[:1] or (Any,)) * len(value)
    found = [_converted(item, hint) for item, hint in zip(value, hints, strict=False)]
    built = (tuple if container is Sequence else container)(item for _, item in found)
    return len(hints) == len(value) and all(fits for fits, _ in found), built


def _is_plain(value: Json, hint: Any) -> bool:
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)


def _worded(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_worded(each) for each in inner)
    if origin is Literal:
        return " or ".join(shown(each) for each in inner)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(shown(each.value) for each in hint)
    if (origin or hint) in (dict, Mapping):
        return "a mapping"
    if hint in _WORDS:
        return _WORDS[hint]
    each = [_worded(one) for one in inner if one is not Ellipsis]
    return f"a list of {' and '.join(each)}" if each else "a list"
