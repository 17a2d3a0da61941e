"""``where:`` filters of suites: a small boolean language over the columns of a row.

::

    language == 'en' and score >= 3
    queue in ['billing', 'refund'] or not 'internal' in tags

It is written like Python and never executed: the tree is checked node by node and then walked. Names are columns,
``tags`` is the row's list of tags, and true, false, null may be written so or as in Python. A row without the column
has null there. Null is equal to null only, and neither below nor above anything; a truth value is equal to no number.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.types import Json

_Term: TypeAlias = "Callable[[Mapping[str, Json]], Json]"

_LITERALS: Mapping[str, Json] = {"true": True, "false": False, "null": None}
_SHAPE = "Write it like: language == 'en' and score >= 3. There are and, or, not, in, == != < <= > >=, ( ), [ ]."
MOST_CHARACTERS = 2_000


class WhereError(ValueError):
    """A filter cannot be read, or not be applied to a row; the caller knows the place."""

    def __init__(self, what: str, *, hint: str = _SHAPE) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter that is ready to use."""

    text: str
    columns: frozenset[str]  # that it reads
    matches: Callable[[Mapping[str, Json]], bool]  # raises WhereError: text and a number cannot be ordered


def parse_where(text: str) -> Filter:
    """Read a filter.

    Raises:
        WhereError: It does not have the form above.
    """
    if len(text) > MOST_CHARACTERS:
        raise WhereError(f"a filter of {len(text):,} characters; at most {MOST_CHARACTERS:,} are read", hint="")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text.strip(), mode="eval").body
        columns: set[str] = set()
        matches = _condition(tree, columns)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        if isinstance(fault, WhereError):
            raise
        raise WhereError(f"the filter {shown(text)} cannot be read") from None
    return Filter(text=text, columns=frozenset(columns), matches=matches)


def _condition(node: ast.expr, columns: set[str]) -> Callable[[Mapping[str, Json]], bool]:
    if isinstance(node, ast.BoolOp):
        parts = [_condition(part, columns) for part in node.values]
        if isinstance(node.op, ast.And):
            return lambda row: all(part(row) for part in parts)
        return lambda row: any(part(row) for part in parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _condition(node.operand, columns)
        return lambda row: not inner(row)
    if isinstance(node, ast.Compare):
        return _comparison(node, columns)
    term = _term(node, columns)
    return lambda row: _truth(term(row), node)


def _truth(value: Json, node: ast.expr) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    what = f"{ast.unparse(node)!r} is {shown(value)}, not true or false"
    raise WhereError(what, hint="Compare it with something.")


def _comparison(node: ast.Compare, columns: set[str]) -> Callable[[Mapping[str, Json]], bool]:
    terms = [_term(part, columns) for part in (node.left, *node.comparators)]
    compares = [_operator(operator) for operator in node.ops]
    if len(compares) == 1:
        (left, right), compare = terms, compares[0]
        return lambda row: compare(left(row), right(row))

    def matches(row: Mapping[str, Json]) -> bool:
        values = [term(row) for term in terms]
        return all(compare(*pair) for compare, *pair in zip(compares, values, values[1:], strict=False))

    return matches


def _term(node: ast.expr, columns: set[str]) -> _Term:
    if isinstance(node, ast.Name) and node.id not in _LITERALS:
        name = node.id
        columns.add(name)
        return lambda row: row.get(name)
    value = _literal(node)
    return lambda _: value


def _literal(node: ast.expr) -> Json:
    if isinstance(node, ast.Name) and node.id in _LITERALS:
        return _LITERALS[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool | None):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    raise WhereError(f"a filter cannot hold {ast.unparse(node)!r}")


def _operator(operator: ast.cmpop) -> Callable[[Json, Json], bool]:
    found = _OPERATORS.get(type(operator))
    if found is None:
        raise WhereError("a filter knows no 'is'", hint="Write == or !=.")
    return found


def _same(left: Json, right: Json) -> bool:
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    return left == right


def _within(left: Json, right: Json) -> bool:
    if isinstance(right, str) and isinstance(left, str):
        return left in right
    if isinstance(right, list | tuple):
        return any(_same(left, item) for item in right)
    if right is None:
        return False
    raise WhereError(
        f"cannot look for {shown(left)} in {shown(right)}", hint="What stands after `in` is a list or text."
    )


def _order(left: Json, right: Json) -> int | None:
    """-1, 0 or 1; None if one of them is null."""
    if left is None or right is None:
        return None
    numbers = _is_number(left) and _is_number(right)
    if not numbers and not (isinstance(left, str) and isinstance(right, str)):
        raise WhereError(f"{shown(left)} and {shown(right)} have no order", hint="Compare numbers, or texts.")
    return (left > right) - (left < right)  # type: ignore[operator]


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OPERATORS: Mapping[type[ast.cmpop], Callable[[Json, Json], bool]] = {
    ast.Eq: _same,
    ast.NotEq: lambda left, right: not _same(left, right),
    ast.In: _within,
    ast.NotIn: lambda left, right: not _within(left, right),
    ast.Lt: lambda left, right: _order(left, right) == -1,
    ast.LtE: lambda left, right: _order(left, right) in (-1, 0),
    ast.Gt: lambda left, right: _order(left, right) == 1,
    ast.GtE: lambda left, right: _order(left, right) in (0, 1),
}
