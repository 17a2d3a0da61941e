"""Which cases moved, which way, and what was answered before and after."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_promptgate.core.labels import needs_labels
from pytest_promptgate.core.metrics import reaches
from pytest_promptgate.core.observables import grade
from pytest_promptgate.core.types import CaseChange, Direction, Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.comparison import Pair
    from pytest_promptgate.core.types import Completion, MetricSpec, Observation

EPSILON = 1e-9  # floating-point dust; GATE §1


def changed_cases(
    spec: MetricSpec,
    pairs: Sequence[Pair],
    *,
    before: Mapping[tuple[str, int], Completion],
    after: Mapping[tuple[str, int], Completion],
) -> tuple[tuple[CaseChange, ...], tuple[CaseChange, ...]]:
    """The cases that got worse, worst first, and those that got better, best first.

    A case's value is what the metric reads of it: the scorer's value or the observable; for ``rate``, whether it
    reaches the mark; for label metrics, whether the label was right, so that higher is better even for confusion.

    Args:
        before: The baseline's answers, as far as they are at hand.
        after: This run's.
    """
    sign = 1 if needs_labels(spec.aggregate) or spec.direction is Direction.HIGHER else -1
    moved: list[tuple[float, CaseChange]] = []
    for pair in pairs:
        old, new = _mean(spec, pair.before), _mean(spec, pair.after)
        gain = sign * (new - old)
        if abs(gain) > EPSILON:
            moved.append((gain, _change(spec, pair, (old, new), sign if gain > 0 else -sign, (before, after))))
    moved.sort(key=lambda each: (-abs(each[0]), each[1].case))
    return tuple(each for gain, each in moved if gain < 0), tuple(each for gain, each in moved if gain > 0)


def _change(
    spec: MetricSpec,
    pair: Pair,
    means: tuple[float, float],
    towards: int,
    outputs: tuple[Mapping[tuple[str, int], Completion], Mapping[tuple[str, int], Completion]],
) -> CaseChange:
    """Show the samples in which the move is seen best: the highest after the lowest if the value rose."""
    old = min(pair.before, key=lambda each: (towards * value_of(spec, each), each.sample))
    new = min(pair.after, key=lambda each: (-towards * value_of(spec, each), each.sample))
    found = grade(spec, new)
    return CaseChange(
        case=pair.case.id,
        before=means[0],
        after=means[1],
        reason=found.reason if isinstance(found, Score) else "",
        old_output=_text(outputs[0].get((old.case, old.sample))),
        new_output=_text(outputs[1].get((new.case, new.sample))),
        expected=pair.case.expected,
        old_sample=old.sample,
        new_sample=new.sample,
    )


def _mean(spec: MetricSpec, observations: Sequence[Observation]) -> float:
    return math.fsum(value_of(spec, each) for each in observations) / len(observations)


def value_of(spec: MetricSpec, observation: Observation) -> float:
    """What one metric reads of one scored sample, see `changed_cases`."""
    found = grade(spec, observation)
    if not isinstance(found, Score):
        raise TypeError(f"{observation.case} has no score, so it is in no pair")
    if needs_labels(spec.aggregate) and found.labels is not None:
        return float(found.labels[0] == found.labels[1])
    return float(reaches(spec, found.value)) if spec.aggregate == "rate" else found.value


def _text(completion: Completion | None) -> str | None:
    if completion is None:
        return None
    calls = [f"{call.name}({call.arguments})" for call in completion.tool_calls]
    return "\n".join([*([completion.text] if completion.text or not calls else []), *calls])
