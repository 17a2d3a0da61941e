"""A run as pandas DataFrames, for notebooks. Columns, dtypes and units: docs/reports.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pytest_promptgate.core.types import Errored, Measurement, Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_promptgate.core.run_document import CaseRun, MetricRun, RunDocument, SuiteRun, TrialRun
    from pytest_promptgate.core.types import Grade, Measured

_TEXT, _INT, _FLOAT, _BOOL = "string", "Int64", "Float64", "boolean"  # pandas' types that know missing values
_KEY = {"suite": _TEXT, "slot": _TEXT}
_TRIAL = {**_KEY, "case": _TEXT, "arm": _TEXT, "sample": _INT}
TRIALS: Mapping[str, str] = {
    **_TRIAL,
    "mark": _TEXT,
    "origin": _TEXT,
    "model": _TEXT,
    "output": _TEXT,
    "expected": "object",
    "inputs": "object",
    "tags": "object",
    "tokens_in": _INT,
    "tokens_out": _INT,
    "tokens_cached": _INT,
    "cost_usd": _FLOAT,
    "latency_s": _FLOAT,
}
SCORES: Mapping[str, str] = {
    **_TRIAL,
    "scorer": _TEXT,
    "kind": _TEXT,
    "value": _FLOAT,
    "reason": _TEXT,
    "answered": _TEXT,
    "wanted": _TEXT,
    "unextracted": _BOOL,
}
METRICS: Mapping[str, str] = {
    **_KEY,
    "metric": _TEXT,
    "slice": _TEXT,
    "expression": _TEXT,
    "direction": _TEXT,
    "gated": _BOOL,
    "value": _FLOAT,
    "scored": _INT,
    "unscored": _INT,
    "errored": _INT,
    "skipped": _INT,
}
VERDICTS: Mapping[str, str] = {
    **_KEY,
    "metric": _TEXT,
    "outcome": _TEXT,
    "gated": _BOOL,
    "red": _BOOL,
    "baseline": _FLOAT,
    "current": _FLOAT,
    "change": _FLOAT,
    "change_low": _FLOAT,
    "change_high": _FLOAT,
    "p": _FLOAT,
    "compared": _INT,
    "worse": _INT,
    "better": _INT,
    "accepted": _TEXT,
    "reason": _TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFrames:
    """One run, tidy: a row is one observation, and `document` is all of it."""

    trials: pd.DataFrame  # a row per sample of a case, of this run ("now") and of the baseline ("before")
    scores: pd.DataFrame  # a row per trial and scorer
    metrics: pd.DataFrame  # a row per metric, gated slice and measured slice
    verdicts: pd.DataFrame  # a row per verdict
    document: RunDocument


def frames_of(document: RunDocument) -> RunFrames:
    """The frames of a run; columns and dtypes are the same whatever is in it."""
    return RunFrames(
        trials=_frame(_trials(document), TRIALS),
        scores=_frame(_scores(document), SCORES),
        metrics=_frame(_metrics(document), METRICS),
        verdicts=_frame(_verdicts(document), VERDICTS),
        document=document,
    )


def _frame(rows: Iterator[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    found = [*rows]
    return pd.DataFrame({name: pd.Series([row[name] for row in found], dtype=kind) for name, kind in columns.items()})


def _seen(document: RunDocument) -> Iterator[tuple[SuiteRun, CaseRun, str, TrialRun]]:
    for suite in document.suites:
        for case in suite.cases:
            yield from ((suite, case, "before", trial) for trial in case.before)
            yield from ((suite, case, "now", trial) for trial in case.now)


def _trial_key(suite: SuiteRun, case: CaseRun, arm: str, trial: TrialRun) -> dict[str, Any]:
    return {"suite": suite.name, "slot": suite.slot, "case": case.id, "arm": arm, "sample": trial.sample}


def _trials(document: RunDocument) -> Iterator[Mapping[str, Any]]:
    for suite, case, arm, trial in _seen(document):
        yield {
            **_trial_key(suite, case, arm, trial),
            "mark": str(case.marks[0]),
            "origin": None if trial.origin is None else str(trial.origin),
            "model": trial.answer.served_model or None if trial.answer else None,
            "output": trial.answer.text if trial.answer else None,
            "expected": case.expected,
            "inputs": dict(case.inputs),
            "tags": list(case.tags),
            "tokens_in": trial.tokens_in,
            "tokens_out": trial.tokens_out,
            "tokens_cached": trial.tokens_cached,
            "cost_usd": trial.cost_usd,
            "latency_s": trial.latency_s,
        }


def _scores(document: RunDocument) -> Iterator[Mapping[str, Any]]:
    for suite, case, arm, trial in _seen(document):
        for name, grade in trial.grades.items():
            yield {**_trial_key(suite, case, arm, trial), "scorer": name, **_graded(grade)}


def _graded(grade: Grade) -> dict[str, Any]:
    score = grade if isinstance(grade, Score) else None
    answered, wanted = score.labels if score is not None and score.labels is not None else (None, None)
    return {
        "kind": type(grade).__name__.lower(),
        "value": score.value if score is not None else None,
        "reason": grade.message if isinstance(grade, Errored) else grade.reason,
        "answered": answered,
        "wanted": wanted,
        "unextracted": score is not None and score.unextracted,
    }


def _metrics(document: RunDocument) -> Iterator[Mapping[str, Any]]:
    for suite in document.suites:
        specs = {metric.spec.name: metric for metric in suite.metrics}
        for metric in suite.metrics:
            if metric.measured is not None:
                part = metric.spec.part
                yield _metric(
                    suite, metric, metric.measured, "" if part is None else part.name, gated=metric.gate.gated
                )
        for each in suite.sliced:
            yield _metric(suite, specs[each.measured.metric], each.measured, each.slice, gated=False)


def _metric(suite: SuiteRun, metric: MetricRun, measured: Measured, part: str, *, gated: bool) -> dict[str, Any]:
    books = measured.books
    return {
        "suite": suite.name,
        "slot": suite.slot,
        "metric": metric.spec.whole,
        "slice": part or None,
        "expression": metric.spec.expression,
        "direction": str(metric.spec.direction),
        "gated": gated,
        "value": _value(measured),
        "scored": books.scored,
        "unscored": books.unscored,
        "errored": books.errored,
        "skipped": books.skipped,
    }


def _value(measured: Measured | None) -> float | None:
    return measured.value if isinstance(measured, Measurement) else None


def _verdicts(document: RunDocument) -> Iterator[Mapping[str, Any]]:
    for suite in document.suites:
        for each in suite.verdicts:
            low, high = each.change_interval or (None, None)
            yield {
                "suite": suite.name,
                "slot": suite.slot,
                "metric": each.metric,
                "outcome": str(each.outcome),
                "gated": each.gated,
                "red": each.red,
                "baseline": _value(each.baseline),
                "current": _value(each.current),
                "change": each.change,
                "change_low": low,
                "change_high": high,
                "p": each.p,
                "compared": each.compared,
                "worse": len(each.worse),
                "better": len(each.better),
                "accepted": each.accepted or None,
                "reason": each.reason,
            }
