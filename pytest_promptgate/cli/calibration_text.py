"""What ``promptgate calibrate`` says: a readable report, or JSON. Answers and judges' words are untrusted."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_promptgate.cli.tables import plain, plural
from pytest_promptgate.core.calibration import ARM_TOLERANCE, USUAL_LABELS, Trust, opinion_of, within
from pytest_promptgate.core.pairs import TRUSTED
from pytest_promptgate.core.printable import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.calibration import Calibration
    from pytest_promptgate.core.calibration_study import Level, Study
    from pytest_promptgate.core.rubrics import Rubric

_ANSWER = 100  # characters of an answer, and of a judge's reason
_DOES = {
    Trust.GATES: "its metrics gate",
    Trust.WARNS: "its metrics gate with a warning",
    Trust.SHOWS: "its metrics are shown only",
}


def report(rubric: Rubric, found: Study, *, good: float) -> list[str]:
    """The lines of the report."""
    return [printable(line) for line in _lines(rubric, found, good)]


def _lines(rubric: Rubric, found: Study, good: float) -> Iterator[str]:
    each, judge = found.calibration, opinion_of(found.calibration)
    yield f"{rubric.path} by {rubric.pin}: {plural(each.labels, 'answer')}, {plural(found.raters, 'rater')}"
    yield from plain(("measure", "value", ""), [*_measures(each, found, good)], left=1)[1:]
    yield ""
    yield "people's verdict (lines) and the judge's (columns)"
    yield from _confusion(found.levels, found.confusion)
    yield from _unscored(found)
    yield from _disagreements(found)
    yield ""
    if each.labels < USUAL_LABELS:
        yield f"{each.labels} labels say little: {USUAL_LABELS} are recommended, from both arms"
    yield f"{_DOES[judge.trust]}{f': the judge {judge.why}' if judge.why else ''}"


def _measures(each: Calibration, found: Study, good: float) -> Iterator[tuple[str, str, str]]:
    yield "agreement", _number(each.agreement), ""
    yield "Cohen's kappa", _number(each.kappa), _unsigned(each.kappa_interval)
    yield "quadratically weighted kappa", _number(each.weighted_kappa), _unsigned(each.weighted_kappa_interval)
    yield "Krippendorff's alpha, people", _number(each.alpha, "one rater"), ""
    yield "Krippendorff's alpha, with the judge", _number(found.alpha_with_judge, "one rater"), ""
    yield "bias, judge - people", f"{each.bias:+.3f}", _interval(each.bias_interval)
    yield f"sensitivity, good from {good:g}", _number(each.sensitivity, "no good answer"), ""
    yield "specificity", _number(each.specificity, "no bad answer"), ""
    yield "no verdict", str(each.unscored), ""
    told = f"below {TRUSTED}: goes by position" if (each.position_consistency or 1.0) < TRUSTED else ""
    yield "position consistency", _number(each.position_consistency, "not applicable"), told
    yield "self-consistency", _number(each.self_consistency, "asked once"), ""
    if each.arm_bias is None or each.arm_bias_interval is None:
        yield "bias, candidate - production", "not both arms", ""
        return
    verdict = "within" if within(each.arm_bias_interval) else "not shown to be within"
    yield (
        "bias, candidate - production",
        f"{each.arm_bias:+.3f}",
        f"{_interval(each.arm_bias_interval)}, {verdict} {ARM_TOLERANCE}",
    )


def _number(value: float | None, absent: str = "") -> str:
    return absent if value is None else f"{value:.3f}"


def _interval(interval: tuple[float, float]) -> str:
    return f"95 %: {interval[0]:+.3f} … {interval[1]:+.3f}"


def _unsigned(interval: tuple[float, float] | None) -> str:
    return f"95 %: {interval[0]:.3f} … {interval[1]:.3f}" if interval is not None else ""


def _confusion(levels: Sequence[Level], counts: Sequence[Sequence[int]]) -> list[str]:
    rows = [(level.name, *map(str, row)) for level, row in zip(levels, counts, strict=True)]
    return plain(("", *(level.name for level in levels)), rows, left=1)


def _unscored(found: Study) -> Iterator[str]:
    yield from (f"no verdict: {name}: {one_line(reason, width=_ANSWER)}" for name, reason in found.unscored)


def _disagreements(found: Study) -> Iterator[str]:
    if not found.disagreements:
        return
    yield ""
    yield f"the {plural(len(found.disagreements), 'worst disagreement')}".replace("the 1 ", "the ")
    for each in found.disagreements:
        yield f"{each.name}: people {each.people:.3g}, judge {each.judge:.3g}: {one_line(each.reason, width=_ANSWER)}"
        yield f"  {one_line(each.answer, width=_ANSWER)}"


def as_json(rubric: Rubric, found: Study, *, good: float, written: bool) -> dict[str, Any]:
    """The same as plain data; scores are 0 … 1, what does not apply is null."""
    judge = opinion_of(found.calibration)
    return {
        "rubric": rubric.path,
        "model": str(rubric.pin),
        **{
            "digest" if name == "rubric" else name: value
            for name, value in asdict(found.calibration).items()
            if name != "golden"
        },
        "alpha_with_judge": found.alpha_with_judge,
        "raters": found.raters,
        "good_from": good,
        "levels": [asdict(each) for each in found.levels],
        "confusion": found.confusion,
        "without_verdict": [{"name": name, "reason": reason} for name, reason in found.unscored],
        "disagreements": [asdict(each) for each in found.disagreements],
        "trust": str(judge.trust),
        "why": judge.why,
        "written": written,
    }
