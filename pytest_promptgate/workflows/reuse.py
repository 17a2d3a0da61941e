"""What a trial may take from the baseline without being asked: nothing changed, nothing asked (DECISIONS 20)."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_promptgate.core.labels import needs_labels
from pytest_promptgate.core.types import (
    Baseline,
    BoundScorer,
    Completion,
    Grade,
    Observation,
    Score,
    Suite,
    Trial,
    Unscored,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """What the baseline's line of one trial gives."""

    observation: Observation  # the baseline's own
    grades: dict[str, Grade]  # of the scorers that are the same
    changed: tuple[BoundScorer, ...]  # the others
    completion: Completion | None  # if the baseline's outputs are at hand


def labelled(suite: Suite) -> frozenset[str]:
    """The scorers whose label pairs some metric of `suite` reads; a stored grade without them is of no use to it."""
    return frozenset(spec.source for spec in suite.metrics if needs_labels(spec.aggregate))


def reuse_of(
    trial: Trial, scorers: tuple[BoundScorer, ...], baseline: Baseline | None, *, labels: frozenset[str]
) -> Reuse | None:
    """What `baseline` holds for `trial`, or None if its request or its row is another one.

    Args:
        trial: One of this run.
        scorers: The suite's.
        baseline: Of the same suite and slot.
        labels: See `labelled`.
    """
    record = baseline.cases.get(trial.case.id) if baseline is not None else None
    if baseline is None or record is None or record.request != trial.digest or record.row != trial.case.digest:
        return None
    seen = next((each for each in record.observations if each.sample == trial.sample), None)
    if seen is None:
        return None
    grades: dict[str, Grade] = {
        bound.name: grade
        for bound in scorers
        if baseline.scorers.get(bound.name) == bound.fingerprint
        and isinstance(grade := seen.grades.get(bound.name), Score | Unscored)
        and not (bound.name in labels and isinstance(grade, Score) and grade.labels is None)
    }
    return Reuse(
        observation=seen,
        grades=grades,
        changed=tuple(bound for bound in scorers if bound.name not in grades),
        completion=baseline.outputs.get((trial.case.id, trial.sample)),
    )
