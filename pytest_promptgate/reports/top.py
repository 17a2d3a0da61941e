"""What stands on top of every report: one line that says it, and a row per metric."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import DATASET, STALE
from pytest_promptgate.core.promises import CONTRACT
from pytest_promptgate.core.run_document import Status
from pytest_promptgate.core.types import Measurement, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.run_document import MetricRun, RunDocument, SuiteRun, VerdictRun
    from pytest_promptgate.core.types import Measured

_NAMED = 5  # cases in the headline
_PROMISES = {
    STALE: "the baseline is not up to date",
    DATASET: "the dataset has changed",
    CONTRACT: "the suite promises less",
}
_DOUBT = frozenset({Outcome.INCONCLUSIVE, Outcome.INCOMPARABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The run in one line."""

    word: str  # FAILED, INCONCLUSIVE, INTERRUPTED, BROKE, PASSED, NEW or MEASURED
    text: str  # may quote a model

    @property
    def good(self) -> bool:
        """Whether nothing needs to be done."""
        return self.word in ("PASSED", "NEW", "MEASURED")

    def __str__(self) -> str:
        return f"{self.word}: {self.text}"


def headline(document: RunDocument) -> Headline:
    """What the run came to; what is worst is said first."""
    if document.status is not Status.COMPLETE:
        return Headline(word=str(document.status).upper(), text=_unfinished(document))
    if document.red:
        return _red(document) if document.exit_code else _unselected(document)
    if document.refused:
        return Headline(word="FAILED", text="a baseline was not written, see below")
    if failed := [(suite, case) for suite in document.suites for case in suite.failed]:
        names = ", ".join(case for _, case in failed[:_NAMED])
        told = f"{names}{' …' if len(failed) > _NAMED else ''}"
        return Headline(word="FAILED", text=f"{_plural(len(failed), 'case')} failed: {told}")
    if blocked := [suite for suite in document.suites if suite.not_judged and not suite.spent.cases]:
        return Headline(word="FAILED", text=blocked[0].not_judged.partition("\n")[0])
    if document.exit_code and not document.failures:
        return Headline(word="FAILED", text=next(iter(document.notes), "see below").partition("\n")[0])
    green = _green(document)
    others = f"; {_plural(document.failures, 'other test')} failed" if document.failures else ""
    return Headline(word=green.word, text=f"{green.text}{others}")


def _red(document: RunDocument) -> Headline:
    """The first gate that failed, those that are certain before those that could not be decided."""
    (suite, first), *others = sorted(document.red, key=lambda each: each[1].outcome in _DOUBT)
    where = f"{suite.name}: " if len(document.suites) > 1 else ""
    word = "INCONCLUSIVE" if first.outcome in _DOUBT else "FAILED"
    return Headline(word=word, text=f"{where}{first.reason}{_more([verdict for _, verdict in others])}")


def _more(others: Sequence[VerdictRun]) -> str:
    """What else is red; a promise is no gate, and is told by its own name."""
    gates = sum(each.metric not in _PROMISES for each in others)
    promises = dict.fromkeys(_PROMISES[each.metric] for each in others if each.metric in _PROMISES)
    told = [*([f"{_plural(gates, 'more gate')} failed"] if gates else []), *promises]
    return f", and {', '.join(told)}" if told else ""


def _unselected(document: RunDocument) -> Headline:
    """Red gates of a run that did not fail: none of them was selected, so none was held against anything."""
    return Headline(word="MEASURED", text=f"what was selected passed; of what was not: {_red(document).text}")


def _unfinished(document: RunDocument) -> str:
    why = "; ".join(each.partition("\n")[0] for each in document.reasons) or "the run ended early"
    judged = sum(suite.judged for suite in document.suites)
    if not document.suites:
        return why
    found = f"{_red(document).text}; " if document.red else ""
    return f"{found}{why}; {judged} of {_plural(len(document.suites), 'suite')} judged"


