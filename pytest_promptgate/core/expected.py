"""What a scorer compares with: the row's expected value, a column, or a key inside one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Json

_ABSENT: Final = object()


def expected_of(case: Case, name: str | None) -> Json:
    """The value that `name` stands for in this row.

    Args:
        case: The row.
        name: None or ``expected``: the row's expected value. Else a column, else a key of the expected value.
            ``order.items.0.sku`` walks into mappings and lists; a column or key that contains dots wins over a walk.

    Raises:
        LookupError: The row has nothing of that name. A null that stands there is a value, not an absence.
    """
    if name is None and case.has_expected:
        return case.expected
    found = _found(case, name)
    if found is not _ABSENT:
        return found  # type: ignore[return-value]
    if name is None:
        raise LookupError("the row has no expected value")
    columns = ", ".join(sorted(case.inputs)) or "none"
    raise LookupError(f"the row has no column {name!r}, and its expected value no such key; columns: {columns}")


def has_expected_of(case: Case, name: str | None) -> bool:
    """Whether `expected_of` finds something; null counts."""
    return _found(case, name) is not _ABSENT


def _found(case: Case, name: str | None) -> object:
    if name is None:
        return case.expected if case.has_expected else _ABSENT
    roots = [case.inputs, case.expected, {"expected": case.expected}] if case.has_expected else [case.inputs]
    for root in roots:
        found = _reach(root, name)
        if found is not _ABSENT:
            return found
    return _ABSENT


def _reach(value: object, path: str) -> object:
    if isinstance(value, Mapping) and path in value:
        found: object = value[path]
        return found
    head, dot, rest = path.partition(".")
    if not dot:
        return _item(value, head)
    below = _item(value, head)
    return below if below is _ABSENT else _reach(below, rest)


def _item(value: object, key: str) -> object:
    if isinstance(value, Mapping):
        return value.get(key, _ABSENT)
    if isinstance(value, Sequence) and not isinstance(value, str) and key.isascii() and key.isdigit():
        return value[int(key)] if int(key) < len(value) else _ABSENT
    return _ABSENT
