"""From observations to one number per metric, with its books.

``mean`` and ``rate`` are means over cases of means over a case's samples (GATE §1), so a case counts once however
often it was asked; every other aggregate runs over the scored trials. Nothing depends on the order of the trials,
except what a plugin's aggregate makes of it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import PERCENTILES, direction_of, known_aggregates, quantile
from pytest_promptgate.core.labels import LABELLED, confusion, label_metric, needs_labels, off_diagonal
from pytest_promptgate.core.observables import OBSERVABLES, grade
from pytest_promptgate.core.types import (
    Books,
    Errored,
    Grade,
    Measured,
    Measurement,
    Observation,
    Score,
    Skipped,
    Unmeasured,
    Unscored,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Json, MetricSpec

__all__ = [
    "OBSERVABLES",
    "AggregateError",
    "NoSuchLabelError",
    "direction_of",
    "known_aggregates",
    "label_value",
    "measure",
    "needs_labels",
    "reaches",
    "trial_value",
]


def measure(
    spec: MetricSpec, observations: Sequence[Observation], *, aggregates: Mapping[str, Aggregate] = MappingProxyType({})
) -> Measured:
    """Measure one metric; every observation (of its part of the suite) stands in its books exactly once.

    Args:
        aggregates: Those of plugins, by name; a built-in name wins.

    Returns:
        `Unmeasured` if nothing was scored, or if a plugin's aggregate raised or returned no finite number.
    """
    if spec.part is not None:
        observations = [each for each in observations if each.case in spec.part.cases]
    grades = [grade(spec, observation) for observation in observations]
    books = _books(grades)
    if not books.scored:
        return _unmeasured(spec, books, _why_nothing(grades))
    try:
        return _measured(spec, observations, grades, books, aggregates)
    except AggregateError as error:
        return _unmeasured(spec, books, str(error))


class AggregateError(Exception):
    """An aggregate has no value; the text says why."""


class NoSuchLabelError(AggregateError):
    """No case expects the label that is asked for: other cases of the same dataset may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """The scored trials, in trial order."""

    cases: tuple[str, ...]
    scores: tuple[Score, ...]

    @property
    def values(self) -> list[float]:
        return [score.value for score in self.scores]

    @property
    def labels(self) -> list[tuple[str, str]]:
        return [score.labels for score in self.scores if score.labels is not None]

    def mean(self, values: Sequence[float]) -> float:
        """The mean over cases of the means over their samples."""
        by_case: dict[str, list[float]] = {}
        for case, value in zip(self.cases, values, strict=True):
            by_case.setdefault(case, []).append(value)
        return math.fsum(math.fsum(each) / len(each) for each in by_case.values()) / len(by_case)


def _measured(
    spec: MetricSpec,
    observations: Sequence[Observation],
    grades: Sequence[Grade],
    books: Books,
    aggregates: Mapping[str, Aggregate],
) -> Measurement:
    pairs = [(seen.case, each) for seen, each in zip(observations, grades, strict=True) if isinstance(each, Score)]
    scored = _Scored(cases=tuple(case for case, _ in pairs), scores=tuple(each for _, each in pairs))
    detail = confusion(scored.labels) if spec.aggregate == "confusion" else None
    value = _value(spec, scored, aggregates)
    return Measurement(metric=spec.name, value=value, books=books, direction=spec.direction, detail=detail)


def _value(spec: MetricSpec, scored: _Scored, aggregates: Mapping[str, Aggregate]) -> float:
    name, values = spec.aggregate, scored.values
    if name == "mean":
        return scored.mean(values)
    if name == "rate":
        return scored.mean([float(reaches(spec, value)) for value in values])
    return label_value(spec, scored.labels) if name in LABELLED else trial_value(name, values, aggregates)


def trial_value(name: str, values: Sequence[float], aggregates: Mapping[str, Aggregate]) -> float:
    """An aggregate that counts trials one by one and reads no labels.

    Raises:
        AggregateError: A plugin's aggregate failed, or there is none of that name.
    """
    if name in PERCENTILES or name == "median":
        return quantile(values, 0.5 if name == "median" else int(name[1:]) / 100)
    if name == "total":
        return math.fsum(values)
    if name in ("min", "max"):
        return min(values) if name == "min" else max(values)
    if name not in aggregates:
        raise AggregateError(f"there is no aggregate {name!r}")
    return _plugin_value(name, aggregates[name], list(values))


def reaches(spec: MetricSpec, value: float) -> bool:
    """Whether a trial with this value counts for ``rate``: at least its argument `at`, default 1.0."""
    at = spec.arguments.get("at", 1.0)
    return value >= (float(at) if isinstance(at, int | float) else 1.0) - 1e-9


def label_value(spec: MetricSpec, pairs: Sequence[tuple[str, str]]) -> float:
    """An aggregate over (answered, expected) labels, one pair per trial.

    Raises:
        NoSuchLabelError: No pair expects the label that the metric asks for.
    """
    if spec.aggregate == "confusion":
        return off_diagonal(pairs)
    label, average = spec.arguments.get("label"), spec.arguments.get("average", "macro")
    try:
        return label_metric(
            spec.aggregate, pairs, label=None if label is None else _label_text(label), average=str(average)
        )
    except ValueError as error:
        raise NoSuchLabelError(str(error)) from error


def _label_text(label: Json) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def _plugin_value(name: str, aggregate: Aggregate, values: list[float]) -> float:
    try:
        value = aggregate(values)
    except Exception as error:  # users' code
        raise AggregateError(f"the aggregate {name} raised {type(error).__name__}: {error}") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AggregateError(f"the aggregate {name} returned {value!r}, not a finite number")
    return float(value)


def _books(grades: Sequence[Grade]) -> Books:
    kinds = Counter(type(each) for each in grades)
    return Books(scored=kinds[Score], unscored=kinds[Unscored], errored=kinds[Errored], skipped=kinds[Skipped])


def _unmeasured(spec: MetricSpec, books: Books, reason: str) -> Unmeasured:
    return Unmeasured(metric=spec.name, reason=reason, books=books, direction=spec.direction)


def _why_nothing(grades: Sequence[Grade]) -> str:
    if not grades:
        return "there was nothing to score"
    reasons = Counter(re.sub(r"\s+", " ", _reason(each)) for each in grades)
    return min(reasons, key=lambda reason: (-reasons[reason], reason))


def _reason(grade: Grade) -> str:
    if isinstance(grade, Errored):
        return grade.message.partition("\n")[0]
    return "" if isinstance(grade, Score) else grade.reason
