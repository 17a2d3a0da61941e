"""What an update changes in a baseline, in lines for people."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import told
from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.recorded import recorded_metrics
from pytest_promptgate.core.types import Score, Unscored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.recorded import Figures
    from pytest_promptgate.core.types import Baseline, CaseRecord, Contract, Grade, Json, MetricGate

_NAMED = 10  # names per line; the rest is counted


def lockfile_diff(
    old: Baseline | None, new: Baseline, *, aggregates: Mapping[str, Aggregate] = MappingProxyType({})
) -> tuple[str, ...]:
    """What differs in the lockfile: metrics first, then where they come from, then cases; empty if nothing does."""
    if old is None:
        return (
            f"new baseline: {new.prompt} on {new.pin}, {_count(len(new.cases), 'case')}",
            *(f"{metric}: {_figure(figures)}" for metric, figures in _measured(new, aggregates)),
        )
    return (
        *_metrics(old, new, aggregates),
        *_sources(old, new),
        *_named("scorer", old.scorers, new.scorers),
        *_contract(old, new),
        *_anchor(old, new),
        *_accepted(old, new),
        *_cases(old, new),
    )


def _measured(baseline: Baseline, aggregates: Mapping[str, Aggregate]) -> Iterable[tuple[str, Figures | None]]:
    return sorted(recorded_metrics(baseline, aggregates=aggregates).items())


def _metrics(old: Baseline, new: Baseline, aggregates: Mapping[str, Aggregate]) -> Iterator[str]:
    before = dict(_measured(old, aggregates))
    after = dict(_measured(new, aggregates))
    for metric in sorted(before.keys() | after.keys()):
        if metric not in after:
            yield f"{metric}: removed, was {_figure(before[metric])}"
        elif metric not in before:
            yield f"{metric}: new, {_figure(after[metric])}"
        elif before[metric] != after[metric]:
            yield f"{metric}: {_figure(before[metric])} -> {_figure(after[metric])}"
    for metric, expression in sorted(new.contract.metrics.items()):
        was = old.contract.metrics.get(metric, expression)
        if was != expression:
            yield f"{metric}: measured as {was} -> {expression}"


def _figure(figures: Figures | None) -> str:
    if figures is None:
        return "not recorded"
    value = "nothing scored" if figures.value is None else f"{figures.value:.6g}"
    return f"{value} (n={figures.scored}{f', {figures.unscored} unscored' if figures.unscored else ''})"


def _sources(old: Baseline, new: Baseline) -> Iterator[str]:
    if old.prompt != new.prompt:
        yield f"prompt: {old.prompt} -> {new.prompt}"
    elif old.prompt_digest != new.prompt_digest:
        yield f"prompt: {new.prompt} was edited in place"
    if str(old.pin) != str(new.pin):
        yield f"model: {old.pin} -> {new.pin}"
    yield from _values("parameter", old.pin.parameters, new.pin.parameters)


def _values(label: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new or old[name] != new[name]:
            yield f"{label} {name}: {old.get(name, 'not set')} -> {new.get(name, 'not set')}"


def _named(label: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"{label} {name}: removed"
        elif name not in old:
            yield f"{label} {name}: new"
        elif old[name] != new[name]:
            yield f"{label} {name}: changed"


def _contract(old: Baseline, new: Baseline) -> Iterator[str]:
    before, after = old.contract, new.contract
    facts = {"path": (before.path, after.path), "rule": (before.rule, after.rule)}
    facts["samples"] = (str(before.samples), str(after.samples))
    yield from (f"{name}: {was} -> {now}" for name, (was, now) in facts.items() if was != now)
    for metric in sorted(before.gates.keys() & after.gates.keys()):
        if before.gates[metric] != after.gates[metric]:
            yield f"gate {metric}: {_gate(before.gates[metric])} -> {_gate(after.gates[metric])}"
    for part in sorted((before.gates.keys() ^ after.gates.keys()) - before.metrics.keys() - after.metrics.keys()):
        yield f"gate {part}: {'new' if part in after.gates else 'removed'}"
    for part in sorted(before.slices.keys() & after.slices.keys()):
        yield from _listed(f"no longer in {part}", set(before.slices[part]) - set(after.slices[part]))
    yield from _values("gate", asdict(before.policy), asdict(after.policy))
    yield from _values("direction", before.directions, after.directions)
    otherwise = {case for case in before.must_reach.keys() | after.must_reach.keys() if _reach(before, after, case)}
    yield from _listed("must_pass otherwise", otherwise & set(before.must_pass) & set(after.must_pass))
    yield from _listed("no longer must_pass", set(before.must_pass) - set(after.must_pass))
    yield from _listed("now must_pass", set(after.must_pass) - set(before.must_pass))


def _anchor(old: Baseline, new: Baseline) -> Iterator[str]:
    before, after = anchor_of(old), anchor_of(new)
    # That a baseline goes on being its own anchor is no news, and neither is an anchor that stays.
    if new.anchor is None and old.anchor is not None:
        yield f"anchor: {before.prompt} -> {new.prompt}"
    elif new.anchor is not None and (before.prompt, before.reason) != (after.prompt, after.reason):
        yield f"anchor: {before.prompt} -> {after.prompt} ({after.reason})"


def _accepted(old: Baseline, new: Baseline) -> Iterator[str]:
    known = {told(each) for each in old.accepted}
    yield from (f"accepted {line}" for line in map(told, new.accepted) if line not in known)


def _reach(before: Contract, after: Contract, case: str) -> bool:
    return before.must_reach.get(case) != after.must_reach.get(case)


def _gate(gate: MetricGate) -> str:
    floor = "" if gate.floor is None else f", floor {gate.floor:g}"
    return f"tolerance {gate.tolerance}{floor}" if gate.gated else f"report only{floor}"


def _cases(old: Baseline, new: Baseline) -> Iterator[str]:
    common = old.cases.keys() & new.cases.keys()
    yield from _listed("added", new.cases.keys() - old.cases.keys())
    yield from _listed("removed", old.cases.keys() - new.cases.keys())
    edited = {case for case in common if old.cases[case].row != new.cases[case].row}
    yield from _listed("edited", edited)
    moved = {case: _scores(old.cases[case], new.cases[case]) for case in common - edited}
    yield from _listed("scored otherwise", {case: change for case, change in moved.items() if change})
    same = {case for case, change in moved.items() if not change}
    answered = {case for case in same if _outputs(old.cases[case]) != _outputs(new.cases[case])}
    yield from _listed("answered otherwise with the same scores", answered)
    asked = {case for case in same - answered if old.cases[case].request != new.cases[case].request}
    yield from _listed("asked otherwise with the same answers", asked)


def _scores(old: CaseRecord, new: CaseRecord) -> str:
    """``queue 1 -> 0``, for every scorer that both lines have."""
    names = sorted(old.observations[0].grades.keys() & new.observations[0].grades.keys())
    pairs = [(name, _grades(old, name), _grades(new, name)) for name in names]
    return ", ".join(f"{name} {was} -> {now}" for name, was, now in pairs if was != now)


def _grades(record: CaseRecord, scorer: str) -> str:
    return "/".join(_grade(each.grades.get(scorer)) for each in record.observations)


def _grade(grade: Grade | None) -> str:
    if isinstance(grade, Score):
        return f"{grade.value:g}"
    return "unscored" if isinstance(grade, Unscored) else "none"


def _outputs(record: CaseRecord) -> list[str]:
    return [each.output for each in record.observations]


def _listed(label: str, cases: Iterable[str]) -> Iterator[str]:
    """``3 cases edited: t-001, t-002, t-003``; in brackets what `cases` maps them to, if it does."""
    notes: Mapping[str, str] = cases if isinstance(cases, dict) else {}
    names = sorted(cases)
    if names:
        shown = ", ".join(f"{name} ({notes[name]})" if name in notes else name for name in names[:_NAMED])
        more = f", … and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{_count(len(names), 'case')} {label}: {shown}{more}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
