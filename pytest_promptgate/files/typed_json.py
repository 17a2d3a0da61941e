"""JSON for frozen dataclasses, driven by their annotations: written, read back as the same value, and described.

A field is a key. A tuple is a list, a set a sorted list; a choice between dataclasses names its own in ``kind``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from pytest_promptgate.core.types import Json
from pytest_promptgate.files.shapes import (
    WrongShapeError,
    anything,
    boolean,
    entries,
    items,
    known,
    mapping,
    number,
    optional,
    text,
    wrong,
)

Encode: TypeAlias = Callable[[Any], Any]
Decode: TypeAlias = Callable[[Json], Any]

KIND = "kind"


class _AnyJson:
    """Stands for `Json`, whose own annotation refers to itself."""


@cache
def hints_of(kind: type) -> Mapping[str, Any]:
    """The types of a dataclass's fields."""
    return get_type_hints(kind, localns={"Json": _AnyJson})


def without_none(hint: Any) -> Any:
    """``X`` of ``X | None``; None of any other type."""
    if not is_union(hint) or types.NoneType not in get_args(hint):
        return None
    rest = tuple(each for each in get_args(hint) if each is not types.NoneType)
    return Union[rest]  # noqa: UP007 of types that are known only here


def is_union(hint: Any) -> bool:
    """Whether it is ``X | Y``."""
    return get_origin(hint) in (Union, types.UnionType)


def is_any_json(hint: Any) -> bool:
    """Whether it is `Json`."""
    return hint is _AnyJson


def kind_of(member: type) -> str:
    """What stands in ``kind``."""
    return member.__name__.lower()


# --- written ---------------------------------------------------------------------------------------------------------


@cache
def encoder(hint: Any) -> Encode:
    """A function from a value of the type `hint` to JSON."""
    if (inner := without_none(hint)) is not None:
        encode = encoder(inner)
        return lambda value: None if value is None else encode(value)
    if is_union(hint):
        members = {member: encoder(member) for member in get_args(hint)}
        return lambda value: {KIND: kind_of(type(value)), **members[type(value)](value)}
    if is_dataclass(hint):
        return _dataclass_encoder(hint)
    return _collection_encoder(hint)


def _dataclass_encoder(kind: Any) -> Encode:
    parts = [(each.name, encoder(hints_of(kind)[each.name])) for each in fields(kind)]
    return lambda value: {name: encode(getattr(value, name)) for name, encode in parts}


def _collection_encoder(hint: Any) -> Encode:
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple and args[-1] is not Ellipsis:
        each = tuple(encoder(arg) for arg in args)
        return lambda value: [encode(part) for encode, part in zip(each, value, strict=True)]
    if origin in (tuple, frozenset):
        encode = encoder(args[0])
        ordered: Callable[[Any], Any] = sorted if origin is frozenset else iter
        return lambda value: [encode(part) for part in ordered(value)]
    if origin is Mapping:
        encode = encoder(args[1])
        return lambda value: {key: encode(part) for key, part in value.items()}
    return lambda value: value


# --- read ------------------------------------------------------------------------------------------------------------


@cache
def decoder(hint: Any) -> Decode:
    """A function from JSON to a value of the type `hint`; it raises `WrongShapeError`."""
    if (inner := without_none(hint)) is not None:
        return optional(decoder(inner))
    if is_union(hint):
        return _choice_decoder({kind_of(member): decoder(member) for member in get_args(hint)})
    if is_dataclass(hint):
        return _dataclass_decoder(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: _member(hint, value)
    return _PLAIN[hint] if hint in _PLAIN else _collection_decoder(hint)


def _collection_decoder(hint: Any) -> Decode:
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple and args[-1] is not Ellipsis:
        return lambda value: _exactly(args, items(value, anything))
    inner = decoder(args[-1] if origin is Mapping else args[0])
    if origin is Mapping:
        return lambda value: entries(value, inner)
    return (lambda value: frozenset(items(value, inner))) if origin is frozenset else lambda value: items(value, inner)


def _exactly(kinds: tuple[Any, ...], found: tuple[Json, ...]) -> tuple[Any, ...]:
    if len(found) != len(kinds):
        raise wrong(f"{len(kinds)} values", list(found))
    return tuple(decoder(kind)(value) for kind, value in zip(kinds, found, strict=True))


def _dataclass_decoder(kind: Any) -> Decode:
    readers = {each.name: (decoder(hints_of(kind)[each.name]), is_required(each)) for each in fields(kind)}

    def decode(value: Json) -> Any:
        entry, found = known(value, readers), {}
        for name, (read, required) in readers.items():
            if name in entry:
                found[name] = _inside(name, read, entry[name])
            elif required:
                raise WrongShapeError(f"{name!r} is missing")
        try:
            return kind(**found)
        except ValueError as error:
            raise WrongShapeError(str(error)) from None

    return decode


def _inside(name: str, read: Decode, value: Json) -> Any:
    try:
        return read(value)
    except WrongShapeError as error:
        raise error.inside(name) from None


def is_required(part: Field[Any]) -> bool:
    """Whether a dataclass cannot be made without this field."""
    return part.default is MISSING and part.default_factory is MISSING


def _choice_decoder(members: Mapping[str, Decode]) -> Decode:
    def decode(value: Json) -> Any:
        entry = dict(mapping(value))
        kind = entry.pop(KIND, None)
        if not isinstance(kind, str) or kind not in members:
            raise wrong(f"one of {', '.join(members)}", kind).inside(KIND)
        return members[kind](entry)

    return decode


def _member(kind: type[Enum], value: Json) -> Enum:
    try:
        return kind(value)
    except ValueError:
        raise wrong(f"one of {', '.join(str(each.value) for each in kind)}", value) from None


def _whole(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("a whole number", value)
    return value


_PLAIN: Mapping[Any, Decode] = {str: text, bool: boolean, int: _whole, float: number, _AnyJson: anything}
