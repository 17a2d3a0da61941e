"""When a model's provider retires it, and who has to know."""

from __future__ import annotations

import calendar
import re
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import ModelPin

NOTICE_DAYS = 90
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z")


def is_date(text: str) -> bool:
    """Whether `text` is a real day, written 2026-01-31."""
    found = _DATE.match(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    return year >= 1970 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def retirement(pin: ModelPin, family: str, dates: Mapping[str, str]) -> str:
    """The day on which `pin` is retired, or "" if `dates` does not tell.

    Args:
        family: Of its provider: what a provider is called in tables such as LiteLLM's.
        dates: By ``provider/id``, or by the bare id as in LiteLLM's table for OpenAI.
    """
    names = (str(pin), f"{family}/{pin.name}", pin.name)
    return next((dates[name] for name in names if name in dates), "")


def days_left(date: str, *, today: str) -> int:
    """Days from `today` to `date`, both such as 2026-01-31; below 0 if that is over."""
    return _day(date) - _day(today)


def deprecation_warning(pin: ModelPin, date: str, *, today: str) -> str:
    """What to say of a pin that is retired, or will be within `NOTICE_DAYS`; "" if nothing has to be said."""
    left = days_left(date, today=today) if date else NOTICE_DAYS + 1
    if left > NOTICE_DAYS:
        return ""
    name = one_line(str(pin), width=100)
    when = f"is retired on {date}, in {left} day{'s' * (left != 1)}" if left >= 0 else f"was retired on {date}"
    return f"{name} {when}: promptgate migrate {name} NEW"


def _day(date: str) -> int:
    found = _DATE.match(date)
    assert found is not None
    year, month, day = map(int, found.groups())
    return calendar.timegm((year, month, day, 0, 0, 0)) // 86400
