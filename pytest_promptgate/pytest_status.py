"""Letters and words of case and gate items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.core.types import Origin, Outcome, Score, Unscored
from pytest_promptgate.pytest_items import CaseItem, EvalItem, GateItem

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Result

# Built-in types only, so that a report survives being sent between processes: (kind, word, good).
Kind: TypeAlias = tuple[str, str, bool]

_WORDS = {Outcome.REGRESSED: "REGRESSED", Outcome.INCONCLUSIVE: "INCONCLUSIVE", Outcome.INCOMPARABLE: "INCOMPARABLE"}


def kind_of(item: EvalItem) -> Kind:
    """What a finished item is to be called."""
    if isinstance(item, GateItem):
        return _gate(item)
    if isinstance(item, CaseItem):
        return _case(item.results)
    return "case", "SCORED", True


def status_of(report: Any) -> tuple[str, str, Any] | None:
    """Category, letter and word for `pytest_report_teststatus`; None for reports that are not ours."""
    kind: Kind | None = getattr(report, "promptgate", None)
    if kind is None or report.when != "call" or report.outcome == "skipped" or hasattr(report, "wasxfail"):
        return None
    name, word, good = kind
    if report.outcome == "passed":
        letter = {"gate": "g", "case": "." if good else ","}[name]
        return "passed", letter, (word, {"green": True} if good else {"yellow": True})
    return "failed", {"gate": "G", "case": "F"}[name], (_failed(word), {"red": True, "bold": True})


def _failed(word: str) -> str:
    # A must_pass case that was answered and scored, but not well enough.
    return word.replace("SCORED ", "FAILED ").replace("UNCHANGED ", "FAILED ") if word[-1].isdigit() else word


def _gate(item: GateItem) -> Kind:
    report = item.run.report
    verdict = None if report is None else next(each for each in report.verdicts if each.metric == item.metric)
    if verdict is None:
        return "gate", "NO VERDICT", False
    word = _WORDS.get(verdict.outcome, str(verdict.outcome)) if verdict.red else str(verdict.outcome).upper()
    return "gate", "ACCEPTED" if verdict.accepted else word, not verdict.red


def _case(results: tuple[Result, ...]) -> Kind:
    grades = [grade for each in results for grade in each.observation.grades.values()]
    values = [grade.value for grade in grades if isinstance(grade, Score)]
    if not values or not all(isinstance(grade, Score | Unscored) for grade in grades):
        return "case", "UNANSWERED" if any(each.completion is None for each in results) else "UNSCORED", False
    mean = sum(values) / len(values)
    verb = "UNCHANGED" if all(each.origin is Origin.UNCHANGED for each in results) else "SCORED"
    return "case", f"{verb} {mean:.2f}", mean >= 1.0
