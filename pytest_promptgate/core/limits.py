"""What a run may spend, of money and of time, and whether a further call fits in. Pure: the engine keeps the state."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.estimate import dollars, headline, total_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.estimate import Estimate

_EPSILON = 1e-9  # USD; sums of many small costs are not exact
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Money granted, and what became of it.

    A call is let go if it fits in beside those that are under way, each taken for the mean of the calls so far: a
    limit is not overrun by as many answers as there are connections.
    """

    limit_usd: float
    guess_usd: float  # what one call may cost, until the first answer tells
    spent_usd: float = 0.0
    paid: int = 0  # answers
    under_way: int = 0

    @property
    def expected_usd(self) -> float:
        """What the next call may cost."""
        return self.spent_usd / self.paid if self.paid else self.guess_usd

    def allows(self) -> bool:
        """Whether one more call may start now; if not, it may when others have ended for less."""
        return self.spent_usd + (self.under_way + 1) * self.expected_usd <= self.limit_usd + _EPSILON

    @property
    def exhausted(self) -> bool:
        """Nothing is under way, and the next call would be too much."""
        return self.under_way == 0 and not self.allows()

    def started(self) -> Budget:
        """One more call is under way."""
        return replace(self, under_way=self.under_way + 1)

    def failed(self) -> Budget:
        """A call ended without an answer, for nothing."""
        return replace(self, under_way=self.under_way - 1)

    def answered(self, cost_usd: float | None) -> Budget:
        """A call ended with an answer; one of unknown cost is taken for an average one."""
        cost = self.expected_usd if cost_usd is None else cost_usd
        return replace(self, under_way=self.under_way - 1, paid=self.paid + 1, spent_usd=self.spent_usd + cost)


def budget_reached(limit_usd: float) -> str:
    """Why the rest of a run was not asked."""
    return f"the budget of {money(limit_usd)} was reached"


def time_reached(limit_s: float) -> str:
    """Why the rest of a run was not asked."""
    return f"the time of {duration(limit_s)} was reached"


def refusal(
    limit_usd: float,
    estimates: Sequence[Estimate],
    *,
    option: str = "--prompt-max-cost",
    fewer: str = "select fewer cases (-k, --prompt-smoke)",
) -> str:
    """Why a run may not start under a limit, with the way out; "" if it may.

    Args:
        limit_usd: What was granted.
        estimates: One per suite and slot.
        option: That sets the limit.
        fewer: How less is asked.
    """
    asking = [each for each in estimates if each.asked]
    head = f"{option} {limit_usd:g}"
    unknown = sorted({each.model for each in asking if each.cost_usd is None})
    if unknown:
        price = f"{{{unknown[0]}: {{input: 2.5, output: 10}}}}"
        return (
            f"{head}: the price of {', '.join(unknown)} is not known: nothing was asked\n"
            f"  Write it in promptgate.yaml, in USD per million tokens: `prices: {price}`, or run without the limit."
        )
    cost = total_cost(asking) or 0.0
    if cost <= limit_usd + _EPSILON:
        return ""
    return (
        f"{head}: the estimate is {money(cost)} ({headline(asking)}): nothing was asked\n"
        f"  Grant more, {fewer}, or run without the limit."
    )


def money(amount: float) -> str:
    """``$12.50``, ``$0.12``, ``$0.0041``: at least two digits that count."""
    if amount >= 0.1 or amount < 1e-9:
        return dollars(amount)
    return f"${amount:.{1 - math.floor(math.log10(amount))}f}"


def parse_money(text: str) -> float:
    """``0.5`` or ``$0.5`` in USD.

    Raises:
        ValueError: It is no amount of at least 0; the message says what was expected.
    """
    try:
        amount = float(text.strip().removeprefix("$"))
    except ValueError:
        amount = math.nan
    if not (math.isfinite(amount) and amount >= 0):
        raise ValueError("expected an amount of USD, such as 0.50")
    return amount


def parse_duration(text: str) -> float:
    """``90s``, ``10m``, ``1h`` or ``1h30m`` in seconds.

    Raises:
        ValueError: It is no time above 0; the message says what was expected.
    """
    match = _DURATION.match(text.strip().lower().replace(" ", ""))
    hours, minutes, seconds = (float(part or 0) for part in match.groups()) if match else (0.0, 0.0, 0.0)
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        raise ValueError("expected a time with its unit, such as 90s, 10m or 1h")
    return total


def duration(seconds: float) -> str:
    """``90 s``, ``10 min``, ``1.5 h``."""
    for size, step, unit in ((3600, 1800, "h"), (60, 60, "min")):
        if seconds >= size and seconds % step == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
