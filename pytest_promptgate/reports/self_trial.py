"""What ``--prompt-aa`` found, as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.trust import rubrics_of
from pytest_promptgate.core.types import Outcome
from pytest_promptgate.reports.top import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.false_alarms import FalseAlarms
    from pytest_promptgate.core.self_trial import MetricTrial, SelfTrial

_HEADER = ("metric", "first", "second", "flip rate", "95 % interval", "verdict")


def self_trial_lines(trial: SelfTrial) -> list[str]:
    """A table with a line per metric, and how to read it."""
    rule, alarms = trial.plan.suite.rule, trial.alarms
    rows = [(*_HEADER, f"false alarms: {rule}", "lower fails"), *(_row(each, alarms) for each in trial.metrics)]
    if alarms is not None and len(alarms.by_rule) > 1:
        rows.append((f"any of {len(alarms.by_rule)}", "", "", "", "", "", *_alarms(alarms)))
    lines = _columns(rows) if trial.metrics else []
    return [printable(line) for line in (*lines, *_notes(trial))]


def self_trial_sentences(trial: SelfTrial) -> list[str]:
    """The same for a page that has no table for it: a sentence per metric."""
    told = [f"{each.name} held against itself: {_told(each, trial.alarms)}" for each in trial.metrics]
    return [printable(line) for line in (*told, *_notes(trial))]


def _told(metric: MetricTrial, alarms: FalseAlarms | None) -> str:
    low, high = metric.interval
    counted = alarms is not None and metric.name in alarms.by_rule
    often = f"; false alarms: {_alarms(alarms, metric.name)[0]} of runs" if counted and alarms else ""
    values = f"{number(metric.verdict.baseline)}, then {number(metric.verdict.current)} ({_verdict(metric)})"
    return f"{values}; flip rate {_percent(metric.flip_rate)}, at 95 % from {100 * low:.1f} to {_percent(high)}{often}"


def _row(metric: MetricTrial, alarms: FalseAlarms | None) -> tuple[str, ...]:
    low, high = metric.interval
    counted = alarms is not None and metric.name in alarms.by_rule
    return (
        metric.name,
        number(metric.verdict.baseline),
        number(metric.verdict.current),
        _percent(metric.flip_rate),
        f"{100 * low:.1f} to {_percent(high)}",
        _verdict(metric),
        *(_alarms(alarms, metric.name) if counted and alarms else ("not gated", "")),
    )


def _alarms(alarms: FalseAlarms, metric: str = "") -> tuple[str, str]:
    rule = alarms.by_rule[metric] if metric else alarms.rule
    plain = alarms.by_plain[metric] if metric else alarms.plain
    return f"{'at most ' if alarms.bound and rule else ''}{_percent(rule)}", _percent(plain)


def _verdict(metric: MetricTrial) -> str:
    verdict = metric.verdict
    if not verdict.red:
        return str(verdict.outcome)
    if verdict.outcome is Outcome.REGRESSED and verdict.p is None:
        return "lower"
    return f"{verdict.outcome}: a false alarm"


def _notes(trial: SelfTrial) -> Iterator[str]:
    for each in trial.missing:
        yield f"{each.metric}: not measured: {each.reason}"
    if trial.metrics and not any(each.flip_rate for each in trial.metrics):
        yield f"flip rate 0: no score of {_cases(trial)} varied; as long as none does, any drop is real"
    elif trial.alarms is not None:
        yield "flip rate: the chance that a case scores differently when the same is asked again"
        yield "false alarms: how often a run fails in which nothing has changed,"
        yield f"  from {trial.alarms.draws} random deals of these answers into two runs"
        if trial.alarms.bound:
            alpha = _percent(trial.plan.suite.policy.alpha)
            yield f"  confirm: at most; of the runs that come out lower, asking again fails {alpha} or fewer"
    for name, rubric in rubrics_of(trial.plan.suite).items():
        command = f"promptgate calibrate {rubric.path} --labels LABELS.csv --repeats 5"
        yield f"{name} gives the same text the same verdict; how far its judge wavers over one text tells: {command}"
    if trial.partial:
        yield f"{trial.partial}: the flip rates are not remembered"


def _cases(trial: SelfTrial) -> str:
    count = max(each.cases for each in trial.metrics)
    return f"{count} case{'s' if count != 1 else ''}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
