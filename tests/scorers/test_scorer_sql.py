from __future__ import annotations

from typing import Any

import pytest
from scorer_rows import bare_row, row, score

from pytest_promptgate.scorers.sql import SqlMatch

SAME = [
    ("SELECT a FROM t WHERE x=1 AND y=2", "select A from T where (y = 2) and 1 = x;"),
    ("SELECT a FROM t JOIN u ON t.id=u.id", "SELECT a FROM t INNER JOIN u ON u.id = t.id -- joined"),
    ("SELECT a AS b FROM t", "SELECT a b FROM t"),
    ("SELECT a FROM t WHERE a<>1", "SELECT a FROM t WHERE a != 1"),
    ("SELECT a FROM t WHERE a IN (1,2,3)", "SELECT a FROM t WHERE a IN (3,2,1)"),
    ("SELECT a FROM t WHERE (a=1 OR b=2) AND c=3", "SELECT a FROM t WHERE c=3 AND (b=2 OR a=1)"),
    ("SELECT a FROM t WHERE a > 3", "SELECT a FROM t WHERE ((3 < a))"),
    ("SELECT a FROM t WHERE a >= 3", "SELECT a FROM t WHERE 3 <= a"),
    ('SELECT "a" FROM t', "SELECT a FROM t"),
    ("(SELECT 1)", "SELECT 1"),
    ("SELECT (a) FROM t", "SELECT a FROM t"),
    ("SELECT a FROM t WHERE NOT (a = 1)", "select a from t where not a=1"),
    ("SELECT a FROM t WHERE a=1 AND (b=2 AND c=3)", "SELECT a FROM t WHERE c=3 AND b=2 AND a=1"),
]
DIFFERENT = [
    ("SELECT a FROM t WHERE (a=1 OR b=2) AND c=3", "SELECT a FROM t WHERE a=1 OR b=2 AND c=3"),
    ("SELECT (a+b)*c FROM t", "SELECT a+b*c FROM t"),
    ("SELECT a-(b-c) FROM t", "SELECT a-b-c FROM t"),
    ("SELECT -(a+b) FROM t", "SELECT -a+b FROM t"),
    ("SELECT a/(b*c) FROM t", "SELECT a/b*c FROM t"),
    ("SELECT a = (b = c) FROM t", "SELECT (a = b) = c FROM t"),
    ("SELECT (a OR b) IS NULL FROM t", "SELECT a OR b IS NULL FROM t"),
    ("SELECT a FROM t WHERE NOT (a=1 AND b=2)", "SELECT a FROM t WHERE NOT a=1 AND b=2"),
    ("SELECT x FROM t WHERE a BETWEEN 1 AND (2 AND c)", "SELECT x FROM t WHERE a BETWEEN 1 AND 2 AND c"),
    ("SELECT (a,b) FROM t", "SELECT a,b FROM t"),
    ("SELECT a,b FROM t", "SELECT b,a FROM t"),
    ("SELECT 'A' FROM t", "SELECT 'a' FROM t"),
    ('SELECT "A" FROM t', 'SELECT "a" FROM t'),
    ("SELECT a FROM t", "SELECT DISTINCT a FROM t"),
    ("SELECT a FROM t WHERE a >= 3", "SELECT a FROM t WHERE a > 3"),
    ("SELECT a FROM t WHERE a > 3", "SELECT a FROM t WHERE a < 3"),
    ("SELECT a FROM t LEFT JOIN u ON t.i=u.i", "SELECT a FROM t JOIN u ON t.i=u.i"),
    ("SELECT a FROM t UNION SELECT b FROM u", "SELECT a FROM t UNION ALL SELECT b FROM u"),
    ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"),
    ("SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 2"),
    ("(SELECT a FROM t LIMIT 1) UNION (SELECT b FROM u)", "SELECT a FROM t UNION SELECT b FROM u LIMIT 1"),
    ("SELECT 1; SELECT 2", "SELECT 1"),
    ("DELETE FROM t", "DELETE FROM t WHERE a = 1"),
    ("SELECT a FROM t WHERE a IN (1, 2)", "SELECT a FROM t WHERE a NOT IN (1, 2)"),
]


