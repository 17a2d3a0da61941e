"""What a metric reads of one trial: a scorer's score, or an observable such as its cost."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.labels import needs_labels
from pytest_promptgate.core.types import Direction, Errored, Grade, Score, Skipped, Unscored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import MetricSpec, Observation

# What can be measured without a scorer, and which way is better. Units: USD, seconds, tokens, each per trial.
OBSERVABLES: Mapping[str, Direction] = MappingProxyType(
    {
        "cost_usd": Direction.LOWER,
        "latency_s": Direction.LOWER,
        "tokens_in": Direction.LOWER,
        "tokens_out": Direction.LOWER,
        "tokens_cached": Direction.HIGHER,
        "tokens_total": Direction.LOWER,
    }
)

_UNKNOWN = {
    "cost_usd": "the cost is not known: no price for this model, or its tokens were not counted",
    "latency_s": "the latency was not measured",
}


def grade(spec: MetricSpec, observation: Observation) -> Grade:
    """What the metric reads of one trial: a `Score` with the value (of an observable too), or why there is none."""
    if spec.source not in OBSERVABLES:
        found = observation.grades.get(spec.source) or Unscored(reason=f"{spec.source} did not score this trial")
        if needs_labels(spec.aggregate) and isinstance(found, Score) and found.labels is None:
            return Unscored(reason=f"{spec.source} gave no labels")
        return found
    value = _observed(spec.source, observation)
    if value is not None and math.isfinite(value):
        return Score(value=value)
    return _not_observed(spec.source, observation)


def _observed(source: str, observation: Observation) -> float | None:
    if source == "tokens_total":
        counts = (observation.tokens_in, observation.tokens_out)
        return None if None in counts else float(sum(count or 0 for count in counts))
    value: float | None = getattr(observation, source)
    return None if value is None else float(value)


def _not_observed(source: str, observation: Observation) -> Grade:
    grades = list(observation.grades.values())
    answered = observation.output != ""
    for kind in (Errored, Skipped, Unscored):
        # Without an answer, nothing is observed for the very reason for which nothing is scored.
        if grades and not answered and all(isinstance(each, kind) for each in grades):
            return grades[0]
    return Unscored(reason=_UNKNOWN.get(source, "the tokens were not counted"))
