"""YAML as plain values with a place for every key and item: what all files that users write are read with.

Plain scalars are read by `files.scalars`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from pytest_promptgate.errors import FileError, Place
from pytest_promptgate.files.scalars import plain_value
from pytest_promptgate.files.yaml_faults import syntax_error

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.types import Json

Route: TypeAlias = "tuple[str | int, ...]"  # the keys and indices that lead to a value; () is the whole document

MOST_CHARACTERS = 5_000_000
MOST_DEPTH = 60
MOST_ALIASED = 100_000  # values that aliases repeat, all together

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Places(Mapping[Route, Place]):
    """Places by route, made when they are asked for: a large file has many, and few are ever told."""

    def __init__(self, file: str, marks: Mapping[Route, tuple[int, int]]) -> None:
        self._file = file
        self._marks = marks

    def __getitem__(self, route: Route) -> Place:
        line, column = self._marks[route]
        return Place(file=self._file, line=line, column=column)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._marks)

    def __len__(self) -> int:
        return len(self._marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document. Below a route to a mapping's key stands the key's place, to a list's item the item's."""

    value: Json
    places: Mapping[Route, Place]


def read_text(path: Path, *, error: type[FileError], name: str = "") -> str:
    """The text of a UTF-8 file without its byte order mark; `name` stands for the path in messages.

    Raises:
        FileError: As `error`: the file cannot be read, or is not UTF-8 (with the line).
    """
    place = Place(file=name or str(path))
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise error(place, "no such file") from None
    except OSError as fault:
        raise error(place, f"cannot be read: {fault.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise error(
            Place(file=place.file, line=line),
            f"byte 0x{data[fault.start]:02x} is not UTF-8",
            hint="Save the file as UTF-8.",
        ) from None


def read_yaml(text: str, *, file: str, first_line: int = 1, error: type[FileError]) -> Document:
    """Read one YAML document.

    Args:
        text: At most 5,000,000 characters; a byte order mark is tolerated.
        file: Its name in places and messages.
        first_line: Line of the file on which `text` starts.
        error: What is raised.

    Raises:
        FileError: As `error`, with its place: syntax, a duplicate key, a key that is no text, a merge key, a tag,
            a second document, no finite number, an unprintable character, too large, too deep, too many aliases.
    """
    text = text.removeprefix("\ufeff")
    top = Place(file=file, line=first_line, column=1)
    if len(text) > MOST_CHARACTERS:
        raise error(
            top,
            f"{len(text):,} characters of YAML; at most {MOST_CHARACTERS:,} are read",
            hint="Split the file; a dataset of this size is better written as .jsonl.",
        )
    odd = _UNPRINTABLE.search(text)
    if odd:
        raise error(_place_in(text, odd.start(), file, first_line), f"unprintable character U+{ord(odd.group()):04X}")
    reader = _Reader(text, file=file, first_line=first_line, error=error)
    try:
        value = reader.document()
    except yaml.MarkedYAMLError as fault:
        raise syntax_error(fault, text, file, first_line, error) from None
    return Document(value=value, places=Places(file, reader.marks))


def place_of(document: Document, route: Route) -> Place:
    """The place of the value at `route`, or of its nearest ancestor that has one."""
    while route not in document.places:
        route = route[:-1]
    return document.places[route]


