"""The cases of a Markdown report: those that flipped, worst first, then those that nobody could score."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.run_document import Mark
from pytest_promptgate.core.types import Score
from pytest_promptgate.reports.escaping import block, code, diff_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.run_document import Answer, CaseRun, Move, RunDocument, SuiteRun, TrialRun
    from pytest_promptgate.core.types import Json

_INPUT, _EXPECTED, _OUTPUT, _REASON = 700, 400, 2400, 300  # most bytes of each; characters of a reason
_FAULTS = (Mark.ERRORED, Mark.FAILED, Mark.UNSCORED, Mark.UNEXTRACTED, Mark.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One case that a metric reads less of."""

    suite: SuiteRun
    metric: str
    red: bool
    move: Move

    @property
    def rank(self) -> tuple[bool, float, str]:
        """Red metrics first, then the largest fall."""
        return not self.red, -abs(self.move.after - self.move.before), self.move.case


def flips(document: RunDocument) -> list[Flip]:
    """Every flipped case once, with the metric that it flipped most in, the worst first."""
    found = [
        Flip(suite=suite, metric=metric.spec.name, red=metric.verdict.red, move=move)
        for suite in document.suites
        for metric in suite.metrics
        if metric.verdict is not None and metric.spec.part is None and metric.spec.source in _names(suite)
        for move in metric.verdict.worse
    ]
    once: dict[tuple[str, str, str], Flip] = {}
    for flip in sorted(found, key=lambda each: each.rank):
        once.setdefault((flip.suite.name, flip.suite.slot, flip.move.case), flip)
    return list(once.values())


def _names(suite: SuiteRun) -> frozenset[str]:
    """Its scorers: a case that costs more tokens has not flipped."""
    return frozenset(each.name for each in suite.scorers)


def flip_block(number: int, flip: Flip, case: CaseRun) -> str:
    """One flipped case: input, expected, the answers word by word, and why it scored so."""
    move = flip.move
    return "\n\n".join(
        [
            f"**{number}.** {code(move.case)} {code(flip.metric)} {move.before:g} → {move.after:g}",
            *_told(case, move),
        ]
    )


def _told(case: CaseRun, move: Move) -> Iterator[str]:
    if case.inputs:
        yield f"input\n\n{block(_inputs(case), most=_INPUT)}"
    if case.has_expected:
        yield f"expected\n\n{block(_text(case.expected), most=_EXPECTED)}"
    before, now = _answered(case.before, move.sample_before), _answered(case.now, move.sample_now)
    if before is not None and now is not None:
        yield f"before → now\n\n{diff_block(before, now, most=_OUTPUT)}"
    elif now is not None:
        yield f"now (the baseline's answer is not at hand)\n\n{block(now, most=_OUTPUT)}"
    if reasons := _reasons(case, move.sample_now):
        yield f"why: {'; '.join(reasons)}"


def _inputs(case: CaseRun) -> str:
    if len(case.inputs) == 1:
        return _text(next(iter(case.inputs.values())))
    return "\n".join(f"{name}: {_text(value)}" for name, value in case.inputs.items())


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _answered(trials: Sequence[TrialRun], sample: int) -> str | None:
    answer = next((each.answer for each in trials if each.sample == sample), None)
    return None if answer is None else said(answer)


def said(answer: Answer) -> str:
    """The text of an answer, with the tools that it calls."""
    calls = [f"{call.name}({call.arguments})" for call in answer.tool_calls]
    return "\n".join([*([answer.text] if answer.text or not calls else []), *calls])


def _reasons(case: CaseRun, sample: int) -> list[str]:
    trial = next((each for each in case.now if each.sample == sample), None)
    graded = trial.grades.items() if trial is not None else ()
    return [
        f"{code(name)} {code(grade.reason, width=_REASON)}"
        for name, grade in graded
        if isinstance(grade, Score) and grade.reason
    ]


def fault_lines(document: RunDocument) -> list[str]:
    """A line per case that failed, or that nobody could score."""
    return [
        f"- {code(case.id)} {case.marks[0]}{_why(case)}"
        for suite in document.suites
        for case in suite.cases
        if case.marks[0] in _FAULTS
    ]


def _why(case: CaseRun) -> str:
    if case.problem:
        return f": {code(case.problem, width=_REASON)}"
    grades = (grade for trial in case.now for grade in trial.grades.values())
    reason = next((text for each in grades if not isinstance(each, Score) and (text := _reason(each))), "")
    return f": {code(reason, width=_REASON)}" if reason else ""


def _reason(grade: object) -> str:
    return str(getattr(grade, "message", "") or getattr(grade, "reason", ""))
