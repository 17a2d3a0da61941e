"""Looks at the results of one suite and slot as they come in, until a failure is certain (GATE §7, DECISIONS 7)."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.certainty import Reached, Stopped, at_best, certain_failure, crossed_failure
from pytest_promptgate.core.sequential import in_order, looks_of
from pytest_promptgate.core.types import Score, Skipped, Unscored
from pytest_promptgate.workflows.tally import Tally, tallies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.gate import GateInput
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.sequential import Crossed, Looks
    from pytest_promptgate.core.types import MetricSpec, Result

_CHECKS = 50  # of a metric that may have failed, in the course of a run: each goes through the gate itself


class Watch:
    """Told every result of a suite and slot; belongs to the engine's thread once the engine has started.

    Args:
        plan: Of the whole suite.
        given: What the run will be judged by; its results are not read.
        metrics: Names of those whose failure ends the run.
        must_pass: Ids of cases whose failure ends it.
    """

    def __init__(self, plan: Plan, given: GateInput, *, metrics: frozenset[str], must_pass: frozenset[str]) -> None:
        self.stopped: Stopped | None = None
        self._plan = plan
        self._given = given
        self._must_pass = must_pass
        selection = given.selection
        self._trials = [each for each in plan.trials if selection is None or each.case.id in selection]
        cases = list(dict.fromkeys(each.case.id for each in self._trials))
        self._open = dict.fromkeys(cases, plan.suite.samples)
        self._seen: dict[tuple[str, int], Result] = {}
        self._tallies = tallies(plan.suite, metrics, cases, given.baseline)
        self._next = dict.fromkeys(self._tallies, 0)  # trials to be seen before a metric is looked at again
        specs = {spec.name: spec for spec in plan.suite.judged}
        looks = {name: looks_of(specs[name], plan.suite, family=given.course.family) for name in self._tallies}
        self._sequences = {name: _Sequence(self._tallies[name], each, cases) for name, each in looks.items() if each}

    @property
    def ranks(self) -> Mapping[str, float]:
        """By case: the lowest is to be asked first.

        Those that can make good most come first, since a failure is certain when they cannot any more; but where
        evidence is read case by case, the order must not know the baseline's results.
        """
        if self._sequences:
            return {case: float(rank) for rank, case in enumerate(in_order(self._open))}
        most = {name: max(map(tally.room, self._open), default=0.0) for name, tally in self._tallies.items()}
        shares = {name: tally for name, tally in self._tallies.items() if most[name] > 0}
        return {
            case: -max((tally.room(case) / most[name] for name, tally in shares.items()), default=0.0)
            for case in self._open
        }

    def see(self, result: Result) -> None:
        """Take one more result; `stopped` is set as soon as a failure is certain, and stays."""
        case, sample = result.trial.case.id, result.trial.sample
        if self.stopped is not None or (case, sample) in self._seen or case not in self._open or _is_skipped(result):
            return
        self._seen[case, sample] = result
        self._open[case] -= 1
        for tally in self._tallies.values():
            tally.see(result.observation)
        if not self._open[case]:
            for sequence in self._sequences.values():
                sequence.complete(case)
        self.stopped = self._failed_case(result) or self._certain()

    @property
    def _reached(self) -> Reached:
        return Reached(done=sum(not left for left in self._open.values()), cases=len(self._open))

    def _failed_case(self, result: Result) -> Stopped | None:
        case, grades = result.trial.case.id, result.observation.grades
        for rule in self._plan.suite.must_pass if case in self._must_pass else ():
            found = [grades.get(name) for name in rule.scorers if case in rule.cases]
            if any(
                isinstance(each, Unscored) or (isinstance(each, Score) and each.value < rule.pass_at) for each in found
            ):
                return Stopped(why=f"{result.trial.id} must pass and did not, after {self._reached}")
        return None

    def _certain(self) -> Stopped | None:
        reasons = {name: why for name, tally in self._tallies.items() if (why := self._why(name, tally))}
        if not reasons:
            return None
        names, verb = ", ".join(reasons), "is" if len(reasons) == 1 else "are"
        return Stopped(why=f"{names} {verb} certain to fail, after {self._reached}", certain=reasons)

    def _why(self, name: str, tally: Tally) -> str:
        sequence = self._sequences.get(name)
        crossed = sequence.crossed if sequence else None
        if len(self._seen) < self._next[name]:
            return ""
        if crossed is None and not tally.may_have_failed(self._plan.suite.gates[name]):
            return ""
        self._next[name] = len(self._seen) + max(1, len(self._trials) // _CHECKS)
        at_best = self._at_best(tally.spec)
        if crossed is not None:
            return crossed_failure(tally.spec, at_best, crossed)
        return certain_failure(tally.spec, at_best, self._reached, family=self._given.course.family)

    def _at_best(self, spec: MetricSpec) -> GateInput:
        seen = (self._seen.get((each.case.id, each.sample)) or at_best(spec, each) for each in self._trials)
        return replace(self._given, results=tuple(seen))


class _Sequence:
    """One metric looked at case by case, each in its turn."""

    def __init__(self, tally: Tally, looks: Looks, cases: list[str]) -> None:
        self.crossed: Crossed | None = None
        self._tally = tally
        self._waiting = deque(in_order(cases))
        self._done: set[str] = set()
        self._ready: deque[tuple[float, float]] = deque()
        self._looked = looks.after(iter(self._ready.popleft, None))

    def complete(self, case: str) -> None:
        """Take one case whose samples are all in."""
        self._done.add(case)
        while self.crossed is None and self._waiting and self._waiting[0] in self._done:
            pair = self._tally.pair(self._waiting.popleft())
            if pair is not None:
                self._ready.append(pair)
                self.crossed = next(self._looked, None)


def _is_skipped(result: Result) -> bool:
    return any(isinstance(each, Skipped) for each in result.observation.grades.values())
