"""One value of a YAML text replaced, and everything else left as it is: comments, quotes, order, white space."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_promptgate.errors import FileError, Place
from pytest_promptgate.files.source import read_yaml

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.source import Route

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@-]*\Z")  # what needs no quotes, even in {…}
_HINT = "Edit it by hand."


def with_text(text: str, route: Route, value: str, *, file: str, error: type[FileError]) -> str:
    """`text` with `value` in place of the text at `route`.

    Raises:
        FileError: As `error`: there is no single text at `route`, or another value would change with it.
    """
    found = _node(text, route)
    if found is None or found.id != "scalar":
        raise error(Place(file=file), f"{_name(route)} is no single text", hint=_HINT)
    start, end = found.start_mark.index, found.end_mark.index
    edited = f"{text[:start]}{_written(value, text[start])}{text[end:]}"
    return _checked(text, edited, route, value, file=file, error=error)


def with_key(text: str, key: str, value: str, *, after: str, file: str, error: type[FileError]) -> str:
    """`text` with a new line ``key: value`` below that of the top-level key `after`; raises as `with_text`."""
    found = _node(text, (after,))
    end = text.find("\n", found.end_mark.index) if found is not None else -1
    head, tail = (text[: end + 1], text[end + 1 :]) if end >= 0 else (f"{text}\n", "")
    return _checked(text, f"{head}{key}: {_written(value)}\n{tail}", (key,), value, file=file, error=error)


def _node(text: str, route: Route) -> Any:
    import yaml

    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in route:
        if node is None or node.id != "mapping":
            return None
        node = next((value for key, value in node.value if key.value == step), None)
    return node


def _written(value: str, first: str = "") -> str:
    if first in ("'", '"') or not _PLAIN.match(value):
        quote = first if first in ("'", '"') else '"'
        return f"{quote}{value}{quote}"
    return value


def _checked(text: str, edited: str, route: Route, value: str, *, file: str, error: type[FileError]) -> str:
    expected = _set(read_yaml(text, file=file, error=error).value, route, value)
    try:
        found = read_yaml(edited, file=file, error=error).value
    except FileError:
        found = None
    if found != expected:
        what = f"{_name(route)} cannot be set to {value!r} without changing something else"
        raise error(Place(file=file), what, hint=_HINT)
    return edited


def _set(tree: Json, route: Route, value: str) -> Json:
    if not route:
        return value
    assert isinstance(tree, Mapping)
    key = str(route[0])
    return {**tree, key: _set(tree.get(key), route[1:], value)}


def _name(route: Route) -> str:
    return ".".join(map(str, route))
