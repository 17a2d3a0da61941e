"""What a trial may take from the baseline without being asked: nothing changed, nothing asked (DECISIONS 20)."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_promptgate.core.types import Baseline, BoundScorer, Completion, Grade, Observation, Score, Trial, Unscored


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """What the baseline's line of one trial gives."""

    observation: Observation  # the baseline's own
    grades: dict[str, Grade]  # of the scorers that are the same
    changed: tuple[BoundScorer, ...]  # the others
    completion: Completion | None  # if the baseline's outputs are at hand


def reuse_of(trial: Trial, scorers: tuple[BoundScorer, ...], baseline: Baseline | None) -> Reuse | None:
    """What `baseline` holds for `trial`, or None if its request or its row is another one."""
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
    }
    return Reuse(
        observation=seen,
        grades=grades,
        changed=tuple(bound for bound in scorers if bound.name not in grades),
        completion=baseline.outputs.get((trial.case.id, trial.sample)),
    )