def _green(document: RunDocument) -> Headline:
    judged = [suite for suite in document.suites if suite.judged]
    verdicts = [each for suite in judged for each in suite.verdicts if each.gated]
    if not judged:
        what = _plural(len(document.suites), "suite")
        return Headline(word="MEASURED", text=f"{what}, nothing is judged in this run")
    cases = _plural(sum(suite.spent.cases for suite in judged), "case")
    if not verdicts:
        return Headline(word="MEASURED", text=f"{cases}, no metric is gated")
    compared = [each for each in verdicts if each.outcome is not Outcome.NEW]
    if not compared:
        missing = f"no baseline yet: {document.mode.update_option} writes one"
        what = "the first baseline is written" if document.mode.update else missing
        return Headline(word="NEW", text=f"{_plural(len(verdicts), 'metric')} on {cases}, {what}")
    better = sum(each.outcome is Outcome.IMPROVED for each in compared)
    accepted = sum(bool(each.accepted) for each in verdicts)
    told = f"no gate failed: {_plural(len(compared), 'metric')} on {cases} held against the baseline"
    more = [f"{better} improved"] * bool(better) + [f"{accepted} accepted"] * bool(accepted)
    return Headline(word="PASSED", text=", ".join([told, *more]))


def cost_of(document: RunDocument) -> float | None:
    """USD that the run took, with its judges and its control; None: it is not known of at least one answer."""
    judges = [judge.asked.cost_usd for suite in document.suites for judge in suite.judges if judge.asked is not None]
    beside = [suite.control.spent.cost_usd for suite in document.suites if suite.control is not None]
    costs = [*(suite.spent.cost_usd for suite in document.suites), *judges, *beside]
    return None if None in costs else math.fsum(each or 0.0 for each in costs)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric, as a reader sees it; "-" is what is not known."""

    metric: str
    baseline: str
    current: str
    change: str
    interval: str  # of the change, at 95 %
    verdict: str
    books: str  # scored/unscored/errored
    red: bool


def rows(suite: SuiteRun) -> list[Row]:
    """A row per metric and gated slice that was measured."""
    return [_row(each) for each in suite.metrics if each.measured is not None]


def _row(metric: MetricRun) -> Row:
    verdict, measured = metric.verdict, metric.measured
    assert measured is not None
    books = measured.books
    return Row(
        metric=metric.spec.name,
        baseline="-" if verdict is None else number(verdict.baseline),
        current=number(measured if verdict is None or verdict.current is None else verdict.current),
        change="-" if verdict is None or verdict.change is None else f"{verdict.change:+.3f}",
        interval=_interval(verdict),
        verdict=_word(verdict),
        books=f"{books.scored}/{books.unscored}/{books.errored}",
        red=verdict is not None and verdict.red,
    )


def rule_note(suite: SuiteRun) -> str:
    """Why a metric can be red although its interval reaches 0; "" if that cannot be."""
    if suite.rule != "strict" or not suite.red:
        return ""
    return "rule strict: a fall beyond the tolerance is red, whatever the interval says"


def _interval(verdict: VerdictRun | None) -> str:
    if verdict is None or verdict.change_interval is None:
        return "-"
    low, high = verdict.change_interval
    return f"{low:+.3f} … {high:+.3f}"


def _word(verdict: VerdictRun | None) -> str:
    if verdict is None:
        return "-"
    return str(verdict.outcome) if verdict.gated else f"{verdict.outcome} (not gated)"


def number(measured: Measured | None) -> str:
    """A metric's value with as many digits as a reader can use; "-" if there is none."""
    if not isinstance(measured, Measurement):
        return "-"
    return digits(measured.value)


def digits(value: float) -> str:
    """``0.877``, and from a thousand on ``1,013``."""
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def columns(found: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equally many cells as aligned lines."""
    widths = [max(len(row[at]) for row in found) for at in range(len(found[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in found]
