from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scorer_rows import row, score

from pytest_promptgate.scorers.numbers import Numeric

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        ("42", 42),
        ("The answer is 42.", 42),
        ("6 * 7 = 42", 42),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567),
        ("1 234 567 \u2192 1\u202f234\u00a0567", None),
        ("1\u202f234\u202f567", 1234567),
        ("1'234'567", 1234567),
        ("1_000", 1000),
        ("\u22125", -5),
        ("-5", -5),
        ("+5", 5),
        ("-$5.50", -5.5),
        ("$-5.50", -5.5),
        ("€1,299.00 in total", 1299),
        ("1e3", 1000),
        ("1.5E\u22123", 0.0015),
        ("between 3-5", 5),
        ("on 2024-01-15", 15),
        (".5", 0.5),
        ("5kg", 5),
        ("45%", 45),
        ("model v2", None),
        ("1,23", None),
        ("1.2.3", None),
        ("0,123", None),
        ("1,234'567", None),
        ("1e999", None),
        ("1e99999999", None),
        ("9" * 500, None),
        ("NaN", None),
        ("inf", None),
        ("-Infinity", None),
        ("٤٢", None),
        ("", None),
        ("none", None),
    ],
)
def test_numeric_reads_the_last_number(answered: str, expected: Json) -> None:
    if expected is None:
        assert score(Numeric(), answered, row(0)).value == 0.0
        assert "away from" not in score(Numeric(), answered, row(0)).reason
    else:
        assert score(Numeric(), answered, row(expected)).value == 1.0


@pytest.mark.parametrize(
    ("settings", "answered", "expected", "value", "reason"),
    [
        ({}, "105", 100, 0.0, "105 is 5 away from 100, allowed are 0"),
        ({"tolerance": 0.1}, "1.1", 1.0, 1.0, ""),
        ({"tolerance": "5%"}, "105", 100, 1.0, ""),
        ({"tolerance": "5 %"}, "-105", -100, 1.0, ""),
        ({"tolerance": "5%"}, "105.1", 100, 0.0, "105.1 is 5.1 away from 100, allowed are 5"),
        ({"tolerance": 5, "unit": "percent"}, "105", 100, 1.0, ""),
        ({"tolerance": 5, "unit": "absolute"}, "205", 200, 1.0, ""),
        ({"tolerance": "5%"}, "0.01", 0, 0.0, "0.01 is 0.01 away from 0, allowed are 0"),
        ({"take": "first"}, "7 of 10", 7, 1.0, ""),
        ({"take": "only"}, "7 of 10", 7, 0.0, "2 numbers in '7 of 10', expected only one"),
        ({"take": "only"}, "it is 7", 7, 1.0, ""),
        ({"decimal": "comma"}, "1.234,5", 1234.5, 1.0, ""),
        ({"decimal": "comma"}, "0.5", 0.5, 0.0, "'0.5' is no number with a decimal comma"),
        ({}, "1e999", 1, 0.0, "'1e999' is not a finite number"),
        ({}, "no idea", 1, 0.0, "no number in 'no idea'"),
        ({}, "  ", 1, 0.0, "the answer is empty"),
        ({}, "7", "7.0", 1.0, ""),
        ({}, "-7", "\u22127", 1.0, ""),
        ({}, "1234", " 1,234 ", 1.0, ""),
    ],
)
def test_numeric_allows_its_tolerance(
    settings: dict[str, Any], answered: str, expected: Json, value: float, reason: str
) -> None:
    found = score(Numeric(**settings), answered, row(expected))
    assert (found.value, found.reason) == (value, reason)


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ("many", "'many'"),
        ("", "''"),
        ("-", "'-'"),
        ("e5", "'e5'"),
        (True, "true"),
        (None, "null"),
        ([1], "a list"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_numeric_needs_a_number_to_compare_with(expected: Json, shown: str) -> None:
    with pytest.raises(ValueError) as told:
        Numeric().check(row(expected))
    assert str(told.value) == f"the expected value must be a finite number, not {shown}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tolerance": -1}, "tolerance must be a number of at least 0, or a share such as 5%, not -1"),
        ({"tolerance": "five"}, "tolerance must be a number of at least 0, or a share such as 5%, not 'five'"),
        ({"tolerance": True}, "tolerance must be a number of at least 0, or a share such as 5%, not true"),
        ({"tolerance": float("nan")}, "tolerance must be a number of at least 0, or a share such as 5%, not nan"),
        ({"tolerance": "5%", "unit": "absolute"}, "tolerance '5%' is in percent, but unit says absolute"),
        ({"unit": "percents"}, "unit cannot be 'percents'. Did you mean 'percent'? Accepted: absolute, percent"),
        ({"take": "second"}, "take cannot be 'second'. Accepted: first, last, only"),
        ({"decimal": ","}, "decimal cannot be ','. Accepted: comma, point"),
    ],
)
def test_numeric_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        Numeric(**settings)
    assert str(told.value) == message


def test_a_long_answer_without_a_number_is_read_quickly() -> None:
    assert score(Numeric(), "," * 1_000_000 + "1" * 1_000_000, row(1)).value == 0.0
