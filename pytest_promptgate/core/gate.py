"""Where one metric of one suite stands against its baseline: rows 0 and 1 of GATE §2.

`stand` finds out whether the data suffice, and returns a `Verdict` if they do not, or if no comparison is needed.
Otherwise the metric has a `Standing`, and `core.judgement` decides it together with the rest of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core import findings
from pytest_promptgate.core.changes import EPSILON, changed_cases
from pytest_promptgate.core.comparison import Comparison, compare
from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.findings import Finding
from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.observables import OBSERVABLES, grade
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.types import (
    Direction,
    Errored,
    Measurement,
    MetricGate,
    Outcome,
    Score,
    Skipped,
    Unmeasured,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.certainty import Stopped
    from pytest_promptgate.core.noise import Noise
    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Baseline, Measured, MetricSpec, Result, Suite

MOST_LOST = 0.02  # share of trials without a score, errored or unscored (DECISIONS 11)
LEAST_COVERED = 0.90  # share of the baseline's cases, inside the selection (GATE §2, DECISIONS 8)
RED = frozenset({Outcome.REGRESSED, Outcome.INCONCLUSIVE, Outcome.INCOMPARABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a run went that does not ask everything, or that looks while answers come in."""

    family: int = 1  # most hypotheses that the run may test (`certainty.most_questions`)
    stopped: Stopped | None = None  # nothing more was asked, since a failure was certain
    first_round: bool = False  # one sample of every case is to suffice


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInput:
    """One suite and slot after its run, and what it is held against."""

    suite: Suite
    baseline: Baseline | None  # costs by today's prices, see `budget.priced_baseline`
    results: Sequence[Result]  # in trial order
    selection: Set[str] | None = None  # ids of the cases of a partial run; None: all
    aggregates: Mapping[str, Aggregate] = field(default_factory=lambda: MappingProxyType({}))
    dataset_accepted: bool = False  # rows that are gone or edited were accepted: they leave the coverage
    course: Course = Course()
    controlled: frozenset[str] = frozenset()  # metrics whose baseline is of this very run; an anchor never is
    noise: Mapping[str, Noise] = field(default_factory=lambda: MappingProxyType({}))  # by metric, as measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A metric that can be compared: data suffice, floors hold, and both sides have a value."""

    spec: MetricSpec
    gate: MetricGate
    comparison: Comparison
    before: float
    after: float
    aggregates: Mapping[str, Aggregate] = field(default_factory=lambda: MappingProxyType({}))
    together: bool = False  # cases of a cluster are answered together

    @property
    def n(self) -> int:
        """Cases compared."""
        return len(self.comparison.pairs)

    def arms(self) -> Arms:
        """Baseline and run on the pairs."""
        sides = [
            Sides(case=pair.case.id, before=pair.before, after=pair.after, cluster=pair.case.cluster)
            for pair in self.comparison.pairs
        ]
        return arms_of(self.spec, sides, aggregates=self.aggregates, together=self.together)


def stand(spec: MetricSpec, given: GateInput) -> Standing | Verdict:
    """Find out whether a metric can be compared; a verdict if it cannot, or need not be."""
    gate = given.suite.gates.get(spec.name, MetricGate())
    current = measure(spec, [result.observation for result in given.results], aggregates=given.aggregates)
    if given.course.stopped is not None:
        return _stopped(spec, gate, given, current, given.course.stopped)
    if finding := _insufficient(spec, given, current):
        return _verdict(spec, gate, finding, current=current)
    if isinstance(current, Unmeasured):
        unasked = spec.part is not None and not current.books.planned
        finding = findings.unselected(spec) if unasked else findings.unmeasured(current)
        return _verdict(spec, gate, finding, current=current)
    floor = _beyond_floor(spec, gate, given, current)
    if given.baseline is None or spec.whole not in given.baseline.contract.metrics:
        return _verdict(spec, gate, floor or _new(spec, given, current), current=current)
    if why := _change_of_meaning(spec, given.suite, given.baseline):
        return _verdict(spec, gate, findings.incomparable(spec, why), current=current)
    selection = _selected(spec, given)
    comparison = compare(spec, given.baseline, given.results, selection=selection, aggregates=given.aggregates)
    finding = _uncompared(spec, gate, given, current, comparison)
    if floor and (finding is None or finding.outcome is Outcome.NEW):
        finding = floor
    if finding is None:
        before, after = comparison.before, comparison.after
        if isinstance(before, Measurement) and isinstance(after, Measurement):
            return Standing(
                spec=spec,
                gate=gate,
                comparison=comparison,
                before=before.value,
                after=after.value,
                aggregates=given.aggregates,
                together=given.suite.together,
            )
        finding = _valueless(before, after)
    return _verdict(spec, gate, finding, current=current, comparison=comparison, given=given)


def _stopped(spec: MetricSpec, gate: MetricGate, given: GateInput, current: Measured, stopped: Stopped) -> Verdict:
    """A certain failure; of a metric whose failure is not certain, nothing is known and nothing is red."""
    if spec.name not in stopped.certain:
        return replace(_verdict(spec, gate, findings.cut_short(spec, stopped.why), current=current), red=False)
    finding = Finding(outcome=Outcome.REGRESSED, reason=stopped.certain[spec.name])
    if given.baseline is None or spec.whole not in given.baseline.contract.metrics:
        return _verdict(spec, gate, finding, current=current)
    selection = _selected(spec, given)
    comparison = compare(spec, given.baseline, given.results, selection=selection, aggregates=given.aggregates)
    return _verdict(spec, gate, finding, current=current, comparison=comparison, given=given)


