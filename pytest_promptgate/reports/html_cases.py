"""The cases as the page's script reads them: short keys, every text printable, equal answers told once.

Keys of a case: ``i`` id, ``m`` marks, ``g`` slices, ``t`` tags, ``p`` problem, ``n`` inputs as [name, text], ``e``
expected (absent: none), ``w`` place, ``a`` trials now, ``b`` before, ``d`` word diff of the first changed answer as
[kind, text], with 0 for kept, 1 for removed, 2 for added. Keys of a trial: ``s`` sample, ``o`` origin, ``x`` text,
``y`` 1 if it is the same answer as before, ``r`` grades as [scorer, value or kind, reason], ``k`` facts in words.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.run_document import Mark
from pytest_promptgate.core.types import Errored, Score, Skipped, Unscored
from pytest_promptgate.core.word_diff import Mark as Fate
from pytest_promptgate.core.word_diff import word_diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.run_document import Answer, CaseRun, RunDocument, SuiteRun, TrialRun
    from pytest_promptgate.core.types import Grade, Json

_TOLD = frozenset({Mark.UNCHANGED, Mark.SAME})  # cases of which nothing is to be said
_MOST_DIFFED = 500_000  # characters in all word diffs of a page: the worst cases come first
_LONG = 4_000  # characters of a text of a case of which nothing is to be said
_FATES = {Fate.KEPT: 0, Fate.REMOVED: 1, Fate.ADDED: 2}


def explorer_data(document: RunDocument) -> Json:
    """What the list of cases is made from."""
    budget = _Budget()
    return {"suites": [_suite(each, budget) for each in document.suites]}


class _Budget:
    """Characters that may still be compared word by word."""

    def __init__(self) -> None:
        self._left = _MOST_DIFFED

    def allows(self, *texts: str) -> bool:
        """Take the texts' characters, if there are so many."""
        wanted = sum(map(len, texts))
        if wanted > self._left:
            return False
        self._left -= wanted
        return True


def _suite(suite: SuiteRun, budget: _Budget) -> Json:
    order, falls = list(Mark), _falls(suite)
    cases = sorted(suite.cases, key=lambda case: (order.index(case.marks[0]), -falls.get(case.id, 0.0)))
    return {"name": printable(suite.title), "cases": [_case(each, budget) for each in cases]}


def _falls(suite: SuiteRun) -> dict[str, float]:
    """By case: how much of a score was lost, in the metric that lost most of it."""
    scorers, found = {each.name for each in suite.scorers}, dict[str, float]()
    for metric in suite.metrics:
        for move in metric.verdict.worse if metric.verdict is not None and metric.spec.source in scorers else ():
            found[move.case] = max(found.get(move.case, 0.0), abs(move.after - move.before))
    return found


def _case(case: CaseRun, budget: _Budget) -> Json:
    quiet = case.marks[0] in _TOLD
    now, before = list(case.now), list(case.before)
    same = {each.sample: each.answer for each in before if each.answer is not None}
    found: dict[str, Json] = {
        "i": printable(case.id),
        "m": [str(each) for each in case.marks],
        "n": [[printable(name), _shown(value, quiet=quiet)] for name, value in case.inputs.items()],
        "w": printable(str(case.place)),
        "a": [_trial(each, quiet=quiet, same=same.get(each.sample) == each.answer) for each in now],
        "b": [_trial(each, quiet=quiet) for each in before],
        "g": [printable(each) for each in case.slices],
        "t": [printable(each) for each in case.tags],
        "p": printable(case.problem),
    }
    if case.has_expected:
        found["e"] = _shown(case.expected, quiet=quiet)
    if diff := _diff(case, budget):
        found["d"] = diff
    return {key: value for key, value in found.items() if value not in ("", [])}


def _trial(trial: TrialRun, *, quiet: bool, same: bool = False) -> Json:
    found: dict[str, Json] = {
        "s": trial.sample,
        "o": "" if trial.origin is None else str(trial.origin),
        "y": int(same),
        "x": None if trial.answer is None or same else _shown(answer_text(trial.answer), quiet=quiet),
        "r": [[printable(name), *_grade(grade)] for name, grade in trial.grades.items()],
        "k": ", ".join(_facts(trial)),
    }
    return {key: value for key, value in found.items() if value not in ("", 0, None)}


def answer_text(answer: Answer) -> str:
    """An answer as a reader sees it: its text, then a line per tool call."""
    calls = (f"{each.name}({each.arguments})" for each in answer.tool_calls)
    return "\n".join(filter(None, (answer.text, *calls)))


def _shown(value: Json, *, quiet: bool) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    cut = quiet and len(text) > _LONG
    return printable(f"{text[:_LONG]}… [cut: {len(text)} characters]" if cut else text)


def _grade(grade: Grade) -> tuple[Json, str]:
    match grade:
        case Score():
            labels = "" if grade.labels is None else f"{grade.labels[0]} (expected {grade.labels[1]})"
            return round(grade.value, 6), printable(grade.reason or labels)
        case Unscored():
            return "unscored", printable(grade.reason)
        case Errored():
            return "errored", printable(grade.message)
        case Skipped():
            return "skipped", printable(grade.reason)


def _facts(trial: TrialRun) -> Iterator[str]:
    if trial.answer is not None and trial.answer.served_model:
        yield printable(trial.answer.served_model)
    if trial.latency_s is not None:
        yield f"{trial.latency_s:.2f} s"
    if trial.tokens_in is not None and trial.tokens_out is not None:
        yield f"{trial.tokens_in} + {trial.tokens_out} tokens"
    if trial.cost_usd is not None:
        yield f"${trial.cost_usd:.6f}"


def _diff(case: CaseRun, budget: _Budget) -> list[Json]:
    """The first answer that another one has replaced, word by word."""
    earlier = {each.sample: each for each in case.before}
    for now in case.now:
        before = earlier.get(now.sample)
        if before is None or before.answer is None or now.answer is None:
            continue
        was, became = answer_text(before.answer), answer_text(now.answer)
        if was == became:
            continue
        if not budget.allows(was, became):
            return []
        return [[_FATES[each.mark], printable(each.text)] for each in word_diff(was, became)]
    return []
