"""Reading our own JSON back: values of the expected type, or an error that names the path to the wrong one."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pytest_promptgate.core.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pytest_promptgate.core.types import Json

T = TypeVar("T")
Reader: TypeAlias = "Callable[[Json], T]"


class WrongShapeError(ValueError):
    """A value is not what it has to be; whoever knows its key adds it with `inside`."""

    def __init__(self, what: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.path = path

    def inside(self, key: str | int) -> WrongShapeError:
        """The same error, seen from the owner of `key`."""
        return WrongShapeError(self.what, (key, *self.path))

    def __str__(self) -> str:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")
        return f"{path}: {self.what}" if path else self.what


def wrong(expected: str, found: Json) -> WrongShapeError:
    """``expected a number, found null``."""
    return WrongShapeError(f"expected {expected}, found {one_line(json.dumps(found, ensure_ascii=False), width=60)}")


def text(value: Json) -> str:
    """A string."""
    if not isinstance(value, str):
        raise wrong("text", value)
    return value


def boolean(value: Json) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong("true or false", value)
    return value


def number(value: Json) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise wrong("a number", value)
    return float(value)


def count(value: Json) -> int:
    """A whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong("a whole number from 0", value)
    return value


def optional(read: Reader[T]) -> Reader[T | None]:
    """What `read` reads, or null."""
    return lambda value: None if value is None else read(value)


def anything(value: Json) -> Json:
    """Whatever it is."""
    return value


def mapping(value: Json) -> Mapping[str, Json]:
    """A mapping."""
    if not isinstance(value, dict):
        raise wrong("a mapping", value)
    return value


def sequence(value: Json) -> Sequence[Json]:
    """A list."""
    if not isinstance(value, list):
        raise wrong("a list", value)
    return value


def known(value: Json, names: Collection[str]) -> Mapping[str, Json]:
    """A mapping whose keys are all among `names`."""
    for key in mapping(value):
        if key not in names:
            raise WrongShapeError("this version of pytest-promptgate knows no such key").inside(key)
    return mapping(value)


def field(owner: Mapping[str, Json], key: str, read: Reader[T]) -> T:
    """The value at `key`, which must be there."""
    if key not in owner:
        raise WrongShapeError(f"{key!r} is missing")
    try:
        return read(owner[key])
    except WrongShapeError as error:
        raise error.inside(key) from None


def entries(value: Json, read: Reader[T]) -> dict[str, T]:
    """A mapping with all its values read."""
    return named_entries(value, lambda _, inner: read(inner))


def named_entries(value: Json, read: Callable[[str, Json], T]) -> dict[str, T]:
    """A mapping with all its values read, by functions that want the key too."""
    result: dict[str, T] = {}
    for key, inner in mapping(value).items():
        try:
            result[key] = read(key, inner)
        except WrongShapeError as error:
            raise error.inside(key) from None
    return result


def items(value: Json, read: Reader[T]) -> tuple[T, ...]:
    """A list with all its values read."""
    result: list[T] = []
    for index, inner in enumerate(sequence(value)):
        try:
            result.append(read(inner))
        except WrongShapeError as error:
            raise error.inside(index) from None
    return tuple(result)
