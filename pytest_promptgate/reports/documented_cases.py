"""The cases of a run document: every answer before and now, and what is to be said of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.excerpts import excerpt, excerpt_json, excerpts
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.run_document import Answer, CaseRun, Mark, TrialRun
from pytest_promptgate.core.slices import values_of
from pytest_promptgate.core.types import Errored, Origin, Score, Skipped, ToolCall, Unscored
from pytest_promptgate.reports.text import case_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import (
        Baseline,
        Case,
        CaseRecord,
        Completion,
        Grade,
        Observation,
        Report,
        Result,
        Suite,
    )


def case_runs(report: Report) -> Iterator[CaseRun]:
    """The cases of `report` that were selected, in dataset order."""
    scored = {spec.name for spec in report.suite.judged if spec.source not in OBSERVABLES}
    verdicts = [verdict for verdict in report.verdicts if verdict.metric in scored]
    worse = {move.case for verdict in verdicts for move in verdict.worse}
    better = {move.case for verdict in verdicts for move in verdict.better}
    for name, results in _by_case(report).items():
        moved = [*([Mark.WORSE] if name in worse else []), *([Mark.BETTER] if name in better else [])]
        yield _case(report.suite, results, report.baseline, moved)


def failed_cases(report: Report) -> Iterator[str]:
    """The cases whose item fails."""
    return (name for name, results in _by_case(report).items() if case_problem(report.suite, results))


def _by_case(report: Report) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in report.results:
        found.setdefault(result.trial.case.id, []).append(result)
    return found


def _case(suite: Suite, results: Sequence[Result], baseline: Baseline | None, moved: Sequence[Mark]) -> CaseRun:
    case = results[0].trial.case
    record = baseline.cases.get(case.id) if baseline is not None else None
    problem = case_problem(suite, results)
    before = _before(record, baseline)
    return CaseRun(
        id=case.id,
        marks=_marks(case, results, record, moved, failed=bool(problem), known=baseline is not None),
        problem=excerpt(problem),
        tags=case.tags,
        slices=tuple(f"{column}={value}" for column in suite.slices for value in values_of(case, column)),
        cluster=case.cluster,
        inputs=excerpts(case.inputs),
        expected=excerpt_json(case.expected),
        has_expected=case.has_expected,
        place=case.place,
        row=case.digest,
        request=results[0].trial.digest,
        now=tuple(_now(result, before) for result in results),
        before=before,
        row_before=record.row if record is not None else "",
    )


def _marks(
    case: Case,
    results: Sequence[Result],
    record: CaseRecord | None,
    moved: Sequence[Mark],
    *,
    failed: bool,
    known: bool,
) -> tuple[Mark, ...]:
    grades = [grade for result in results for grade in result.observation.grades.values()]
    kinds = {type(each) for each in grades}
    told = {
        Mark.ERRORED: Errored in kinds,
        Mark.FAILED: failed and not kinds & {Errored, Skipped},
        Mark.UNSCORED: Unscored in kinds,
        Mark.UNEXTRACTED: any(isinstance(each, Score) and each.unextracted for each in grades),
        Mark.SKIPPED: Skipped in kinds,
        Mark.NEW: known and record is None,
        Mark.EDITED: record is not None and record.row != case.digest,
        Mark.UNCHANGED: all(result.origin is Origin.UNCHANGED for result in results),
    }
    found = [mark for mark in Mark if mark in moved or told.get(mark, False)]
    return tuple(found) or (Mark.SAME,)


def _now(result: Result, before: Sequence[TrialRun]) -> TrialRun:
    trial = _trial(result.observation, result.completion, result.origin)
    if trial.answer is not None or not trial.output:
        return trial
    # The lockfile's line stands for it, so its answer is the baseline's.
    alike = next((each for each in before if each.output == trial.output), None)
    return trial if alike is None else replace(trial, answer=alike.answer)


def _before(record: CaseRecord | None, baseline: Baseline | None) -> tuple[TrialRun, ...]:
    if record is None or baseline is None:
        return ()
    return tuple(_trial(each, baseline.outputs.get((record.id, each.sample)), None) for each in record.observations)


def _trial(seen: Observation, completion: Completion | None, origin: Origin | None) -> TrialRun:
    return TrialRun(
        sample=seen.sample,
        origin=origin,
        answer=None if completion is None else _answer(completion),
        output=seen.output,
        grades=_shortened(seen.grades),
        tokens_in=seen.tokens_in,
        tokens_out=seen.tokens_out,
        tokens_cached=seen.tokens_cached,
        cost_usd=seen.cost_usd,
        latency_s=seen.latency_s,
    )


def _answer(completion: Completion) -> Answer:
    return Answer(
        text=excerpt(completion.text),
        tool_calls=tuple(
            ToolCall(name=excerpt(each.name), arguments=excerpt(each.arguments)) for each in completion.tool_calls
        ),
        served_model=completion.served_model,
        finish_reason=completion.finish_reason,
    )


def _shortened(grades: Mapping[str, Grade]) -> dict[str, Grade]:
    """The same grades; their texts may quote an answer, and with it a megabyte."""
    return {name: _short(grade) for name, grade in grades.items()}


def _short(grade: Grade) -> Grade:
    if isinstance(grade, Errored):
        return replace(grade, message=excerpt(grade.message))
    if isinstance(grade, Score) and grade.labels is not None:
        answered, expected = grade.labels
        return replace(grade, reason=excerpt(grade.reason), labels=(excerpt(answered), excerpt(expected)))
    return replace(grade, reason=excerpt(grade.reason))
