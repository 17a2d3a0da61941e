"""How the metrics of a suite fared in past runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.reports.drawn import Dot, trend_drawn
from pytest_promptgate.reports.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.history import Curve
    from pytest_promptgate.core.run_document import SuiteRun

_LATEST = 100  # runs of a drawing


def history_section(suite: SuiteRun, curves: Sequence[Curve]) -> Markup:
    """A drawing per metric and series, and what happened on the way; nothing if nothing is known."""
    own = [each for each in curves if (each.suite, each.slot) == (suite.name, suite.slot) and each.entries]
    if not own:
        return Markup("")
    return tag("details", tag("summary", "Past runs"), (_curve(each) for each in own))


def _curve(curve: Curve) -> Markup:
    title = f"{curve.series}: {len(curve.entries)} run{'' if len(curve.entries) == 1 else 's'}"
    figures = tag("div", (_figure(curve, name) for name in curve.metrics()), class_="figures")
    marks = tag("ul", (tag("li", f"{at[:10]} {what}") for at, what in curve.marks()))
    return tag("div", tag("h3", title), figures, marks)


def _figure(curve: Curve, metric: str) -> Markup:
    dots = list(_dots(curve, metric))[-_LATEST:]
    latest = f"{metric}: {dots[-1].value:.4g}"
    return tag("figure", tag("figcaption", latest), trend_drawn(dots, label=f"{metric}, {len(dots)} runs"))


def _dots(curve: Curve, metric: str) -> Iterator[Dot]:
    marked = {at for at, _ in curve.marks()}
    for entry in curve.entries:
        if (point := entry.metrics.get(metric)) is not None:
            label = f"{entry.at} {entry.prompt} on {entry.model}: {point.value:.4g} (n={point.n})"
            yield Dot(value=point.value, interval=point.interval, label=label, marked=entry.at in marked)
