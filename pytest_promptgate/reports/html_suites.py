"""One suite of the page: its gates, what changed, and what stands behind the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Direction, Measurement
from pytest_promptgate.reports.drawn import Change, change_drawn
from pytest_promptgate.reports.html_history import history_section
from pytest_promptgate.reports.html_spread import spread_section
from pytest_promptgate.reports.markup import Markup, tag
from pytest_promptgate.reports.top import number, rows, rule_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_promptgate.core.history import Curve
    from pytest_promptgate.core.run_document import MetricRun, SuiteRun
    from pytest_promptgate.reports.top import Row

_HEADINGS = ("metric", "baseline", "now", "change", "worse · better", "verdict", "scored / unscored / errored")
_SIGNS = {"regressed": "✕", "improved": "▲", "new": "+", "inconclusive": "?", "incomparable": "?"}


def suite_section(suite: SuiteRun, curves: Sequence[Curve], index: int) -> Markup:
    """Everything of one suite but its cases."""
    return tag(
        "section",
        tag("h2", suite.title),
        tag("p", suite.not_judged or suite.partial, class_="warning") if suite.not_judged or suite.partial else "",
        _reasons(suite),
        _metrics(suite),
        tag("p", rule_note(suite), class_="quiet") if rule_note(suite) else "",
        tag("ul", (tag("li", each) for each in suite.notes), class_="notes"),
        _changes(suite),
        _slices(suite),
        spread_section(suite),
        _judges(suite),
        history_section(suite, curves),
        class_="suite red" if suite.red else "suite",
        id=f"suite-{index}",
    )


def folded(title: str, *inner: Markup, shown: bool = False) -> Markup:
    """A part that opens; nothing if there is nothing in it."""
    content = [each for each in inner if each]
    return tag("details", tag("summary", title), content, open=shown) if content else Markup("")


def table(headings: Sequence[str], lines: Iterable[Sequence[Markup | str]], *, class_: str = "") -> Markup:
    """A table that scrolls inside itself on a narrow screen."""
    head = tag("thead", tag("tr", (tag("th", each, scope="col") for each in headings)))
    body = tag("tbody", (_line(each, headings) for each in lines))
    return tag("div", tag("table", head, body, class_=class_ or None), class_="wide", tabindex=0, role="region")


def _line(cells: Sequence[Markup | str], headings: Sequence[str]) -> Markup:
    first, *others = cells
    found = (tag("td", each, data_of=heading) for each, heading in zip(others, headings[1:], strict=True))
    return tag("tr", tag("th", first, scope="row"), found)


def _reasons(suite: SuiteRun) -> Markup:
    return tag("ul", (tag("li", "✕ ", each.reason) for each in suite.red), class_="reasons")


def _metrics(suite: SuiteRun) -> Markup:
    measured = [each for each in suite.metrics if each.measured is not None]
    lines = [_metric(run, row) for run, row in zip(measured, rows(suite), strict=True)]
    return table(_HEADINGS, lines, class_="metrics") if lines else Markup("")


def _metric(run: MetricRun, row: Row) -> tuple[Markup | str, ...]:
    verdict = run.verdict
    tone = "bad" if row.red else "good" if verdict is not None and verdict.outcome == "improved" else "calm"
    sign = _SIGNS.get(str(verdict.outcome), "=") if verdict is not None else "-"
    told = tag("span", f"{sign} {row.verdict}", class_=f"verdict {tone}", title=verdict.reason if verdict else "")
    p = f" p={verdict.p:.2g}" if verdict is not None and verdict.p is not None else ""
    return row.metric, row.baseline, row.current, row.change, _drawn(run, row), tag("span", told, p), row.books


def _drawn(run: MetricRun, row: Row) -> Markup | str:
    verdict = run.verdict
    if verdict is None or verdict.change is None or not isinstance(verdict.baseline, Measurement):
        return ""
    sign = -1.0 if run.spec.direction is Direction.LOWER else 1.0
    low, high = verdict.change_interval or (verdict.change, verdict.change)
    interval = (min(sign * low, sign * high), max(sign * low, sign * high)) if verdict.change_interval else None
    tolerance = run.gate.tolerance.allowance(verdict.baseline.value) if run.gate.gated else 0.0
    change = Change(change=sign * verdict.change, interval=interval, tolerance=tolerance, red=row.red)
    between = f", 95 % between {row.interval.replace(' … ', ' and ')}" if verdict.change_interval else ""
    return change_drawn(change, label=f"{row.metric}: change {row.change}{between}, tolerated {tolerance:.3g}")


def _changes(suite: SuiteRun) -> Markup:
    found = suite.differences
    lines = [
        *([f"prompt: {found.prompt}"] if found.prompt else []),
        *([f"model: {found.model}"] if found.model else []),
        *(f"parameter: {each}" for each in found.parameters),
        *(f"scorer changed: {each}" for each in found.scorers),
        *(f"{what}: {_names(ids)}" for what, ids in _rows(suite)),
        *(f"loosened: {each}" for each in found.loosened),
        *(f"accepted: {each}" for each in found.accepted),
    ]
    diff = tag("pre", (_diff_line(each) for each in found.prompt_diff), class_="diff") if found.prompt_diff else ""
    listed = tag("ul", (tag("li", each) for each in lines)) if lines else Markup("")
    return folded("What changed since the baseline", listed, Markup(diff), shown=bool(suite.red))


def _rows(suite: SuiteRun) -> Iterator[tuple[str, tuple[str, ...]]]:
    found = suite.differences
    for what, ids in (("new cases", found.added), ("cases gone", found.removed), ("cases edited", found.edited)):
        if ids:
            yield what, ids


def _names(ids: Sequence[str]) -> str:
    return ", ".join(ids[:20]) + (f" and {len(ids) - 20} more" if len(ids) > 20 else "")


def _diff_line(line: str) -> Markup:
    kinds = {"+": "ins", "-": "del"}
    return tag(kinds.get(line[:1], "span") if not line.startswith(("+++", "---")) else "span", f"{line}\n")


def _slices(suite: SuiteRun) -> Markup:
    lines = [
        (each.slice, each.measured.metric, number(each.baseline), number(each.measured), str(each.cases))
        for each in suite.sliced
    ]
    return folded("Slices", table(("slice", "metric", "baseline", "now", "cases"), lines)) if lines else Markup("")


def _judges(suite: SuiteRun) -> Markup:
    lines = []
    for each in suite.judges:
        trust = "uncalibrated" if each.trust is None else str(each.trust)
        found = each.compared
        pairs = "" if found is None else f"both orders agree on {found.agreed} of {found.asked}"
        lines.append((each.scorer, trust, each.doubt, pairs))
    return folded("Judges", table(("judge", "trust", "why", "comparisons"), lines)) if lines else Markup("")
