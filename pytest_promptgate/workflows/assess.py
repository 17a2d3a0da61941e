"""From results to a report: measured, held against the baseline, and told what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import allows_dataset, let_pass
from pytest_promptgate.core.anchor import Side, since_anchor
from pytest_promptgate.core.budget import priced_baseline
from pytest_promptgate.core.differences import differences, promises
from pytest_promptgate.core.gate import GateInput
from pytest_promptgate.core.judgement import judge_all
from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.ratchet import held_to_anchor
from pytest_promptgate.core.recorded import records
from pytest_promptgate.core.types import Baseline, Case, Report, Result, SliceMeasurement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import Aggregate, Price
    from pytest_promptgate.core.types import Acceptance, Verdict


def assess(
    plan: Plan,
    results: Sequence[Result],
    *,
    baseline: Baseline | None,
    selection: Set[str] | None,
    partial: str,
    price: Price | None,
    aggregates: Mapping[str, Aggregate],
    notes: Sequence[str] = (),
    acceptances: Sequence[Acceptance] = (),
    standing: Sequence[Verdict] = (),
    rescored: Baseline | None = None,
) -> Report:
    """Measure and judge one suite and slot.

    Args:
        plan: Of the whole suite.
        results: One per trial of the selection, in trial order.
        baseline: What production scored; None if nobody knows.
        selection: Ids of the cases of a partial run; None if the run is complete.
        partial: Why the run is not complete, for people; "" if it is.
        price: Today's price of the baseline's model: both sides' costs are computed with today's prices.
        aggregates: Those that plugins offer.
        notes: What is to be told once beside the verdicts.
        acceptances: What may be let pass in this step.
        standing: Red verdicts of other origin, known before anything was asked.
        rescored: The baseline as today's scorers see it, if they have changed and its answers are at hand.
    """
    suite = plan.suite
    seen = rescored or baseline
    known = None if seen is None else priced_baseline(seen, price)
    observations = [result.observation for result in results]
    changes = differences(suite, plan.pin, baseline)
    given = GateInput(
        suite=suite,
        baseline=known,
        results=results,
        selection=selection,
        aggregates=aggregates,
        dataset_accepted=allows_dataset(acceptances),
    )
    recorded = known if baseline is None or seen is baseline else priced_baseline(baseline, price)
    judged = (*_held(given, recorded), *promises(suite, known), *standing)
    verdicts = let_pass(judged, acceptances)
    return Report(
        suite=suite,
        slot=plan.slot,
        pin=plan.pin,
        results=tuple(results),
        measurements=tuple(measure(spec, observations, aggregates=aggregates) for spec in suite.metrics),
        verdicts=verdicts,
        differences=replace(
            changes, accepted=tuple(f"{each.metric}: {each.accepted}" for each in verdicts if each.accepted)
        ),
        baseline=known,
        partial=partial,
        slices=tuple(_slices(plan, results, aggregates)),
        notes=tuple(notes),
    )


def _held(given: GateInput, baseline: Baseline | None) -> Iterator[Verdict]:
    """Every verdict, held against the anchor where small losses may have added up.

    Args:
        given: With the baseline as today's scorers see it.
        baseline: As it is recorded.
    """
    verdicts, seen = judge_all(given), given.baseline
    if baseline is None or baseline.anchor is None or seen is None or given.selection is not None:
        yield from verdicts
        return
    now = Side(cases=records(given.results), scorers={each.name: each.fingerprint for each in given.suite.scorers})
    for spec, verdict in zip(given.suite.metrics, verdicts, strict=True):
        rescored = Side(cases=seen.cases, scorers=seen.scorers)
        since = since_anchor(spec, baseline, now, rescored=rescored, aggregates=given.aggregates)
        ruled = given.suite.rule == "strict" or (since is not None and since.linked)
        yield held_to_anchor(verdict, spec, baseline, since) if ruled else verdict


def _slices(plan: Plan, results: Sequence[Result], aggregates: Mapping[str, Aggregate]) -> Iterator[SliceMeasurement]:
    for column in plan.suite.slices:
        parts: dict[str, list[Result]] = {}
        for result in results:
            for value in _values(result.trial.case, column):
                parts.setdefault(value, []).append(result)
        for value, part in sorted(parts.items()):
            observations = [result.observation for result in part]
            for spec in plan.suite.metrics:
                measured = measure(spec, observations, aggregates=aggregates)
                yield SliceMeasurement(slice=f"{column}={value}", measured=measured)


def _values(case: Case, column: str) -> tuple[str, ...]:
    if column == "tags":
        return case.tags
    return (str(case.inputs[column]),) if column in case.inputs else ()