@pytest.mark.parametrize(("expected", "answered"), SAME)
def test_spellings_of_one_query_are_the_same(expected: str, answered: str) -> None:
    assert score(SqlMatch(dialect="postgres"), answered, row(expected)).value == 1.0


@pytest.mark.parametrize(("expected", "answered"), DIFFERENT)
def test_queries_that_may_give_other_rows_differ(expected: str, answered: str) -> None:
    assert score(SqlMatch(dialect="postgres"), answered, row(expected)).value == 0.0
    assert score(SqlMatch(dialect="postgres"), expected, row(answered)).value == 0.0


def test_a_difference_is_shown_in_one_spelling() -> None:
    found = score(SqlMatch(), "select a from t", row("select b from t"))
    assert found.reason == "answered 'SELECT a FROM t', expected 'SELECT b FROM t'"


def test_any_of_several_queries_will_do() -> None:
    case = bare_row(sql=["SELECT a FROM t", "SELECT t.a FROM t"])
    assert score(SqlMatch(expected="sql"), "select t.a from t", case).value == 1.0


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        ("", "the answer is empty"),
        ("Sorry", "not a SQL statement: 'Sorry'"),
        ("-- nothing", "not a SQL statement: '-- nothing'"),
        ("EXPLAIN SELECT 1", None),
        ("I'm sorry", "not SQL: 'I'm sorry'"),
        ("SELECT (", "not SQL at line 1, column 8: 'SELECT ('"),
        ("(" * 5000 + "1" + ")" * 5000, "nested too deeply"),
        ("SELECT " + "a, " * 7000 + "a", "21,008 characters; only queries of up to 20,000 are read"),
        ("x" * 1_000_000, "1,000,000 characters; only queries of up to 20,000 are read"),
    ],
)
def test_what_is_no_query_scores_0(answered: str, reason: str | None) -> None:
    found = score(SqlMatch(), answered, row("SELECT 1"))
    assert found.value == 0.0
    assert reason is None or found.reason == reason


@pytest.mark.parametrize(
    "answered",
    [
        "SELECT 1 WHERE 1=1" + " OR a=b" * 2300,
        "SELECT a=b" + "=c" * 3000,
        "SELECT 1 WHERE a IN (" + "1," * 9000 + "1)",
        "SELECT " + "a," * 9000 + "b",
        "SELECT CASE " * 1000,
    ],
)
def test_the_longest_queries_that_are_read_are_compared(answered: str) -> None:
    assert score(SqlMatch(), answered, row("SELECT 1")).value == 0.0
    assert len(answered) <= 20_000


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ("hello", "the expected value is no query: not a SQL statement: 'hello'"),
        ("SELECT (", "the expected value is no query: not SQL at line 1, column 8: 'SELECT ('"),
        (7, "the expected value is no query: not a SQL statement: '7'"),
        (None, "the expected value must be a text or a list of texts, not null"),
    ],
)
def test_a_row_without_a_query_is_an_error(expected: Any, message: str) -> None:
    with pytest.raises(ValueError) as told:
        SqlMatch().check(row(expected))
    assert str(told.value) == message


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(ValueError) as told:
        SqlMatch(dialect="postgre")
    assert str(told.value).startswith("dialect cannot be 'postgre'. Did you mean 'postgres'? Accepted: ")


def test_what_the_parser_itself_stumbles_over_is_no_query() -> None:
    found = score(SqlMatch(dialect="clickhouse"), "SELECT MAP ( 1 EXTRACT a THEN", row("SELECT 1"))
    assert (found.value, found.reason) == (0.0, "not SQL: 'SELECT MAP ( 1 EXTRACT a THEN'")
