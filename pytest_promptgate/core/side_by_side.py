"""Two models on the same cases: quality, cost and latency side by side. What is not known is None, never 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import quantile
from pytest_promptgate.core.budget import cost_usd
from pytest_promptgate.core.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.core.types import CaseRecord, Measured, Observation, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one model took for the cases that are compared."""

    cost_usd: float | None = None  # per case
    p50_s: float | None = None  # latency of an answer, in seconds
    p95_s: float | None = None
    tokens_in: float | None = None  # per answer
    tokens_out: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """One metric on both sides, and what the gate says of it."""

    metric: str
    production: float | None
    candidate: float | None
    verdict: str  # "" if it has none


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Production's model and another one with the same cases."""

    models: tuple[str, str]  # production's, the candidate's
    cases: int  # that both have answered
    qualities: tuple[Quality, ...]
    production: Use
    candidate: Use


def side_by_side(
    report: Report, *, prices: tuple[Price | None, Price | None], latencies: Sequence[float]
) -> SideBySide | None:
    """Compare a report with the baseline that it was held against; None if there is none, or no common case.

    Args:
        report: Of a suite on another model than its baseline's.
        prices: Of production's model and of the candidate's.
        latencies: Of production's answers, in seconds, as far as they are known.
    """
    if report.baseline is None:
        return None
    rows = {case.id: case.digest for case in report.suite.cases}
    answered = {each.trial.case.id for each in report.results if each.completion is not None}
    common = {name: old for name, old in report.baseline.cases.items() if name in answered and rows[name] == old.row}
    if not common:
        return None
    results = [each for each in report.results if each.trial.case.id in common]
    return SideBySide(
        models=(str(report.baseline.pin), str(report.pin)),
        cases=len(common),
        qualities=_qualities(report),
        production=_use(_observations(common), prices[0], latencies, samples=report.suite.samples),
        candidate=_use(
            [each.observation for each in results],
            prices[1],
            [each.observation.latency_s for each in results],
            samples=report.suite.samples,
        ),
    )


def _observations(cases: dict[str, CaseRecord]) -> list[Observation]:
    return [each for record in cases.values() for each in record.observations]


def _qualities(report: Report) -> tuple[Quality, ...]:
    verdicts = {each.metric: each for each in report.verdicts}
    return tuple(
        Quality(
            metric=spec.name,
            production=_value(verdict.baseline) if verdict else None,
            candidate=_value(verdict.current) if verdict else None,
            verdict=str(verdict.outcome) if verdict else "",
        )
        for spec in report.suite.judged
        for verdict in [verdicts.get(spec.name)]
    )


def _value(measured: Measured | None) -> float | None:
    return measured.value if isinstance(measured, Measurement) else None


def _use(
    observations: Sequence[Observation], price: Price | None, latencies: Sequence[float | None], *, samples: int
) -> Use:
    costs = [cost_usd(price, each.tokens_in, each.tokens_out, each.tokens_cached) for each in observations]
    seconds = [each for each in latencies if each is not None]
    cost = _mean(costs)
    return Use(
        cost_usd=None if cost is None else cost * samples,
        p50_s=quantile(seconds, 0.5) if seconds else None,
        p95_s=quantile(seconds, 0.95) if seconds else None,
        tokens_in=_mean([each.tokens_in for each in observations]),
        tokens_out=_mean([each.tokens_out for each in observations]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean, if every value is known."""
    known = [each for each in values if each is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
