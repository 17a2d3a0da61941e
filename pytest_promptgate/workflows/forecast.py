"""What a run would ask: the same steps as the engine's, without taking them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.estimate import Estimate, History, Source, estimate, history_of
from pytest_promptgate.workflows.reuse import labelled, reuse_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.core.types import Baseline, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One suite and slot: what would be asked, and what that takes."""

    estimate: Estimate
    asked: tuple[Trial, ...]


def forecast(
    plan: Plan,
    *,
    baseline: Baseline | None,
    is_stored: Callable[[Trial], bool],
    history: History | None,
    price: Price | None,
    cases: Collection[str] | None = None,
    share: float = 1.0,
) -> Forecast:
    """Sort the trials of a plan as `Evaluation` would.

    Args:
        plan: Of the whole suite.
        baseline: Of the same suite and slot; None if there is none, or if its lines are to stand for nothing.
        is_stored: Whether the store holds the answer of a trial.
        history: Of stored answers; without it the baseline's observations tell, else the prompts' length.
        price: Of the plan's model; None if it is not known.
        cases: Ids of a partial run; None: all.
        share: As for `core.estimate.estimate`.
    """
    trials = [each for each in plan.trials if cases is None or each.case.id in cases]
    labels = labelled(plan.suite)
    open_trials = [each for each in trials if not _settled(each, plan, baseline, labels)]
    asked = tuple(each for each in open_trials if not is_stored(each))
    told = estimate(
        suite=plan.suite.name,
        slot=plan.slot,
        model=str(plan.pin),
        cases=len({each.case.id for each in trials}),
        unchanged=len(trials) - len(open_trials),
        stored=len(open_trials) - len(asked),
        asked=asked,
        history=history or recorded(baseline),
        price=price,
        share=share,
    )
    return Forecast(estimate=told, asked=asked)


def _settled(trial: Trial, plan: Plan, baseline: Baseline | None, labels: frozenset[str]) -> bool:
    reuse = reuse_of(trial, plan.suite.scorers, baseline, labels=labels)
    return reuse is not None and (not reuse.changed or reuse.completion is not None)


def recorded(baseline: Baseline | None) -> History | None:
    """What the baseline's answers took."""
    if baseline is None:
        return None
    return history_of((each for case in baseline.cases.values() for each in case.observations), source=Source.BASELINE)
