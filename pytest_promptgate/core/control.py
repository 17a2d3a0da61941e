"""A contemporaneous control: production asked in the same run, so that a provider's bad day is nobody's fault.

The run is then held against production's answers of this run. Where only a latency is gated, no more than their
latencies replace the stored ones: a latency belongs to the hour, not to the prompt (GATE §5, DECISIONS 14).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.anchor import since_anchor
from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.comparison import compare
from pytest_promptgate.core.confirmation import Arm, NotRetried
from pytest_promptgate.core.findings import WIDTH, Finding, numbers
from pytest_promptgate.core.gate import MOST_LOST, Standing, decided
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.recorded import records, side_of
from pytest_promptgate.core.types import Errored, Measurement, Outcome, Shift, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Baseline, CaseRecord, Control, MetricSpec, Result, Suite, Verdict
    from pytest_promptgate.core.weighing import Weighed

LATENCY = "latency_s"


def gated_latencies(suite: Suite) -> tuple[str, ...]:
    """The gated metrics that read a latency: both prompts have to be timed side by side for them."""
    return tuple(spec.name for spec in suite.judged if spec.source == LATENCY and suite.gates[spec.name].gated)


def held_metrics(suite: Suite, *, timing: bool) -> frozenset[str]:
    """What is held against a control: everything, or the latencies."""
    return frozenset(spec.name for spec in suite.judged if not timing or spec.source == LATENCY)


def held_against(baseline: Baseline, control: Control, suite: Suite) -> Baseline:
    """What a run is held against: `baseline` as production answered in this run.

    Cases that production was not asked (gone, edited, not selected) stay as they are recorded: they still count where
    coverage is looked at.
    """
    answers = (*control.results, *control.shared)
    if control.timing:
        return replace(baseline, cases={**baseline.cases, **_timed(baseline.cases, answers)})
    asked = {each.trial.case.id for each in answers}
    stored = {key: answer for key, answer in baseline.outputs.items() if key[0] not in asked}
    fresh = {(each.trial.case.id, each.trial.sample): each.completion for each in answers}
    return replace(
        baseline,
        scorers={**baseline.scorers, **{bound.name: bound.fingerprint for bound in suite.scorers}},
        cases={**baseline.cases, **records(answers)},
        outputs={**stored, **{key: answer for key, answer in fresh.items() if answer is not None}},
    )


def _timed(cases: Mapping[str, CaseRecord], answers: Sequence[Result]) -> dict[str, CaseRecord]:
    latencies = {(each.trial.case.id, each.trial.sample): each.observation.latency_s for each in answers}
    return {
        case: replace(
            cases[case],
            observations=tuple(
                replace(each, latency_s=latencies.get((case, each.sample))) for each in cases[case].observations
            ),
        )
        for case in {case for case, _ in latencies}
    }


def unanswered(control: Control) -> str:
    """Why too little is known of production to compare with it; "" if it answered."""
    if control.missing:
        return control.missing
    grades = [[*each.observation.grades.values()] for each in control.results]
    skipped = [each for found in grades for each in found if isinstance(each, Skipped)]
    failed = [first for found in grades if (first := next((g for g in found if isinstance(g, Errored)), None))]
    total = len(control.results) + len(control.shared)
    if skipped:
        count = sum(any(isinstance(each, Skipped) for each in found) for found in grades)
        return f"production was not asked {count} of {total} trials: {one_line(skipped[0].reason, width=WIDTH)}"
    if len(failed) > MOST_LOST * total + EPSILON:
        why = one_line(failed[0].message.partition("\n")[0], width=WIDTH)
        return f"production could not answer {len(failed)} of {total} trials, more than 2 %: {why}"
    return ""


def checked(weighed: Weighed, control: Control) -> Weighed:
    """`weighed`, its metrics inconclusive where the control has too few answers for them."""
    why = unanswered(control)
    if not why:
        return weighed
    specs = weighed.given.suite.judged
    stands = tuple(
        _inconclusive(each, why, weighed) if spec.name in control.metrics else each
        for spec, each in zip(specs, weighed.stands, strict=True)
    )
    return replace(weighed, stands=stands)


def _inconclusive(stand: Standing | Verdict, why: str, weighed: Weighed) -> Standing | Verdict:
    if isinstance(stand, Standing):
        reason = f"{stand.spec.name} cannot be judged: {why}"
        return decided(stand, Finding(outcome=Outcome.INCONCLUSIVE, reason=reason), weighed.given)
    if stand.outcome is Outcome.INCONCLUSIVE:
        return replace(stand, reason=f"{stand.reason}; {why}")
    return stand


def shifts(
    control: Control, baseline: Baseline, suite: Suite, *, aggregates: Mapping[str, Aggregate]
) -> Iterator[Shift]:
    """Where production is no longer what its baseline says, metric by metric.

    Args:
        baseline: As it is recorded, costs by today's prices.
    """
    answers = (*control.results, *control.shared)
    cases = {each.trial.case.id for each in answers}
    for spec in suite.metrics:
        if spec.name not in control.metrics or not _means_the_same(spec, baseline, suite):
            continue
        found = compare(spec, baseline, answers, selection=cases, aggregates=aggregates)
        before, after = found.before, found.after
        if not isinstance(before, Measurement) or not isinstance(after, Measurement):
            continue
        if abs(after.value - before.value) > EPSILON:
            yield Shift(metric=spec.name, recorded=before.value, now=after.value)


def _means_the_same(spec: MetricSpec, baseline: Baseline, suite: Suite) -> bool:
    if baseline.contract.metrics.get(spec.name) != spec.expression:
        return False
    fingerprints = {bound.name: bound.fingerprint for bound in suite.scorers}
    return spec.source in OBSERVABLES or baseline.scorers.get(spec.source) == fingerprints.get(spec.source)


def shift_text(shift: Shift) -> str:
    """``accuracy: stored baseline 0.900, control 0.840: the provider has moved by -0.060``."""
    before, after = numbers(shift.recorded, shift.now)
    change = numbers(shift.now - shift.recorded)[0]
    sign = "+" if shift.now > shift.recorded else ""
    return f"{shift.metric}: stored baseline {before}, control {after}: the provider has moved by {sign}{change}"


def anchor_notes(weighed: Weighed, baseline: Baseline, control: Control) -> Iterator[str]:
    """The losses since the anchor that are not tested, because nobody has asked it today.

    Args:
        baseline: As it is recorded.
    """
    given, retrial = weighed.given, weighed.stage2.get(Arm.ANCHOR)
    asked = given.suite.rule == "confirm" and not (isinstance(retrial, NotRetried) and retrial.outcome is None)
    if baseline.anchor is None or given.selection is not None or control.timing or asked:
        return
    now = side_of(given.suite, given.results)
    for spec in given.suite.metrics:
        since = since_anchor(spec, baseline, now, aggregates=given.aggregates)
        if since is not None and since.change < -EPSILON and given.suite.gates[spec.name].gated:
            lost = numbers(since.change)[0]
            anchor = baseline.anchor.prompt
            yield f"{spec.name}: {lost} since the anchor {anchor}, whose answers are of another day: told, not tested"
