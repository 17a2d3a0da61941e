"""Models that their providers retire."""

from __future__ import annotations

import pytest

from pytest_promptgate.core.deprecation import days_left, deprecation_warning, is_date, retirement
from pytest_promptgate.core.types import ModelPin

PIN = ModelPin(provider="openai", name="gpt-4-0613")


@pytest.mark.parametrize(
    ("today", "warning"),
    [
        ("2025-03-07", ""),
        ("2025-03-08", "openai/gpt-4-0613 is retired on 2025-06-06, in 90 days: promptgate migrate openai/gpt-4-0613 NEW"),
        ("2025-06-05", "openai/gpt-4-0613 is retired on 2025-06-06, in 1 day: promptgate migrate openai/gpt-4-0613 NEW"),
        ("2025-06-06", "openai/gpt-4-0613 is retired on 2025-06-06, in 0 days: promptgate migrate openai/gpt-4-0613 NEW"),
        ("2025-06-07", "openai/gpt-4-0613 was retired on 2025-06-06: promptgate migrate openai/gpt-4-0613 NEW"),
    ],
)  # fmt: skip
def test_ninety_days_are_the_notice(today: str, warning: str) -> None:
    assert deprecation_warning(PIN, "2025-06-06", today=today) == warning


def test_no_date_is_no_warning() -> None:
    assert deprecation_warning(PIN, "", today="2025-06-07") == ""


@pytest.mark.parametrize(
    ("dates", "date"),
    [
        ({"openai/gpt-4-0613": "2025-01-01", "gpt-4-0613": "2025-06-06"}, "2025-01-01"),
        ({"gpt-4-0613": "2025-06-06"}, "2025-06-06"),
        ({"gpt-4": "2025-06-06"}, ""),
    ],
)
def test_a_table_may_name_the_provider_or_not(dates: dict[str, str], date: str) -> None:
    assert retirement(PIN, "openai", dates) == date


def test_a_provider_of_another_name_is_found_by_its_family() -> None:
    pin = ModelPin(provider="eu", name="mistral-large-2411")

    assert retirement(pin, "mistral", {"mistral/mistral-large-2411": "2026-01-01"}) == "2026-01-01"


@pytest.mark.parametrize("text", ["2025-13-01", "2025-02-29", "2025-1-01", "soon", "2025-01-01\n", "0000-01-01"])
def test_only_real_days_are_dates(text: str) -> None:
    assert not is_date(text)


def test_days_are_counted_over_leap_years() -> None:
    assert days_left("2028-03-01", today="2028-02-28") == 2
