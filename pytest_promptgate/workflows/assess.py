"""From results to reports: measured, held against the baseline, and told what differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import allows_dataset, let_pass
from pytest_promptgate.core.anchor import Side, since_anchor
from pytest_promptgate.core.budget import priced_baseline
from pytest_promptgate.core.control import anchor_notes, checked, held_against, shifts
from pytest_promptgate.core.differences import differences
from pytest_promptgate.core.gate import Course, GateInput
from pytest_promptgate.core.idle_gates import idle_notes
from pytest_promptgate.core.judgement import conclude
from pytest_promptgate.core.metrics import known_aggregates, measure
from pytest_promptgate.core.promises import promises
from pytest_promptgate.core.ratchet import held_to_anchor
from pytest_promptgate.core.recorded import side_of
from pytest_promptgate.core.sliced import sliced
from pytest_promptgate.core.types import Baseline, Report, Result
from pytest_promptgate.core.weighing import Weighed, undecided, weigh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from pytest_promptgate.core.noise import Noise
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import Aggregate, Price
    from pytest_promptgate.core.types import Acceptance, Control, Differences, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One suite and slot, measured and weighed; what is still to come are the verdicts."""

    plan: Plan
    weighed: Weighed
    baseline: Baseline | None  # as it is recorded, at today's prices
    differences: Differences
    partial: str  # why the run is not complete, for people; "" if it is
    notes: tuple[str, ...]  # what is to be told once beside the verdicts
    acceptances: tuple[Acceptance, ...]
    standing: tuple[Verdict, ...]
    control: Control | None = None  # production, if it was asked in the same run

    @property
    def given(self) -> GateInput:
        """What the verdicts are about."""
        return self.weighed.given


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
    control: Control | None = None,
    course: Course | None = None,
    noise: Mapping[str, Noise] = MappingProxyType({}),
) -> Assessment:
    """Measure and weigh one suite and slot.

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
        control: Production, if it was asked in the same run: its answers then take the place of the stored ones.
        course: How the run went, if it did not ask everything.
        noise: What ``--prompt-aa`` measured, by metric.
    """
    seen = rescored or baseline
    known = _known(plan, seen, control, price)
    recorded = known if baseline is None or (seen is baseline and not control) else priced_baseline(baseline, price)
    given = GateInput(
        suite=plan.suite,
        baseline=known,
        results=results,
        selection=selection,
        aggregates=aggregates,
        dataset_accepted=allows_dataset(acceptances),
        controlled=control.metrics if control else frozenset(),
        course=course or Course(),
        noise=noise,
    )
    found = Assessment(
        plan=plan,
        weighed=weigh(given),
        baseline=recorded,
        differences=differences(plan.suite, plan.pin, baseline),
        partial=partial,
        notes=tuple(notes),
        acceptances=tuple(acceptances),
        standing=tuple(standing),
    )
    return found if control is None else _controlled(found, control)


def _known(plan: Plan, seen: Baseline | None, control: Control | None, price: Price | None) -> Baseline | None:
    """What the run is held against, at today's prices."""
    if seen is not None and control is not None:
        seen = held_against(seen, control, plan.suite)
    return None if seen is None else priced_baseline(seen, price)


def _controlled(assessment: Assessment, control: Control) -> Assessment:
    baseline, given = assessment.baseline, assessment.given
    moved = shifts(control, baseline, given.suite, aggregates=given.aggregates) if baseline is not None else ()
    weighed = checked(assessment.weighed, control)
    return replace(assessment, weighed=weighed, control=replace(control, shifts=tuple(moved)))


def doubting(assessment: Assessment, unreliable: Mapping[str, str]) -> Assessment:
    """The same, in which no metric of an unreliable scorer can be judged; `unreliable` as for `undecided`."""
    return replace(assessment, weighed=undecided(assessment.weighed, unreliable)) if unreliable else assessment


def reports(run: Sequence[Assessment]) -> tuple[Report, ...]:
    """Judge suites together: those that go by tests share the run's level (`core.judgement`)."""
    concluded = conclude([each.weighed for each in run])
    return tuple(_report(each, verdicts) for each, verdicts in zip(run, concluded, strict=True))


def _report(assessment: Assessment, verdicts: Sequence[Verdict]) -> Report:
    plan, given = assessment.plan, assessment.given
    observations = [result.observation for result in given.results]
    held = _held(given, assessment.baseline, verdicts)
    judged = (*held, *promises(plan.suite, given.baseline), *assessment.standing)
    passed = let_pass(judged, assessment.acceptances)
    accepted = tuple(f"{each.metric}: {each.accepted}" for each in passed if each.accepted)
    measured = tuple(measure(spec, observations, aggregates=given.aggregates) for spec in plan.suite.judged)
    return Report(
        suite=plan.suite,
        slot=plan.slot,
        pin=plan.pin,
        results=tuple(given.results),
        measurements=measured,
        verdicts=passed,
        differences=replace(assessment.differences, accepted=accepted),
        baseline=given.baseline,
        partial=assessment.partial,
        slices=tuple(sliced(assessment.weighed)),
        notes=(*assessment.notes, *idle_notes(plan.suite, measured), *_untested(assessment)),
        control=assessment.control,
    )


def _untested(assessment: Assessment) -> Iterator[str]:
    if assessment.control is not None and assessment.baseline is not None:
        yield from anchor_notes(assessment.weighed, assessment.baseline, assessment.control)


def _held(given: GateInput, baseline: Baseline | None, verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
    """Every verdict, held against the anchor where small losses may have added up.

    Args:
        given: With the baseline as today's scorers see it.
        baseline: As it is recorded.
        verdicts: In the order of what the suite judges.
    """
    seen = given.baseline
    if baseline is None or baseline.anchor is None or seen is None or given.selection is not None:
        yield from verdicts
        return
    now = side_of(given.suite, given.results)
    for spec, verdict in zip(given.suite.judged, verdicts, strict=True):
        rescored = Side(cases=seen.cases, scorers=seen.scorers)
        since = since_anchor(spec, baseline, now, rescored=rescored, aggregates=given.aggregates)
        untested = given.suite.rule == "strict" or spec.aggregate not in known_aggregates()
        ruled = (untested or (since is not None and since.linked)) and spec.name not in given.controlled
        yield held_to_anchor(verdict, spec, baseline, since) if ruled else verdict
