"""Plain text about answers that lack the part to grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Score
from pytest_promptgate.reports.text import names

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Report


def extraction_lines(report: Report) -> list[str]:
    """``extraction failed: queue scored 0 for 2 of 60 answers: c-07, c-09``, a line per set of answers.

    Scorers that leave such answers unscored (judges) tell it there.
    """
    lost: dict[str, list[str]] = {}
    for result in report.results:
        for name, grade in result.observation.grades.items():
            if isinstance(grade, Score) and grade.unextracted:
                lost.setdefault(name, []).append(result.trial.id)
    together: dict[tuple[str, ...], list[str]] = {}
    for name, ids in lost.items():
        together.setdefault(tuple(ids), []).append(name)
    whole = len(report.results)
    return [
        f"extraction failed: {names(scorers)} scored 0 for {len(ids)} of {whole} answers: {names(ids)}"
        for ids, scorers in together.items()
    ]