def decided(standing: Standing, finding: Finding, given: GateInput) -> Verdict:
    """The verdict of a metric that a rule has decided."""
    comparison = standing.comparison
    return _verdict(standing.spec, standing.gate, finding, current=comparison.after, comparison=comparison, given=given)


def _selected(spec: MetricSpec, given: GateInput) -> Set[str] | None:
    """Ids of the cases that the metric should have in this run; None: all of the suite."""
    if spec.part is None or given.selection is None:
        return given.selection if spec.part is None else spec.part.cases
    return given.selection & spec.part.cases


def _insufficient(spec: MetricSpec, given: GateInput, current: Measured) -> Finding | None:
    """This run's own books, whatever the baseline."""
    grades = [each for result in given.results for each in result.observation.grades.values()]
    for each in grades:
        if isinstance(each, Errored) and each.moved:
            return findings.incomparable(spec, one_line(each.message.partition("\n")[0], width=findings.WIDTH))
    selection = _selected(spec, given)
    wanted = given.suite.cases if selection is None else [c for c in given.suite.cases if c.id in selection]
    planned, books = len(wanted) * (1 if given.course.first_round else given.suite.samples), current.books
    missing = max(planned - books.planned, 0) + books.skipped
    if missing:
        why = next((each.reason for each in grades if isinstance(each, Skipped)), "")
        return findings.unasked(spec, missing=missing, planned=max(planned, books.planned), why=why)
    if books.scored and books.errored + books.unscored > MOST_LOST * books.planned + EPSILON:
        return findings.incomplete(spec, books)
    return None


def _beyond_floor(spec: MetricSpec, gate: MetricGate, given: GateInput, current: Measurement) -> Finding | None:
    if gate.floor is None:
        return None
    sign = 1 if spec.direction is Direction.HIGHER else -1
    if sign * (current.value - gate.floor) >= -EPSILON:
        return None
    return findings.beyond_floor(spec, current.value, gate.floor, n=_cases_scored(spec, given))


def _new(spec: MetricSpec, given: GateInput, current: Measurement) -> Finding:
    why = "there is no baseline yet" if given.baseline is None else "the baseline has no such metric"
    return findings.new(spec, current.value, n=_cases_scored(spec, given), why=why)


def _change_of_meaning(spec: MetricSpec, suite: Suite, baseline: Baseline) -> str:
    """Why the two numbers do not measure the same thing, or ""."""
    recorded = baseline.contract.metrics[spec.whole]
    if recorded != spec.expression:
        return f"it was {recorded} in the baseline, and is {spec.expression} now"
    if spec.source in OBSERVABLES:
        return ""
    fingerprints = {bound.name: bound.fingerprint for bound in suite.scorers}
    if spec.source in fingerprints and fingerprints[spec.source] == baseline.scorers.get(spec.source):
        return ""
    return f"its scorer {spec.source} has changed since the baseline, whose answers are not at hand to be scored anew"


def _uncompared(
    spec: MetricSpec, gate: MetricGate, given: GateInput, current: Measurement, comparison: Comparison
) -> Finding | None:
    n = _cases_scored(spec, given)
    if given.selection is not None and comparison.expected == 0:
        return findings.new(spec, current.value, n=n, why="none of the selected cases is in the baseline")
    if spec.part is not None and comparison.expected == 0:
        return findings.new(spec, current.value, n=n, why="none of its cases is in the baseline")
    if not gate.gated and not comparison.pairs:
        return findings.new(spec, current.value, n=n, why="it is shown only, and the baseline holds no values of it")
    lost = len(comparison.removed) + len(comparison.edited) if given.dataset_accepted else 0
    if lost and lost == comparison.expected:
        return findings.new(spec, current.value, n=n, why="every case of the baseline was replaced, which was accepted")
    if len(comparison.pairs) < LEAST_COVERED * (comparison.expected - lost) - EPSILON:
        return findings.uncovered(spec, comparison)
    return None


def _valueless(before: Measured, after: Measured) -> Finding:
    lacking = [each for each in (before, after) if isinstance(each, Unmeasured)]
    return findings.unmeasured(lacking[0])


def _cases_scored(spec: MetricSpec, given: GateInput) -> int:
    cases = {each.trial.case.id for each in given.results if isinstance(grade(spec, each.observation), Score)}
    return len(cases if spec.part is None else cases & spec.part.cases)


def _verdict(
    spec: MetricSpec,
    gate: MetricGate,
    finding: Finding,
    *,
    current: Measured,
    comparison: Comparison | None = None,
    given: GateInput | None = None,
) -> Verdict:
    known = Verdict(
        metric=spec.name,
        outcome=finding.outcome,
        reason=finding.reason,
        gated=gate.gated,
        red=gate.gated and finding.outcome in RED,
        baseline=None,
        current=current,
        tolerance=gate.tolerance,
        direction=spec.direction,
    )
    if comparison is None or given is None or given.baseline is None or not comparison.pairs:
        return known
    before, after = comparison.before, comparison.after
    change = after.value - before.value if isinstance(before, Measurement) and isinstance(after, Measurement) else None
    answers = {(each.trial.case.id, each.trial.sample): each.completion for each in given.results}
    worse, better = changed_cases(
        spec,
        comparison.pairs,
        before=given.baseline.outputs,
        after={key: answer for key, answer in answers.items() if answer is not None},
    )
    return replace(
        known,
        baseline=before,
        current=after,
        change=change,
        worse=worse,
        better=better,
        compared=len(comparison.pairs),
    )