def plain_scalars(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of every unquoted key and value, up to the first fault; lines count from 1."""
    try:
        for event in yaml.parse(text.removeprefix("\ufeff")[:MOST_CHARACTERS], Loader=_LOADER):
            if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.start_mark:
                yield event.start_mark.line + 1, event.start_mark.column + 1, event.value
    except yaml.YAMLError:
        return


class _Reader:
    """One pass over the parser's events."""

    def __init__(self, text: str, *, file: str, first_line: int, error: type[FileError]) -> None:
        self._loader = _LOADER(text)
        self._file = file
        self._first_line = first_line
        self._error = error
        self._anchors: dict[str, tuple[Json, int]] = {}  # value, and how many values it holds
        self._count = 0
        self._aliased = 0
        self.marks: dict[Route, tuple[int, int]] = {(): (first_line, 1)}

    def document(self) -> Json:
        self._loader.get_event()
        event = self._loader.get_event()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        event = self._loader.get_event()
        self.marks[()] = self._mark(event)
        value = self._value(event, ())
        self._loader.get_event()
        second = self._loader.get_event()
        if not isinstance(second, yaml.StreamEndEvent):
            raise self._fault(second, "a second YAML document starts here", "One file holds one document.")
        return value

    def _value(self, event: Any, route: Route) -> Json:
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        before = self._count
        self._count += 1
        if kind is yaml.ScalarEvent:
            value = self._scalar(event)
        else:
            if len(route) >= MOST_DEPTH:
                raise self._fault(event, f"nested deeper than {MOST_DEPTH} levels")
            self._refuse_tag(event, "map" if kind is yaml.MappingStartEvent else "seq")
            value = self._mapping(event, route) if kind is yaml.MappingStartEvent else self._sequence(route)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._count - before)
        return value

    def _mapping(self, start: Any, route: Route) -> Json:
        value: dict[str, Json] = {}
        while type(event := self._loader.get_event()) is not yaml.MappingEndEvent:
            key = self._key(event, start)
            below = (*route, key)
            if key in value:
                line = self.marks[below][0]
                raise self._fault(event, f"duplicate key {key!r}", f"It stands on line {line} already.")
            self.marks[below] = self._mark(event)
            value[key] = self._value(self._loader.get_event(), below)
        return value

    def _sequence(self, route: Route) -> Json:
        value: list[Json] = []
        while type(event := self._loader.get_event()) is not yaml.SequenceEndEvent:
            below = (*route, len(value))
            self.marks[below] = self._mark(event)
            value.append(self._value(event, below))
        return value

    def _key(self, event: Any, start: Any) -> str:
        if type(event) is not yaml.ScalarEvent:
            what = "an alias" if type(event) is yaml.AliasEvent else "a list or mapping"
            hint = "A value that starts with '{' or '[' needs quotes." if start.flow_style else "Keys are text."
            raise self._fault(event, f"{what} stands where a key is expected", hint)
        if event.implicit[0] and event.value == "<<":
            raise self._fault(event, "the merge key '<<' is not read", "Write the keys out.")
        value = self._scalar(event)
        if not isinstance(value, str):
            raise self._fault(event, f"the key {event.value or 'null'} is not text", f"Quote it: '{event.value}'.")
        return value

    def _scalar(self, event: Any) -> Json:
        text: str = event.value
        if not event.implicit[0]:  # quoted, a block, or tagged
            self._refuse_tag(event, "str")
            return text
        try:
            return plain_value(text)
        except ValueError as fault:
            raise self._fault(event, str(fault), "Quote it if it is text.") from None

    def _alias(self, event: Any) -> Json:
        if event.anchor not in self._anchors:
            raise self._fault(event, f"alias *{event.anchor} names no finished value before it")
        value, size = self._anchors[event.anchor]
        self._aliased += size
        self._count += size
        if self._aliased > MOST_ALIASED:
            raise self._fault(event, f"aliases repeat more than {MOST_ALIASED:,} values", "Write the values out.")
        return value

    def _refuse_tag(self, event: Any, allowed: str) -> None:
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{allowed}"):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self._fault(event, f"the tag {tag} is not read", "Remove it; text is written in quotes.")

    def _mark(self, event: Any) -> tuple[int, int]:
        mark = event.start_mark
        return mark.line + self._first_line, mark.column + 1

    def _fault(self, event: Any, what: str, hint: str = "") -> FileError:
        line, column = self._mark(event)
        return self._error(Place(file=self._file, line=line, column=column), what, hint=hint)


def _place_in(text: str, offset: int, file: str, first_line: int) -> Place:
    before = text[:offset]
    return Place(file=file, line=before.count("\n") + first_line, column=offset - before.rfind("\n"))
