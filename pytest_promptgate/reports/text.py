"""Plain text for a terminal: why a case is red, why a gate is red, and the closing table.

Everything that came from a row or a model goes through `printable` before it stands in a line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import DATASET, STALE
from pytest_promptgate.core.printable import one_line, printable
from pytest_promptgate.core.types import (
    CaseChange,
    Differences,
    Direction,
    Errored,
    Measurement,
    Outcome,
    Report,
    Result,
    Score,
    Skipped,
    Suite,
    Unscored,
    Verdict,
)
from pytest_promptgate.reports.control import control_lines
from pytest_promptgate.reports.tested import sees_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORST = 10  # cases shown one by one; the rest is named
DIFF_LINES = 40
WIDTH = 100


def case_problem(suite: Suite, results: Sequence[Result]) -> str:
    """Why this case's item fails; "" if it was answered, scored, and reached what it must.

    Args:
        suite: The suite of the case.
        results: All samples of one case.
    """
    for result in results:
        for name, grade in result.observation.grades.items():
            if isinstance(grade, Errored):
                subject = "could not be scored" if result.completion is not None else "could not be answered"
                return f"{result.trial.id} {subject}: {grade.message}"
            if isinstance(grade, Skipped):
                return f"{result.trial.id} was not asked ({name}): {grade.reason}"
    return _must_pass_problem(suite, results)


def _must_pass_problem(suite: Suite, results: Sequence[Result]) -> str:
    for rule in suite.must_pass:
        for result in results:
            if result.trial.case.id not in rule.cases:
                continue
            for name in rule.scorers:
                grade = result.observation.grades[name]
                if isinstance(grade, Score) and grade.value >= rule.pass_at:
                    continue
                seen = f"scored {grade.value:g}" if isinstance(grade, Score) else "could not be scored"
                reason = grade.message if isinstance(grade, Errored) else grade.reason
                why = one_line(reason, width=WIDTH) if reason else "no reason given"
                told = f"{result.trial.id} must pass, but {name} {seen} (needs {rule.pass_at:g}): {why}"
                return told if result.completion is None else f"{told}\n  answer: {_shown(result.completion.text)}"
    return ""


def gate_text(report: Report, verdict: Verdict, *, alias: str, refused: str, first: str = "") -> str:
    """The whole story of one red gate; its first line is the verdict.

    Args:
        report: The report that `verdict` belongs to.
        verdict: A red verdict.
        alias: The option that writes baselines, as this project can spell it.
        refused: Why no baseline could be written from this run, whatever the reason given; "" if one could.
        first: A command that must be run before one that accepts.
    """
    lines = [verdict.reason, *control_lines(report), *([sees_line(verdict)] if verdict.sees else [])]
    lines += _changes("worse", verdict.worse)
    lines += _better(verdict.better)
    lines += _differences(report)
    lines += _acceptance(report, verdict, alias, refused, f"{first} && " if first else "")
    return "\n".join(lines)


def _changes(title: str, changes: Sequence[CaseChange]) -> Iterator[str]:
    if not changes:
        return
    yield f"{title} ({len(changes)}):"
    for change in changes[:WORST]:
        why = f"  {one_line(change.reason, width=WIDTH)}" if change.reason else ""
        yield f"  {change.case}  {change.before:g} -> {change.after:g}{why}"
        if change.expected is not None:
            yield f"      expected: {_shown(change.expected)}"
        if change.old_output is not None:
            yield f"      before:   {_shown(change.old_output)}"
        if change.new_output is not None:
            yield f"      now:      {_shown(change.new_output)}"
    if len(changes) > WORST:
        yield f"  … and {len(changes) - WORST} more: {names([each.case for each in changes[WORST:]])}"


def _better(changes: Sequence[CaseChange]) -> Iterator[str]:
    if changes:
        named = [f"{each.case} {each.before:g} -> {each.after:g}" for each in changes[:WORST]]
        rest = f", … and {len(changes) - WORST} more" if len(changes) > WORST else ""
        yield f"better ({len(changes)}): {', '.join(named)}{rest}"


def _differences(report: Report) -> Iterator[str]:
    if report.baseline is None:
        return
    differences = report.differences
    diff = differences.prompt_diff
    lines = [
        *_prompt(differences),
        *(f"  {line}" for line in diff[:DIFF_LINES]),
        *([f"  … and {len(diff) - DIFF_LINES} more lines"] if len(diff) > DIFF_LINES else []),
        *_others(differences),
        *differences.loosened,
    ]
    yield "what differs from the baseline:" if lines else "nothing differs from the baseline but the answers"
    yield from (f"  {line}" for line in lines)


def since_baseline(differences: Differences) -> str:
    """``prompt: v1 -> v2; rows edited: c-01``: what differs, in one line for green runs too; "" if nothing does."""
    return printable("; ".join([*_prompt(differences), *_others(differences)]))


def _prompt(differences: Differences) -> Iterator[str]:
    if differences.prompt:
        yield f"prompt: {differences.prompt}"


def _others(differences: Differences) -> Iterator[str]:
    if differences.model:
        yield f"model: {differences.model}"
    yield from (f"parameter: {each}" for each in differences.parameters)
    lists = {
        "scorers changed": differences.scorers,
        "rows added": differences.added,
        "rows removed": differences.removed,
        "rows edited": differences.edited,
    }
    yield from (f"{label}: {names(ids)}" for label, ids in lists.items() if ids)
    yield from (f"accepted {each}" for each in differences.accepted)


def _acceptance(report: Report, verdict: Verdict, alias: str, refused: str, first: str) -> Iterator[str]:
    if verdict.metric == STALE:
        return
    if report.partial:
        yield f"compared on a part only ({report.partial}); a baseline needs all cases"
    elif verdict.metric == DATASET:
        yield f'to accept it: {first}pytest {report.suite.path} {alias} --accept-dataset-change "why"'
    elif refused:
        yield f"no baseline can be written from this run: {refused}"
    elif _is_beyond_floor(report, verdict):
        limit = "floor" if verdict.direction is Direction.HIGHER else "ceiling"
        yield f"the {limit} stands in {report.suite.path}; no baseline moves it"
    else:
        yield f'to accept it: {first}pytest {report.suite.path} {alias} --accept-regression "why"'


def _is_beyond_floor(report: Report, verdict: Verdict) -> bool:
    gate = report.suite.gates.get(verdict.metric)
    measured = next((each for each in report.measurements if each.metric == verdict.metric), None)
    if gate is None or gate.floor is None or not isinstance(measured, Measurement):
        return False
    sign = 1 if verdict.direction is Direction.HIGHER else -1
    return verdict.outcome is Outcome.REGRESSED and sign * measured.value < sign * gate.floor


def unscored_lines(report: Report) -> list[str]:
    """``unscored: c-07: provider refused: …``, a line per reason: such cases pass, and are not to be overlooked."""
    cases: dict[str, dict[str, None]] = {}
    for result in report.results:
        for grade in result.observation.grades.values():
            if isinstance(grade, Unscored):
                cases.setdefault(one_line(grade.reason, width=2 * WIDTH), {})[result.trial.id] = None
    lines = [f"unscored: {names([*ids])}: {reason}" for reason, ids in cases.items()]
    return lines if len(lines) <= WORST else [*lines[:WORST], f"… and {len(lines) - WORST} more reasons"]


def names(ids: Sequence[str]) -> str:
    """The first few, and how many there are."""
    shown = ", ".join(ids[:WORST])
    return f"{shown}, … ({len(ids)} in all)" if len(ids) > WORST else shown


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, width=WIDTH) if text else "(empty)"
