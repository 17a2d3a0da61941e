from __future__ import annotations

from typing import Any

import pytest
from scorer_rows import bare_row, row, score

from pytest_promptgate.core.types import Completion, Json
from pytest_promptgate.scorers.structure import JsonMatch

ORDER: Json = {"customer": "Ada", "items": [{"sku": "A", "qty": 2}, {"sku": "B", "qty": 1}], "note": None}


@pytest.mark.parametrize(
    ("expected", "answered", "value", "reason"),
    [
        pytest.param({"a": 1, "b": 2}, '{"b": 2, "a": 1}', 1.0, "", id="the order of keys is free"),
        pytest.param({"a": None, "b": 1}, '{"a": null, "b": 1}', 1.0, "", id="null is null"),
        pytest.param(
            {"a": None, "b": 1}, '{"b": 1}', 0.5, "$.a is missing, expected null", id="missing is not null"
        ),
        pytest.param({"b": 1}, '{"a": null, "b": 1}', 0.5, "$.a is not expected: null", id="null is not missing"),
        pytest.param({"a": 1}, '{"a": 1.0}', 1.0, "", id="1 is 1.0"),
        pytest.param({"a": 1.0}, '{"a": 1}', 1.0, "", id="1.0 is 1"),
        pytest.param({"a": 1}, '{"a": true}', 0.0, "$.a is true, expected 1", id="true is not 1"),
        pytest.param({"a": False}, '{"a": 0}', 0.0, "$.a is 0, expected false", id="0 is not false"),
        pytest.param({"a": 1}, '{"a": "1"}', 0.0, '$.a is "1", expected 1', id="a text is no number"),
        pytest.param("1", "1", 0.0, '$ is 1, expected "1"', id="not at the top either"),
        pytest.param("1", '"1"', 1.0, "", id="a text at the top"),
        pytest.param({"a": 1}, '{"a": NaN}', 0.0, "NaN is no JSON number", id="NaN"),
        pytest.param({"a": 1}, '{"a": -Infinity}', 0.0, "-Infinity is no JSON number", id="infinity"),
        pytest.param({"a": 1}, '{"a": 1e999}', 0.0, "'1e999' is not a finite number", id="infinity in digits"),
        pytest.param(
            {"a": 1}, '{"a": 1, "a": 1}', 0.0, "the key 'a' stands twice in one object", id="a key that stands twice"
        ),
        pytest.param([1, 2, 3], "[1, 2, 3]", 1.0, "", id="lists"),
        pytest.param([1, 2], "[2, 1]", 0.0, "$[0] is 2, expected 1; $[1] is 1, expected 2", id="list order matters"),
        pytest.param([1, 2, 3], "[1, 2]", 2 / 3, "$[2] is missing, expected 3", id="an item is missing"),
        pytest.param([1, 2], "[1, 2, 3]", 2 / 3, "$[2] is not expected: 3", id="an item is too many"),
        pytest.param({}, "{}", 1.0, "", id="empty"),
        pytest.param({}, "[]", 0.0, "$ is [], expected {}", id="an empty list is no empty object"),
        pytest.param({}, "null", 0.0, "$ is null, expected {}", id="null is not empty"),
        pytest.param({}, '{"a": 1}', 0.0, "$ is an object of 1 key, expected {}", id="nothing was expected"),
        pytest.param({"a": [1, 2]}, '{"a": {"x": 1, "y": 2, "z": 3}}', 0.0,
                     "$.a is an object of 3 keys, expected a list of 2 items", id="another kind of container"),
        pytest.param({"__a": 1}, '{"__a": 2}', 0.0, "$.__a is 2, expected 1", id="a key that looks private"),
        pytest.param({"a.b": 1, "": 2}, '{"a.b": 2, "": 2}', 0.5, '$["a.b"] is 2, expected 1', id="a key with a dot"),
        pytest.param("approve", '"disapprove"', 0.0, '$ is "disapprove", expected "approve"', id="alike is not equal"),
        pytest.param(None, "null", 1.0, "", id="null at the top"),
        pytest.param(10**17 + 1, "1e17", 0.0, "$ is 1e+17, expected 100000000000000001", id="large numbers are exact"),
        pytest.param({"a": 1}, "", 0.0, "the answer is empty", id="no answer"),
        pytest.param(None, "", 0.0, "the answer is empty", id="no answer is not null"),
        pytest.param(None, "None", 0.0, "not JSON at line 1, column 1: 'None'", id="None is not null"),
        pytest.param({"a": 1}, 'Sure: {"a": 1}', 0.0, "not JSON at line 1, column 1: 'Sure: {\"a\": 1}'", id="prose"),
        pytest.param({"a": 1}, '{"a": 1}{"a": 1}', 0.0,
                     "not JSON at line 1, column 9: '{\"a\": 1}{\"a\": 1}'", id="two values"),
        pytest.param({"a": 1}, '\ufeff{"a": 1}', 0.0, "not JSON at line 1, column 1: '\\ufeff{\"a\": 1}'", id="a mark"),
        pytest.param({"a": 1}, "{'a': 1}", 0.0, "not JSON at line 1, column 2: '{'a': 1}'", id="single quotes"),
        pytest.param("\ud800", '"\\ud800"', 1.0, "", id="a lone surrogate"),
        pytest.param(1, "1" * 5000, 0.0, f"'{'1' * 39}…' is not a finite number", id="a number of 5,000 digits"),
        pytest.param(1, "[" * 100_000, 0.0, "nested more than 64 levels deep", id="torn and deep"),
        pytest.param(1, "[" * 500 + "]" * 500, 0.0, "nested more than 64 levels deep", id="deep"),
        pytest.param(1, "[" + "0," * 20_000 + "0]", 0.0, "more than 20,000 values, which nobody compares", id="large"),
    ],
)  # fmt: skip
def test_json_match_scores_the_share_of_right_values(expected: Json, answered: str, value: float, reason: str) -> None:
    found = score(JsonMatch(), answered, row(expected))
    assert found.value == pytest.approx(value)
    assert found.reason == reason


