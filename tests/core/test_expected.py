from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scorer_rows import bare_row, row

from pytest_promptgate.core.expected import expected_of, has_expected_of

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Json

ORDER: Json = {"id": 7, "items": [{"sku": "A"}, {"sku": "B"}], "a.b": 1, "note": None}


@pytest.mark.parametrize(
    ("case", "name", "found"),
    [
        (row("billing"), None, "billing"),
        (row(None), None, None),
        (row("billing"), "expected", "billing"),
        (row("billing", queue="sales"), "queue", "sales"),
        (row({"queue": "billing"}), "queue", "billing"),
        (row({"queue": "billing"}, queue="sales"), "queue", "sales"),
        (row({"queue": "billing"}), "expected.queue", "billing"),
        (row(ORDER), "items.1.sku", "B"),
        (row(ORDER), "a.b", 1),
        (row(ORDER), "note", None),
        (row("x", order=ORDER), "order.items.0", {"sku": "A"}),
        (row({"a.b": "whole", "a": {"b": "walk"}}), "a.b", "whole"),
        (bare_row(queue="sales"), "queue", "sales"),
    ],
)
def test_a_name_stands_for_a_column_or_a_key_of_the_expected_value(case: Case, name: str | None, found: Json) -> None:
    assert has_expected_of(case, name)
    assert expected_of(case, name) == found


@pytest.mark.parametrize(
    ("case", "name"),
    [
        (bare_row(), None),
        (bare_row(), "expected"),
        (row("billing"), "queue"),
        (row(ORDER), "items.2"),
        (row(ORDER), "items.-1"),
        (row(ORDER), "items.first"),
        (row(ORDER), "id.x"),
        (row("text"), "0"),
    ],
)
def test_what_a_row_does_not_hold_is_absent_and_not_null(case: Case, name: str | None) -> None:
    assert not has_expected_of(case, name)
    with pytest.raises(LookupError):
        expected_of(case, name)


def test_a_row_without_expected_value_says_so() -> None:
    with pytest.raises(LookupError) as told:
        expected_of(bare_row(text="x"), None)
    assert str(told.value) == "the row has no expected value"


def test_an_unknown_name_is_told_with_the_columns_there_are() -> None:
    with pytest.raises(LookupError) as told:
        expected_of(row("x", text="t", language="en"), "queue")
    assert (
        str(told.value) == "the row has no column 'queue', and its expected value no such key; columns: language, text"
    )
