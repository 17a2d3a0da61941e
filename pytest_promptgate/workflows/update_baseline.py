"""From a finished run to new baselines: whether a suite may write its own, and what it writes (DECISIONS 17)."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import ACCEPTABLE, DATASET, carried
from pytest_promptgate.core.anchor import Side, moved_anchor
from pytest_promptgate.core.contract import contract_of
from pytest_promptgate.core.pairs import at_par, comparers
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.recorded import records, side_of
from pytest_promptgate.core.rise import Rise
from pytest_promptgate.core.types import (
    Baseline,
    Errored,
    Outcome,
    Recipe,
    Score,
    Skipped,
    Unmeasured,
    Unscored,
)
from pytest_promptgate.workflows.baseline_changes import lockfile_diff

__all__ = ["baseline_of", "lockfile_diff", "refusal", "succeeding"]

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Completion, Report, Result, Verdict

MOST_UNSCORED = 0.02  # share of the trials, per scorer
NO_RISE = Rise()
_NONE: Mapping[str, Aggregate] = MappingProxyType({})
_NAMED = 3  # gates or cases that a refusal spells out
_WIDTH = 200  # characters of each reason


def baseline_of(report: Report) -> Baseline:
    """What a finished, complete run leaves for the lockfile; ask `refusal` first.

    Trials that the old baseline stood for keep its scores, and its outputs as far as they are at hand.
    """
    suite = report.suite
    prompt = replace(suite.prompt, pin=report.pin, description="", owner="", source="", path="")
    return Baseline(
        suite=suite.name,
        slot=report.slot,
        prompt=suite.prompt.label,
        prompt_digest=suite.prompt.digest,
        pin=report.pin,
        scorers={scorer.name: scorer.fingerprint for scorer in suite.scorers},
        contract=contract_of(suite),
        cases=at_par(records(report.results, {scorer.name for scorer in suite.scorers}), comparers(suite)),
        messages=suite.prompt.messages,
        outputs=dict(_outputs(report)) if suite.outputs else {},
        recipe=Recipe(prompt=prompt, inputs=suite.inputs, constants=suite.constants),
    )


def succeeding(
    report: Report, old: Baseline | None, *, rise: Rise = NO_RISE, aggregates: Mapping[str, Aggregate] = _NONE
) -> Baseline:
    """`baseline_of` a run that replaces `old`, with what was accepted on the way and the anchor (GATE §6).

    Args:
        report: Of a finished, complete run.
        old: What the lockfile holds.
        rise: What moves the anchor up.
        aggregates: Those that plugins offer.
    """
    new = baseline_of(report)
    if old is None:
        return new
    specs, clusters = report.suite.judged, side_of(report.suite, report.results).clusters
    measured = {spec.name for spec in specs}
    restarts, reason = frozenset(rise.metrics), f"improved: {', '.join(sorted(rise.metrics))}" if rise.metrics else ""
    if fell := accepted_falls(report):
        restarts, reason = frozenset(measured), f"accepted: {fell[0].accepted}"
    seen = report.baseline
    rescored = None if seen is None else Side(cases=seen.cases, scorers=seen.scorers)
    anchor = moved_anchor(
        old,
        new,
        specs,
        restarts=restarts,
        reason=reason,
        fresh=None if fell else rise.cases,
        rescored=rescored,
        clusters=clusters,
        aggregates=aggregates,
    )
    return replace(new, accepted=carried(old, new, report.verdicts), anchor=anchor)


def accepted_falls(report: Report) -> list[Verdict]:
    """The metrics whose anchor goes down because somebody accepted that."""
    measured = {spec.name for spec in report.suite.judged}
    accepted = [each for each in report.verdicts if each.accepted and each.outcome in ACCEPTABLE]
    return [each for each in accepted if each.metric in measured]


def _outputs(report: Report) -> Iterator[tuple[tuple[str, int], Completion]]:
    stored = report.baseline.outputs if report.baseline else {}
    for result in report.results:
        key = (result.trial.case.id, result.trial.sample)
        completion = result.completion or stored.get(key)
        if completion is not None:
            yield key, completion


def refusal(report: Report, *, accept: str | None = None) -> str:
    """Why this run may not write the suite's baseline, in one line; "" if it may.

    Args:
        report: Of a finished run.
        accept: The reason for which the baseline may go down (``--accept-regression``); None or "" if it may not.
    """
    faults = _incomplete(report) or [*_failures(report), *_unscored(report)] or [*_unmeasured(report)]
    return "; ".join(faults or [*(() if accept else _must_pass(report)), *_red(report, accept)])


def _incomplete(report: Report) -> list[str]:
    if report.partial:
        return [f"the run is not complete: {report.partial}"]
    planned = len(report.suite.cases) * report.suite.samples
    if len(report.results) != planned:
        return [f"the run is not complete: {len(report.results)} of {planned} trials have a result"]
    return []


def _failures(report: Report) -> Iterator[str]:
    failed = [(result.trial.id, why) for result in report.results if (why := failure(result))]
    if failed:
        trial, why = failed[0]
        yield f"{len(failed)} of {len(report.results)} trials failed or were not asked, first {trial}: {why}"


def failure(result: Result) -> str:
    """Why one of the scores is missing for reasons that are not the answer's; "" if none is."""
    for grade in result.observation.grades.values():
        if isinstance(grade, Errored):
            return one_line(grade.message.partition("\n")[0], width=_WIDTH)
        if isinstance(grade, Skipped):
            return one_line(grade.reason, width=_WIDTH)
    return "" if result.observation.grades else "it has no scores"


def _unscored(report: Report) -> Iterator[str]:
    total = len(report.results)
    for scorer in report.suite.scorers:
        count = sum(isinstance(each.observation.grades.get(scorer.name), Unscored) for each in report.results)
        if count == total:
            yield f"{scorer.name} scored nothing"
        elif count > MOST_UNSCORED * total:
            yield f"{scorer.name} could not score {count} of {total} trials, and at most {MOST_UNSCORED:.0%} may be so"


def _unmeasured(report: Report) -> Iterator[str]:
    for measured in report.measurements:
        gate = report.suite.gates.get(measured.metric)
        if isinstance(measured, Unmeasured) and (gate is None or gate.gated):
            yield f"{measured.metric} was not measured: {one_line(measured.reason, width=_WIDTH)}"


def _must_pass(report: Report) -> Iterator[str]:
    failed = {
        result.trial.case.id
        for rule in report.suite.must_pass
        for result in report.results
        if result.trial.case.id in rule.cases and not _passes(result, rule.scorers, rule.pass_at)
    }
    if failed:
        yield f"must_pass failed: {', '.join(sorted(failed)[:_NAMED])}{_more(len(failed))}"


def _passes(result: Result, scorers: tuple[str, ...], pass_at: float) -> bool:
    grades = [result.observation.grades.get(name) for name in scorers]
    return all(isinstance(grade, Score) and grade.value >= pass_at for grade in grades)


def _red(report: Report, accept: str | None) -> Iterator[str]:
    # A gate that is red for the want of a baseline is what this run is about to mend.
    red = [each for each in report.verdicts if each.red and each.outcome is not Outcome.NEW]
    if accept:
        red = [each for each in red if each.metric == DATASET or each.outcome not in ACCEPTABLE]
    named = ", ".join(
        f"{each.metric} is {each.outcome} ({one_line(each.reason, width=_WIDTH)})" for each in red[:_NAMED]
    )
    if red:
        yield f"{named}{_more(len(red))}"


def _more(count: int) -> str:
    return f" … and {count - _NAMED} more" if count > _NAMED else ""
