"""From the observations of two arms to the numbers that the gate decides upon."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import is_per_case
from pytest_promptgate.core.arms import Arms, Statistic
from pytest_promptgate.core.changes import value_of
from pytest_promptgate.core.labels import needs_labels
from pytest_promptgate.core.metrics import label_value, trial_value
from pytest_promptgate.core.observables import grade
from pytest_promptgate.core.types import Direction, Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import MetricSpec, Observation

_NONE: Mapping[str, Aggregate] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """One case in both arms; every observation is scored, and there is at least one on each side."""

    case: str
    before: tuple[Observation, ...]
    after: tuple[Observation, ...]
    cluster: str = ""  # "": none


def arms_of(
    spec: MetricSpec,
    sides: Sequence[Sides],
    *,
    context: Sequence[Sides] = (),
    aggregates: Mapping[str, Aggregate] = _NONE,
    together: bool = False,
) -> Arms:
    """Two arms of one metric, turned so that higher is better.

    Args:
        sides: The cases in question.
        context: Further cases that are the same in both arms and that a metric over all trials (an F1, a percentile)
            needs beside them, when only some cases were asked again: with as many samples each as those have, so that
            cases weigh alike. A mean does not read them.
        aggregates: Those of plugins; they run inside the arms' tests too, and raise `metrics.AggregateError` there.
        together: The cases of a cluster are answered together.
    """
    sign = 1 if spec.direction is Direction.HIGHER else -1
    towards = 1 if needs_labels(spec.aggregate) else sign  # a label is right or wrong, also for a confusion rate
    statistic, scale = None, 1.0
    if not is_per_case(spec.aggregate):
        trials = {len(side) for each in (*sides, *context) for side in (each.before, each.after)}
        if spec.aggregate == "total" and len(trials) == 1 and not context:
            scale = float(trials.pop() * len(sides))
        else:
            statistic = _statistic(spec, (*sides, *context), sign, aggregates)
    return Arms(
        cases=tuple(each.case for each in sides),
        before=tuple(tuple(towards * value_of(spec, seen) for seen in each.before) for each in sides),
        after=tuple(tuple(towards * value_of(spec, seen) for seen in each.after) for each in sides),
        clusters=tuple(each.cluster for each in sides) if any(each.cluster for each in sides) else None,
        together=together,
        statistic=statistic,
        scale=scale,
    )


def _statistic(spec: MetricSpec, sides: Sequence[Sides], sign: int, aggregates: Mapping[str, Aggregate]) -> Statistic:
    if needs_labels(spec.aggregate):
        return Statistic(
            before=tuple(tuple(map(partial(_labels, spec), each.before)) for each in sides),
            after=tuple(tuple(map(partial(_labels, spec), each.after)) for each in sides),
            of=lambda pairs: sign * label_value(spec, pairs),
        )
    return Statistic(
        before=tuple(tuple(value_of(spec, seen) for seen in each.before) for each in sides),
        after=tuple(tuple(value_of(spec, seen) for seen in each.after) for each in sides),
        of=lambda values: sign * trial_value(spec.aggregate, values, aggregates),
    )


def _labels(spec: MetricSpec, observation: Observation) -> tuple[str, str]:
    found = grade(spec, observation)
    if not isinstance(found, Score) or found.labels is None:
        raise TypeError(f"{observation.case} has no labels, so it is in no pair")
    return found.labels
