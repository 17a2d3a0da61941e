"""Rubrics with ``corrected: true``: what people would have given on average, beside the judge's own mean."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from pytest_promptgate.core.calibration import calibration_of
from pytest_promptgate.core.corrected import corrected
from pytest_promptgate.core.trust import rubrics_of
from pytest_promptgate.core.types import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import Result
    from pytest_promptgate.pytest_run import Run


def corrected_notes(run: Run, results: Sequence[Result]) -> Iterator[str]:
    """One per judge whose rubric asks for it: the estimate, or why there is none."""
    for name, rubric in rubrics_of(run.suite).items():
        if rubric.corrected:
            found = calibration_of(rubric, run.session.reference.calibrations)
            if found is None or found.golden is None:
                yield f"{name}: no human-corrected estimate: {rubric.path} is not calibrated as it is now"
            elif (told := corrected(found.golden, _by_case(name, results))) is not None:
                yield f"{name}: {told}"


def _by_case(scorer: str, results: Sequence[Result]) -> list[float]:
    """The judge's mean score of each case that has one: the samples of a case are no independent draws."""
    found: dict[str, list[float]] = {}
    for each in results:
        grade = each.observation.grades.get(scorer)
        if isinstance(grade, Score):
            found.setdefault(each.trial.case.id, []).append(grade.value)
    return [fmean(values) for values in found.values()]
