"""The scorer sql_match. The only module that imports sqlglot."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.types import Score
from pytest_promptgate.scorers.extras import check_installed
from pytest_promptgate.scorers.quoting import quoted
from pytest_promptgate.scorers.references import references
from pytest_promptgate.scorers.settings import name_of_expected, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import Case, Completion

LONGEST = 20_000  # characters of a query


class NotSqlError(ValueError):
    """The text is no SQL statement; the message says why, and is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlMatch:
    """1.0 if answer and expected query are the same after parsing and ordering what has no order, else 0.0.

    Free are: white space, comments, the case of keywords and of unquoted names, quotation marks around names that need
    none, needless parentheses, ``AS``, ``INNER``, ``<>`` for ``!=``, a semicolon at the end; the order of what AND
    and OR join, of the two sides of ``=`` and ``!=``, of a list after IN; ``a > b`` for ``b < a``. A score of 1 means
    the same result on every database; a score of 0 does not prove another one: renamed aliases, or a join written as a
    subquery, are not seen through. Nothing is executed. An answer that is no SQL statement, or has more than
    20,000 characters, scores 0.

    Attributes:
        expected: Column, or key of the expected value: a query, or a list of them, of which any will do.
        dialect: As sqlglot calls it (postgres, mysql, sqlite, bigquery, snowflake, tsql, …); "" is its own superset.
    """

    expected: str | None = None
    dialect: str = ""

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        check_installed("sql", "sqlglot")
        if self.dialect not in (known := _dialects()):
            raise unknown("dialect", self.dialect, known - {""})

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        self._wanted(case)

    def __call__(self, completion: Completion, case: Case) -> Score:
        wanted = self._wanted(case)
        try:
            answered = parse_sql(completion.text, self.dialect)
        except NotSqlError as error:
            return Score(value=0.0, reason=str(error))
        if any(answered.key == each.key for each in wanted):
            return Score(value=1.0)
        return Score(value=0.0, reason=f"answered {quoted(answered.text)}, expected {quoted(wanted[0].text)}")

    def _wanted(self, case: Case) -> tuple[Query, ...]:
        return tuple(_reference(text, self.dialect) for text in references(case, self.expected))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One or more statements."""

    key: str  # equal for all spellings that `SqlMatch` calls the same
    text: str  # in sqlglot's spelling, for messages


@functools.lru_cache(maxsize=1024)
def _reference(text: str, dialect: str) -> Query:
    try:
        return parse_sql(text, dialect)
    except NotSqlError as error:
        raise ValueError(f"the expected value is no query: {error}") from error


def parse_sql(text: str, dialect: str) -> Query:
    """The statements that `text` is.

    Raises:
        NotSqlError: It is no statement that sqlglot knows, is too long, or too deeply nested.
    """
    from sqlglot import errors, parse

    if not text.strip():
        raise NotSqlError("the answer is empty")
    if len(text) > LONGEST:
        raise NotSqlError(f"{len(text):,} characters; only queries of up to {LONGEST:,} are read")
    try:
        trees = [_named_alike(each, dialect) for each in parse(text, read=dialect or None) if each is not None]
        spelled = "; ".join(each.sql(dialect=dialect or None, comments=False) for each in trees)
    except errors.SqlglotError as error:
        raise NotSqlError(f"not SQL{_where(error)}: {quoted(text)}") from error
    except RecursionError as error:
        raise NotSqlError("nested too deeply") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # sqlglot's own slips on what is no SQL
        raise NotSqlError(f"not SQL: {quoted(text)}") from error
    if not trees or not all(map(_is_statement, trees)):
        raise NotSqlError(f"not a SQL statement: {quoted(text)}")
    return Query(key=digest([_key(each) for each in trees]), text=spelled)


def _where(error: Exception) -> str:
    details = getattr(error, "errors", None)
    return f" at line {details[0]['line']}, column {details[0]['col']}" if details else ""


def _named_alike(tree: Any, dialect: str) -> Any:
    from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

    return normalize_identifiers(tree, dialect=dialect or None)


def _is_statement(tree: Any) -> bool:
    from sqlglot import exp

    return isinstance(tree, exp.Query | exp.DML | exp.DDL | exp.Drop | exp.Alter | exp.TruncateTable)


def _key(tree: Any) -> str:
    """A digest of the tree in which what has no order is sorted; a loop, since answers may nest deeply."""
    keys: dict[int, str] = {}
    for node in reversed(list(tree.walk(bfs=True))):  # children before their parents
        keys[id(node)] = _node_key(node, keys)
    return keys[id(tree)]


def _node_key(node: Any, keys: dict[int, str]) -> str:
    from sqlglot import exp

    name, arguments = type(node).__name__, node.args
    if isinstance(node, exp.Paren) or (isinstance(node, exp.Subquery) and node.is_wrapper):
        return keys[id(node.this)]  # the tree itself says what belongs together
    if isinstance(node, exp.And | exp.Or):
        # A chain is sorted once, at its top: at every link it would cost the square of its length.
        return "" if _continues(node) else digest([name, *sorted(keys[id(each)] for each in _operands(node))])
    if isinstance(node, exp.EQ | exp.NEQ):
        return digest([name, *sorted((keys[id(node.this)], keys[id(node.expression)]))])
    if isinstance(node, exp.GT | exp.GTE):
        turned = exp.LT if isinstance(node, exp.GT) else exp.LTE
        name, arguments = turned.__name__, {"this": node.expression, "expression": node.this}
    if isinstance(node, exp.Identifier):
        arguments = {"this": node.this}  # its quotation marks have done their work
    if isinstance(node, exp.Join) and node.args.get("kind") == "INNER":
        arguments = {**arguments, "kind": None}
    found = {key: _value(value, keys) for key, value in arguments.items() if value not in (None, False, [], "")}
    if isinstance(node, exp.In) and "expressions" in found:
        found["expressions"] = sorted(found["expressions"])
    return digest([name, found])


def _value(value: Any, keys: dict[int, str]) -> Any:
    if isinstance(value, list):
        return [_value(each, keys) for each in value]
    return keys[id(value)] if id(value) in keys else str(value)


def _continues(node: Any) -> bool:
    """Whether the node is a link of a longer chain of the same operator."""
    from sqlglot import exp

    above = node.parent
    while isinstance(above, exp.Paren):
        above = above.parent
    return type(above) is type(node)


def _operands(chain: Any) -> Iterator[Any]:
    from sqlglot import exp

    links = [chain]
    while links:
        each = links.pop()
        while isinstance(each, exp.Paren):
            each = each.this
        if type(each) is type(chain):
            links += [each.this, each.expression]
        else:
            yield each


def _dialects() -> frozenset[str]:
    from sqlglot.dialects.dialect import Dialects

    return frozenset(each.value for each in Dialects)
