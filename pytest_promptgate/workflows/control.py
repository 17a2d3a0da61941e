"""``--prompt-control``: production and candidate asked side by side, in a round of the store of their own (GATE §5).

Neither the baseline nor the rounds that count give an answer. What both would send alike is sent once: one answer
stands for both, and luck cannot tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import baseline_digest, candidate_fingerprint
from pytest_promptgate.core.confirmation import Arm, Retrial
from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.rounds import CONTROL
from pytest_promptgate.workflows.confirm import Reference, rebuilt

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import Renderer
    from pytest_promptgate.core.types import Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """What one suite and slot asks in a round of its own. Other selected cases are asked as in any run."""

    round: str
    candidate: Plan  # a part of the suite, under the slot's own name
    production: Plan | None  # those of its cases that production sends another request for; its slot says "(control)"
    shared: frozenset[str]  # ids of the selected cases that both send the same request for

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Everything that is asked."""
        return (self.candidate,) if self.production is None else (self.candidate, self.production)

    @property
    def cases(self) -> frozenset[str]:
        """Ids of the cases that are asked."""
        return frozenset(case.id for case in self.candidate.suite.cases)


def side_by_side(
    candidate: Plan, baseline: Baseline, *, cases: Collection[str], timing: bool, render: Renderer
) -> SideBySide | str | None:
    """Plan the control; a sentence if production cannot be asked, None if there is nothing to ask side by side.

    Cases that are new, or were edited, have no counterpart: they are asked of the candidate alone. The round is named
    after the baseline, and all that the candidate is (its cases and samples too), but not after the selection: a whole
    run goes on where a partial one has ended.

    Args:
        candidate: Of the whole suite.
        baseline: What tells how production is rebuilt.
        cases: Ids of those that were selected.
        timing: Ask only what a comparison of latencies needs: nothing of a case that the baseline stands for.
        render: Of templates.
    """
    suite, wanted = candidate.suite, frozenset(cases)
    rows = {case.id: case.digest for case in suite.cases}
    known = {name: record for name, record in baseline.cases.items() if rows.get(name) == record.row}
    requests = {trial.case.id: trial.digest for trial in candidate.trials}
    differ = tuple(case.id for case in suite.cases if case.id in known and known[case.id].request != requests[case.id])
    shared = wanted & (known.keys() - set(differ))
    asked = (wanted & set(differ)) | {case for case in shared if not _is_timed(baseline, case, suite.samples)}
    if not timing and known:
        asked = wanted
    if not asked:
        return None
    production: Plan | str | None = None
    if wanted & set(differ):
        reference = Reference.of(Arm.PRODUCTION, baseline, ())
        production = rebuilt(candidate, reference, Retrial(cases=differ, samples=suite.samples), render)
    if isinstance(production, str):
        return production
    return SideBySide(
        round=f"{CONTROL}{digest((baseline_digest(baseline), candidate.slot, candidate_fingerprint(candidate)))}",
        candidate=_part(candidate, asked),
        production=None if production is None else _named(_part(production, wanted), f"{candidate.slot} (control)"),
        shared=shared,
    )


def _is_timed(baseline: Baseline, case: str, samples: int) -> bool:
    """Whether the baseline stands for `case` with its latencies."""
    seen = baseline.cases[case].observations
    return len(seen) >= samples and all(each.latency_s is not None or not each.output for each in seen)


def _part(plan: Plan, cases: Collection[str]) -> Plan:
    """The trials of some cases; their ordinals stay those of the whole suite."""
    suite = replace(plan.suite, cases=tuple(case for case in plan.suite.cases if case.id in cases))
    return replace(plan, suite=suite, trials=tuple(trial for trial in plan.trials if trial.case.id in cases))


def _named(plan: Plan, slot: str) -> Plan:
    return replace(plan, slot=slot, suite=replace(plan.suite, slots={slot: plan.pin}))
