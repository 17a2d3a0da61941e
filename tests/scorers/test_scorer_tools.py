from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scorer_rows import row, score_calls

from pytest_promptgate.scorers.tools import ToolCalls

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

LOOKUP: Json = {"name": "lookup", "arguments": {"id": 7, "full": True}}


@pytest.mark.parametrize(
    ("expected", "calls", "value", "reason"),
    [
        (LOOKUP, [("lookup", '{"full": true, "id": 7}')], 1.0, ""),
        (LOOKUP, [("lookup", '{"full": true, "id": 8}')], 2 / 3, "arguments of 'lookup': $.id is 8, expected 7"),
        (
            LOOKUP,
            [("lookup", '{"full": 1, "id": 7, "x": 0}')],
            2 / 4,
            "arguments of 'lookup': $.full is 1, expected true; $.x is not expected: 0",
        ),
        (LOOKUP, [("refund", '{"full": true, "id": 7}')], 0.0, "called 'refund', expected 'lookup'"),
        (LOOKUP, [("lookup", '{"id": 7')], 0.0, "arguments of 'lookup': not JSON at line 1, column 9: '{\"id\": 7'"),
        (LOOKUP, [("lookup", "[7]")], 0.0, "arguments of 'lookup': not a JSON object"),
        (LOOKUP, [], 0.0, "called no tool, expected 'lookup'"),
        (
            LOOKUP,
            [("lookup", '{"full": true, "id": 7}'), ("refund", "{}")],
            1 / 2,
            "a call of 'refund' is too many",
        ),
        ("lookup", [("lookup", "not even JSON")], 1.0, ""),
        ({"name": "lookup"}, [("lookup", '{"any": 1}')], 1.0, ""),
        ({"name": "lookup", "arguments": {}}, [("lookup", "")], 1.0, ""),
        ({"name": "lookup", "arguments": {}}, [("lookup", "{}")], 1.0, ""),
        ({"name": "lookup", "arguments": {}}, [("lookup", '{"a": 1}')], 0.5,
         "arguments of 'lookup': $ is an object of 1 key, expected {}"),
        ({"name": "lookup", "arguments": '{"id": 7}'}, [("lookup", '{"id": 7}')], 1.0, ""),
        ('{"name": "lookup", "arguments": {"id": 7}}', [("lookup", '{"id": 7}')], 1.0, ""),
        (None, [], 1.0, ""),
        ([], [], 1.0, ""),
        (None, [("lookup", "{}"), ("refund", "{}")], 0.0, "called 'lookup', 'refund', expected no call"),
        (["a", "b", "c", "d"], [], 0.0, "called no tool, expected 'a', 'b', 'c' and 1 more"),
        (["a", "b"], [("a", "{}"), ("b", "{}")], 1.0, ""),
        (["a", "b"], [("a", "{}")], 0.5, "no call of 'b'"),
        (["a", "b"], [("b", "{}"), ("a", "{}")], 0.0, "called 'b', expected 'a'; called 'a', expected 'b'"),
    ],
)  # fmt: skip
def test_tool_calls_are_scored(expected: Json, calls: list[tuple[str, str]], value: float, reason: str) -> None:
    found = score_calls(ToolCalls(), row(expected), *calls)
    assert found.value == pytest.approx(value)
    assert found.reason == reason


def test_calls_may_come_in_any_order_if_the_suite_says_so() -> None:
    scorer = ToolCalls(ignore_order=True)
    assert score_calls(scorer, row(["a", "b"]), ("b", "{}"), ("a", "{}")).value == 1.0

    two: Json = [{"name": "a", "arguments": {"x": 1}}, {"name": "a", "arguments": {"x": 2}}]
    assert score_calls(scorer, row(two), ("a", '{"x": 2}'), ("a", '{"x": 1}')).value == 1.0

    found = score_calls(scorer, row(["a", "b"]), ("c", "{}"), ("b", "{}"), ("d", "{}"))
    assert found.value == pytest.approx(1 / 3)
    assert found.reason == "called 'c', expected 'a'; a call of 'd' is too many"


def test_exact_gives_no_partial_credit_for_calls() -> None:
    scorer = ToolCalls(exact=True)
    assert score_calls(scorer, row(LOOKUP), ("lookup", '{"id": 7}')).value == 0.0
    assert score_calls(scorer, row(LOOKUP), ("lookup", '{"id": 7, "full": true}')).value == 1.0


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        (7, "7"),
        ("", "''"),
        ({"tool": "lookup"}, "a mapping"),
        ({"name": "lookup", "arguments": [1]}, "a mapping"),
        ({"arguments": {}}, "a mapping"),
        ([["lookup"]], "a list"),
        ([None], "null"),
    ],
)
def test_an_expected_value_that_is_no_call_is_an_error(expected: Json, shown: str) -> None:
    with pytest.raises(ValueError) as told:
        ToolCalls().check(row(expected))
    assert str(told.value) == (
        "an expected tool call must be a tool's name, {name, arguments}, a list of these, or null for no call, "
        f"not {shown}"
    )


@pytest.mark.parametrize("name", ["exact", "ignore_order"])
def test_tool_call_refuses_wrong_settings(name: str) -> None:
    settings: dict[str, Any] = {name: "no"}
    with pytest.raises(ValueError) as told:
        ToolCalls(**settings)
    assert str(told.value) == f"{name} must be true or false, not 'no'"
