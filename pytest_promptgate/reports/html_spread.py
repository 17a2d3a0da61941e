"""How scores, latencies, tokens and costs are spread over the cases of a suite, before and now."""

from __future__ import annotations

from statistics import quantiles
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Score
from pytest_promptgate.reports.drawn import bins, bins_drawn
from pytest_promptgate.reports.markup import Markup, joined, tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_promptgate.core.run_document import CaseRun, SuiteRun, TrialRun

# Of a trial: what is asked of the provider, in its unit. A latency is this run's alone: baselines have none.
_TAKEN: dict[str, Callable[[TrialRun], float | None]] = {
    "latency, s": lambda trial: trial.latency_s,
    "cost, USD": lambda trial: trial.cost_usd,
    "tokens in": lambda trial: trial.tokens_in,
    "tokens out": lambda trial: trial.tokens_out,
}


def spread_section(suite: SuiteRun) -> Markup:
    """Histograms of every scorer, and of what the answers took."""
    scores = [_figure(name, *_scores(suite.cases, name)) for name in (each.name for each in suite.scorers)]
    taken = [
        _figure(name, *(_taken(suite.cases, read, now=now) for now in (False, True))) for name, read in _TAKEN.items()
    ]
    return joined(_folded("Scores", scores), _folded("Latency, cost, tokens", taken))


def _folded(title: str, figures: Sequence[Markup]) -> Markup:
    found = [each for each in figures if each]
    if not found:
        return Markup("")
    key = tag("p", tag("span", "■ baseline", class_="before"), "  ", tag("span", "■ now", class_="now"), class_="key")
    return tag("details", tag("summary", title), key, tag("div", found, class_="figures"))


def _figure(name: str, before: Sequence[float], now: Sequence[float]) -> Markup:
    found = bins(before, now)
    if found is None:
        return Markup("")
    label = f"{name}, from {found.low:.4g} to {found.high:.4g}"
    told = [tag("p", f"{what}: {_summary(values)}") for what, values in (("baseline", before), ("now", now)) if values]
    return tag("figure", tag("figcaption", label), bins_drawn(found, label=label), told)


def _summary(values: Sequence[float]) -> str:
    mean = sum(values) / len(values)
    if len(values) < 2:
        return f"{mean:.4g} (n=1)"
    cuts = quantiles(values, n=20, method="inclusive")
    return f"mean {mean:.4g}, p50 {cuts[9]:.4g}, p95 {cuts[18]:.4g} (n={len(values)})"


def _scores(cases: Sequence[CaseRun], scorer: str) -> tuple[list[float], list[float]]:
    return (
        [grade.value for case in cases for grade in _graded(case.before, scorer)],
        [grade.value for case in cases for grade in _graded(case.now, scorer)],
    )


def _graded(trials: Sequence[TrialRun], scorer: str) -> Iterator[Score]:
    for trial in trials:
        grade = trial.grades.get(scorer)
        if isinstance(grade, Score):
            yield grade


def _taken(cases: Sequence[CaseRun], read: Callable[[TrialRun], float | None], *, now: bool) -> list[float]:
    trials = (trial for case in cases for trial in (case.now if now else case.before))
    return [value for trial in trials if (value := read(trial)) is not None]
