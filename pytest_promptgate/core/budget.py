"""From tokens to money, for both arms by one price table (DECISIONS 14). What is not known is None, never 0."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.core.types import Baseline, CaseRecord, Observation, Suite

MILLION = 1_000_000


def cost_usd(
    price: Price | None, tokens_in: int | None, tokens_out: int | None, tokens_cached: int | None = None
) -> float | None:
    """What one answer costs, in USD.

    Args:
        tokens_in: All tokens of the request, the cached ones included.
        tokens_cached: Those of them that cost `Price.cached`; None counts as 0, which is never too cheap.

    Returns:
        None if the price or one of the first two counts is not known.
    """
    if price is None or tokens_in is None or tokens_out is None:
        return None
    cached = min(tokens_cached or 0, tokens_in)
    cached_price = price.input if price.cached is None else price.cached
    return ((tokens_in - cached) * price.input + cached * cached_price + tokens_out * price.output) / MILLION


def measures_cost(suite: Suite) -> bool:
    """Whether a metric of `suite` reads costs."""
    return any(spec.source == "cost_usd" for spec in suite.metrics)


def priced(observation: Observation, price: Price | None) -> Observation:
    """The same observation with its cost by `price`."""
    cost = cost_usd(price, observation.tokens_in, observation.tokens_out, observation.tokens_cached)
    return replace(observation, cost_usd=cost)


def priced_baseline(baseline: Baseline, price: Price | None) -> Baseline:
    """The same baseline with every cost by `price`, the present price of the baseline's own pin; its anchor too."""

    def record(case: CaseRecord) -> CaseRecord:
        return replace(case, observations=tuple(priced(each, price) for each in case.observations))

    def records(cases: Mapping[str, CaseRecord]) -> dict[str, CaseRecord]:
        return {name: record(case) for name, case in cases.items()}

    anchor = baseline.anchor and replace(baseline.anchor, cases=records(baseline.anchor.cases))
    return replace(baseline, cases=records(baseline.cases), anchor=anchor)