def test_each_leaf_is_worth_the_same() -> None:
    answered = '{"customer": "Ada", "items": [{"sku": "A", "qty": 3}, {"sku": "B", "qty": 1}], "note": null, "x": [1]}'
    found = score(JsonMatch(), answered, row(ORDER))
    assert found.value == pytest.approx(5 / 7)
    assert found.reason == "$.items[0].qty is 3, expected 2; $.x is not expected: a list of 1 item"


def test_a_reason_holds_three_differences() -> None:
    found = score(JsonMatch(), "[9, 9, 9, 9, 9]", row([1, 2, 3, 4, 5]))
    assert found.reason == "$[0] is 9, expected 1; $[1] is 9, expected 2; $[2] is 9, expected 3; and 2 more"


def test_positions_are_told_in_their_order() -> None:
    found = score(JsonMatch(), "[0,0,0,0,0,0,0,0,0,0,9,0,9]", row([0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
    assert found.reason == "$[2] is 0, expected 9; $[10] is 9, expected 0; $[12] is 9, expected 0"


def test_reasons_are_short_and_without_control_characters() -> None:
    found = score(JsonMatch(), '{"k\\u001b": "' + "x" * 1_000_000 + '"}', row({"k\x1b": "a\u202eb"}))
    assert found.reason == '$["k\\u001b"] is "' + "x" * 38 + '…, expected "a\\u202eb"'


def test_exact_gives_no_partial_credit() -> None:
    found = score(JsonMatch(exact=True), "[1, 2, 4]", row([1, 2, 3]))
    assert (found.value, found.reason) == (0.0, "$[2] is 4, expected 3")
    assert score(JsonMatch(exact=True), "[1, 2, 3]", row([1, 2, 3])).value == 1.0


@pytest.mark.parametrize(("answered", "value"), [("1.0", 0.0), ("1", 1.0), ("1e0", 0.0)])
def test_strict_numbers_tell_1_from_1_0(answered: str, value: float) -> None:
    assert score(JsonMatch(strict_numbers=True), answered, row(1)).value == value


@pytest.mark.parametrize(
    ("expected", "answered", "value", "reason"),
    [
        ([1, 2, 3], "[3, 1, 2]", 1.0, ""),
        ([1, 1, 2], "[1, 2, 2]", 2 / 3, "$[1] is 2, expected 1"),
        ([1, 2], "[2]", 1 / 2, "$[0] is missing, expected 1"),
        ([1, 2], "[3, 2, 1]", 2 / 3, "$[2] is not expected: 3"),
        ([True, 1], "[1, true]", 1.0, ""),
        ([[1, 2], [3]], "[[3], [2, 1]]", 1.0, ""),
        ([{"a": 1, "b": [1, 2]}, {"a": 2}], '[{"a": 2}, {"b": [2, 1], "a": 1}]', 1.0, ""),
        (
            [{"sku": "A", "qty": 2, "x": 1}, {"sku": "B", "qty": 1, "x": 1}],
            '[{"sku": "B", "qty": 1, "x": 1}, {"sku": "A", "qty": 3, "x": 1}]',
            5 / 6,
            "$[0].qty is 3, expected 2",
        ),
        ({"a": {"b": [1, 2]}}, '{"a": {"b": [2, 1]}}', 1.0, ""),
        ([1], '{"a": 1}', 0.0, "$ is an object of 1 key, expected a list of 1 item"),
        (["__x", "w0"], '["w0", "__x"]', 1.0, ""),
    ],
)
def test_lists_can_be_compared_without_order(expected: Json, answered: str, value: float, reason: str) -> None:
    found = score(JsonMatch(ignore_order=True), answered, row(expected))
    assert found.value == pytest.approx(value)
    assert found.reason == reason


def test_long_lists_without_order_are_paired_by_position() -> None:
    expected = [{"n": number} for number in range(200)]
    answered = str([{"n": -1 - number} for number in range(200)]).replace("'", '"')
    assert score(JsonMatch(ignore_order=True), answered, row(expected)).value == 0.0


@pytest.mark.parametrize(
    ("answered", "value"),
    [
        ('```json\n{"a": 1}\n```', 1.0),
        ('```\n{"a": 1}\n```', 1.0),
        ('  ```json\r\n{"a": 1}\r\n```\n', 1.0),
        ('{"a": 1}', 1.0),
        ('Here it is:\n```json\n{"a": 1}\n```', 0.0),
        ("```python\n1\n```", 0.0),
        ("```json\n```", 0.0),
    ],
)
def test_one_code_block_is_accepted_only_if_the_suite_says_so(answered: str, value: float) -> None:
    assert score(JsonMatch(fenced=True), answered, row({"a": 1})).value == value
    if "```" in answered:
        assert score(JsonMatch(), answered, row({"a": 1})).value == 0.0


def test_an_expected_text_that_looks_like_json_is_read_as_json() -> None:
    assert score(JsonMatch(), '{"a": [1]}', row(' {"a": [1]} ')).value == 1.0
    assert score(JsonMatch(), "[1]", row("[1]")).value == 1.0
    assert score(JsonMatch(expected="order"), '{"a": 1}', bare_row(order='{"a": 1}')).value == 1.0


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        ("{a: 1}", "not JSON at line 1, column 2: '{a: 1}'"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice in one object"),
        ([float("nan")], "nan is no JSON number"),
        ({"a": float("inf")}, "inf is no JSON number"),
        ([0] * 20_001, "more than 20,000 values, which nobody compares"),
    ],
)
def test_an_expected_value_that_is_no_json_is_an_error(expected: Json, why: str) -> None:
    for call in (
        lambda: JsonMatch().check(row(expected)),
        lambda: JsonMatch()(Completion(text="{}"), row(expected)),
    ):
        with pytest.raises(ValueError) as told:
            call()
        assert str(told.value) == f"the expected value cannot be compared with: {why}"


def test_the_deepest_values_that_are_read_can_be_compared() -> None:
    answered = "[" * 64 + "1" + "]" * 64
    expected: Json = 2
    for _ in range(64):
        expected = [expected]
    for ignore_order in (False, True):
        found = score(JsonMatch(ignore_order=ignore_order), answered, row(expected))
        assert (found.value, found.reason[-16:]) == (0.0, " is 1, expected 2"[-16:])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exact": "yes"}, "exact must be true or false, not 'yes'"),
        ({"ignore_order": 1}, "ignore_order must be true or false, not 1"),
        ({"strict_numbers": None}, "strict_numbers must be true or false, not null"),
        ({"fenced": []}, "fenced must be true or false, not a list"),
        (
            {"expected": ["a"]},
            "expected must be the name of a column or of a key of the row's expected value, not a list",
        ),
    ],
)
def test_json_match_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        JsonMatch(**settings)
    assert str(told.value) == message
