"""What became of the metrics from run to run: one entry per suite and slot of each complete run.

The format of `promptgate.history.jsonl`, one JSON object a line (docs/ci.md describes it for users)::

    {"accepted": [], "at": "2026-11-23T02:00:07Z", "commit": "1f3c…", "history_version": 1,
     "metrics": {"accuracy": {"high": 0.93, "low": 0.79, "n": 66, "value": 0.877, "verdict": "unchanged"}},
     "model": "openai/gpt-4o-2024-11-20", "prompt": "support-triage@v3", "served": ["gpt-4o-2024-11-20"],
     "series": "baseline", "slot": "default", "suite": "triage"}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_promptgate.core.spread import mean_interval
from pytest_promptgate.core.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_promptgate.core.types import Json, Report

VERSION = 1


class Series(StrEnum):
    """Runs that belong into one curve."""

    BASELINE = "baseline"  # answers are kept: what changes is the project's own doing
    DRIFT = "drift"  # everything is asked anew (--prompt-refresh): what changes may be the provider's doing


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One metric of one run, over all of its scored trials."""

    value: float  # in the metric's own unit
    n: int  # scored trials
    interval: tuple[float, float] | None = None  # of a mean or rate of scores, at 95 %
    verdict: str = ""  # "": it is not gated


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One suite and slot of one complete run."""

    suite: str
    slot: str
    series: Series
    at: str  # "2026-11-23T02:00:07Z", when the run ended
    commit: str  # full id; "" outside of Git
    prompt: str  # label
    model: str  # the pin
    served: tuple[str, ...]  # as the provider named it in the answers of this run, sorted
    metrics: Mapping[str, Point]  # those of which anything was scored
    accepted: tuple[str, ...] = field(default=())  # "accuracy: why"


def entry_of(report: Report, *, series: Series, at: str, commit: str) -> Entry:
    """The entry of one report."""
    specs = {each.name: each for each in report.suite.metrics}
    verdicts = {each.metric: str(each.outcome) for each in report.verdicts if each.gated}
    named = {each.completion.served_model for each in report.results if each.completion is not None}
    return Entry(
        suite=report.suite.name,
        slot=report.slot,
        series=series,
        at=at,
        commit=commit,
        prompt=report.suite.prompt.label,
        model=str(report.pin),
        served=tuple(sorted(named - {""})),
        metrics={
            each.metric: Point(
                value=each.value,
                n=each.books.scored,
                interval=mean_interval(specs[each.metric], report.results) if each.metric in specs else None,
                verdict=verdicts.get(each.metric, ""),
            )
            for each in report.measurements
            if isinstance(each, Measurement)
        },
        accepted=report.differences.accepted,
    )


def incomplete(report: Report) -> str:
    """Why a report is no point of a curve; "" if it is one."""
    if report.partial:
        return report.partial
    missing = sum(each.books.skipped + each.books.errored for each in report.measurements)
    return "not every case was answered and scored" if missing or not report.measurements else ""


def written(entry: Entry) -> Json:
    """`entry` as its line holds it."""
    return {
        "history_version": VERSION,
        "suite": entry.suite,
        "slot": entry.slot,
        "series": str(entry.series),
        "at": entry.at,
        "commit": entry.commit,
        "prompt": entry.prompt,
        "model": entry.model,
        "served": list(entry.served),
        "metrics": {name: _point(each) for name, each in entry.metrics.items()},
        "accepted": list(entry.accepted),
    }


def _point(point: Point) -> dict[str, Json]:
    low, high = point.interval or (None, None)
    return {"value": point.value, "n": point.n, "low": low, "high": high, "verdict": point.verdict}


def read(value: Json) -> Entry:
    """The entry that a line holds.

    Raises:
        ValueError: It holds none, or one of a newer version.
    """
    if not isinstance(value, Mapping):
        raise ValueError("it is no JSON object")
    version = value.get("history_version")
    if version != VERSION:
        raise ValueError(f"history_version is {version!r}, and this is known: {VERSION}")
    try:
        return _entry(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it lacks something, or has it otherwise: {error}") from None


def _entry(value: Mapping[str, Json]) -> Entry:
    metrics = value["metrics"]
    if not isinstance(metrics, Mapping):
        raise TypeError("'metrics'")
    return Entry(
        suite=_text(value, "suite"),
        slot=_text(value, "slot"),
        series=Series(_text(value, "series")),
        at=_text(value, "at"),
        commit=_text(value, "commit"),
        prompt=_text(value, "prompt"),
        model=_text(value, "model"),
        served=_texts(value, "served"),
        metrics={str(name): _read_point(each) for name, each in metrics.items()},
        accepted=_texts(value, "accepted"),
    )


def _read_point(value: Json) -> Point:
    if not isinstance(value, Mapping):
        raise TypeError("a metric")
    low, high = value.get("low"), value.get("high")
    return Point(
        value=_number(value["value"]),
        n=int(_number(value["n"])),
        interval=None if low is None or high is None else (_number(low), _number(high)),
        verdict=str(value.get("verdict", "")),
    )


def _text(value: Mapping[str, Json], key: str) -> str:
    found = value[key]
    if not isinstance(found, str):
        raise TypeError(repr(key))
    return found


def _texts(value: Mapping[str, Json], key: str) -> tuple[str, ...]:
    found = value[key]
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise TypeError(repr(key))
    return tuple(str(each) for each in found)


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("a number")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """All entries of one suite, slot and series, oldest first."""

    suite: str
    slot: str
    series: Series
    entries: tuple[Entry, ...]

    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics that were ever measured, those of the latest run first."""
        return tuple(dict.fromkeys(name for entry in reversed(self.entries) for name in entry.metrics))

    def points(self, metric: str) -> tuple[Point, ...]:
        """The metric's points, of the runs that measured it."""
        return tuple(entry.metrics[metric] for entry in self.entries if metric in entry.metrics)

    def marks(self) -> tuple[tuple[str, str], ...]:
        """(time, what happened): new prompt versions, models and accepted regressions, oldest first."""
        return tuple(self._marks())

    def _marks(self) -> Iterator[tuple[str, str]]:
        for index, now in enumerate(self.entries):
            if index and (before := self.entries[index - 1]).prompt != now.prompt:
                yield now.at, f"prompt {before.prompt} -> {now.prompt}"
            if index and before.model != now.model:
                yield now.at, f"model {before.model} -> {now.model}"
            if index and before.served and now.served and before.served != now.served:
                yield now.at, f"served by {', '.join(before.served)} -> {', '.join(now.served)}"
            known = before.accepted if index else ()
            yield from ((now.at, f"accepted: {reason}") for reason in now.accepted if reason not in known)


def curves(entries: Iterable[Entry]) -> tuple[Curve, ...]:
    """Curves by suite, slot and series. The order of `entries` does not matter, nor that some stand there twice."""
    found: dict[tuple[str, str, Series], list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: (each.at, each.commit)):
        same = found.setdefault((entry.suite, entry.slot, entry.series), [])
        if not same or same[-1] != entry:
            same.append(entry)
    return tuple(
        Curve(suite=suite, slot=slot, series=series, entries=tuple(same))
        for (suite, slot, series), same in sorted(found.items())
    )
