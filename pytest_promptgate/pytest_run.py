"""One suite and model slot in this pytest run: what was selected of it, and what its items say."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.core.acceptance import let_pass_now
from pytest_promptgate.core.budget import measures_cost
from pytest_promptgate.core.default_rule import rule_notes
from pytest_promptgate.core.left_out import left_out, left_out_notes, missed, without
from pytest_promptgate.core.must_pass import luck_notes
from pytest_promptgate.core.pairs import positional
from pytest_promptgate.core.redrawn import redrawn_notes
from pytest_promptgate.core.selection import smoke_cases, smoke_notes
from pytest_promptgate.core.types import Origin, Outcome, Score, Unscored
from pytest_promptgate.errors import EngineError
from pytest_promptgate.pytest_aa import SKIPPED, known_noise
from pytest_promptgate.pytest_control import control_of
from pytest_promptgate.pytest_corrected import corrected_notes
from pytest_promptgate.pytest_drift import doubted_judges, drift_notes, drift_refusal
from pytest_promptgate.pytest_fail_fast import course_of, first_round_notes
from pytest_promptgate.pytest_items import CaseItem, CasesItem, EvalFailure, EvalItem, GateItem, RepeatedFailure
from pytest_promptgate.pytest_judges import account_notes, grade_baseline
from pytest_promptgate.pytest_models import beside_production, tried
from pytest_promptgate.pytest_told import described, listed, not_asked
from pytest_promptgate.pytest_trust import distrusted, gate_items, trust_notes, why_skipped
from pytest_promptgate.reports.junit import gate_properties
from pytest_promptgate.reports.text import case_problem, gate_text
from pytest_promptgate.workflows.assess import assess, doubting
from pytest_promptgate.workflows.rescoring import rescored
from pytest_promptgate.workflows.update_baseline import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Baseline, Report, Result, Suite, Verdict
    from pytest_promptgate.pytest_control import Beside
    from pytest_promptgate.pytest_group import Group
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.workflows.assess import Assessment


class Run:
    """A plan, its baseline, and the part of it that this pytest run selected."""

    def __init__(self, *, session: EvalSession, plan: Plan, baseline: Baseline | None) -> None:
        self.session = session
        self.plan = plan
        self.baseline = baseline
        smoke = session.settings.smoke
        self.cases: tuple[str, ...] = smoke_cases(plan.suite) if smoke else tuple(each.id for each in plan.suite.cases)
        self.selected: tuple[str, ...] = ()
        self.partial = ""
        self.unchanged = ""  # why it is left out: nothing that it reads has changed
        self.blocked = ""  # why nothing of it may be asked
        self.speaker: EvalItem | None = None  # says so, if it is blocked and no gate was selected to do it
        self.report: Report | None = None
        self.beside: Beside | None = None  # production, asked beside it
        self.chosen_gates: frozenset[str] = frozenset()  # metrics whose gate items were selected
        self.chosen_cases: frozenset[str] = frozenset()  # cases with an item that fails with them
        self.once: tuple[str, ...] = ()  # cases of which one sample is asked at first
        self.first_round = False  # and that was enough
        self.group: Group | None = None  # the test function that is asked
        self.origin = ""  # node id of what it was collected from, if that is a function
        self.set_aside = ""  # why a mark keeps all of it from being run

    @property
    def suite(self) -> Suite:
        """The suite this is a run of."""
        return self.plan.suite

    @property
    def slot(self) -> str:
        """The model slot."""
        return self.plan.slot

    @property
    def key(self) -> tuple[str, str]:
        """Suite name and slot."""
        return self.suite.name, self.slot

    @property
    def bracket(self) -> str:
        """What stands in the brackets of its node ids: the slot's name in a mapping, else the model's."""
        return self.slot if tuple(self.suite.slots) != ("default",) else self.plan.pin.name

    @property
    def suffix(self) -> str:
        """The brackets; a function that is not parametrized has none."""
        return "" if self.group is not None and self.slot == "default" else f"[{self.bracket}]"

    @property
    def folded(self) -> bool:
        """Whether all cases share one item."""
        if self.group is not None and self.group.in_turn:
            return False
        return self.session.settings.folds(len(self.cases))

    @property
    def gated(self) -> tuple[str, ...]:
        """What has a gate item, in their order; some of them say why there is no gate."""
        return gate_items(self)

    # --- what the items do -------------------------------------------------------------------------------------------

    def await_results(self, item: EvalItem) -> None:
        """Wait for what `item` is about to read; a fault of the engine is left for the item to meet and tell."""
        cases = (item.case_id,) if isinstance(item, CaseItem) else self.selected
        if self.blocked or self.unchanged or self.set_aside or (self.group is not None and self.group.waits_for(cases)):
            return
        with suppress(EngineError):
            if isinstance(item, GateItem) and self.session.settings.judges:
                self.judged()  # which may wait for other suites, or ask again
            else:
                self.session.wait(self, cases)

    def passed(self, case: str) -> bool:
        """Whether `case` is done and its item passes; never blocks."""
        if self.blocked or not self.session.begun:
            return False
        results = self.session.results(self, (case,))
        return results is not None and not case_problem(self.suite, results)

    def check_case(self, item: CaseItem) -> None:
        """Wait for one case; raise if it was not answered, not scored, or a `must_pass` and failed."""
        item.results = self._results(item, (item.case_id,))
        for result in item.results:
            described(item, result)
        if why := not_asked(item.results):
            pytest.skip(why)
        problem = case_problem(self.suite, item.results)
        if problem:
            raise self._failure(problem, item.results)

    def check_cases(self, item: CasesItem) -> None:
        """The same for every selected case of a folded suite; lists all that failed."""
        self.session.begin(item.session.items)  # settles what is selected
        by_case: dict[str, list[Result]] = {}
        for result in self._results(item, self.selected):
            by_case.setdefault(result.trial.case.id, []).append(result)
        seen = [result for results in by_case.values() for result in results]
        waived = {case: why for case, results in by_case.items() if (why := not_asked(results))}
        problems = {case: case_problem(self.suite, each) for case, each in by_case.items() if case not in waived}
        failed = {case: problem for case, problem in problems.items() if problem} | missed(self.suite, seen)
        waived = {case: why for case, why in waived.items() if case not in left_out(seen)}
        item.user_properties.append(("promptgate_cases", len(by_case)))
        if failed:
            raise EvalFailure("\n".join([f"{len(failed)} of {len(by_case)} cases failed", *listed(failed)]))
        if waived:
            why = next(iter(waived.values()))
            raise EvalFailure(f"{len(waived)} of {len(by_case)} cases were not asked: {why}")

    def check_gate(self, item: GateItem) -> None:
        """Wait for the whole selection, judge it once, and raise if its metric is red."""
        self.session.begin(item.session.items)
        if self.blocked:
            raise EvalFailure(self.blocked)
        if self.session.trials is not None:
            pytest.skip(SKIPPED)
        if self.session.settings.shard is not None:
            pytest.skip(f"shard {self.session.settings.shard}: judged after the merge")
        report = self.judged()
        verdict = next(each for each in report.verdicts if each.metric == item.metric)
        if verdict.outcome is not Outcome.REGRESSED:  # cases that were left out have no gate item of their own
            verdict = next((each for each in report.verdicts if each.red and each.metric not in self.gated), verdict)
        item.user_properties += gate_properties(report, verdict, aggregates=self.session.toolbox().aggregates)
        if why := why_skipped(self, verdict):
            pytest.skip(why)
        settings = self.session.settings
        refused = drift_refusal(self) or refusal(report, accept="whatever the reason")
        if verdict.red or (verdict.accepted and settings.update and refused):
            raise EvalFailure(self._explained(report, verdict, refused))

    def _explained(self, report: Report, verdict: Verdict, refused: str) -> str:
        alias, first = self.session.settings.alias, self.session.reference.take_back(self.key)
        text = gate_text(report, verdict, alias=alias, refused=refused or tried(self), first=first)
        if verdict.since_anchor is None or verdict.metric in {spec.name for spec in self.suite.parts}:
            return text  # the lockfile holds no numbers of slices, so its history tells none
        aggregates = self.session.toolbox().aggregates
        merges = self.session.reference.merges_since_anchor(self.key, verdict.metric, verdict.direction, aggregates)
        return f"{text}\n{merges}" if merges else text

    def judged(self) -> Report:
        """The report, made once all selected results of the run are in (of this suite alone, if it needs no test)."""
        if self.report is None:
            self.session.judge(self)
        assert self.report is not None
        return self.report

    def assessed(self, *, first_round: bool = False) -> Assessment:
        """This suite as far as it can be judged by itself (`first_round`: by one sample of each case); waits."""
        everything = self.session.wait(self, self.selected)
        settings, reference = self.session.settings, self.session.reference
        plan, results = without(self.plan, everything)
        control, course = control_of(self, results), course_of(self, results, first_round=first_round)
        found = assess(
            plan,
            results,
            baseline=None if settings.shard else self.baseline,
            rescored=None if settings.shard or (control and not control.timing) else self._rescored(results),
            control=control,
            acceptances=(
                *let_pass_now(regression=settings.accept, dataset=settings.accept_dataset),
                *reference.acceptances(self.plan, self.baseline),
            ),
            standing=(*reference.stale(self.plan), *distrusted(self)),
            selection=frozenset(self.selected) if self.partial else None,
            partial=self.partial,
            noise=known_noise(settings.store, self.plan),
            price=self.session.price(self.baseline.pin) if self.baseline and measures_cost(self.suite) else None,
            aggregates=self.session.toolbox().aggregates,
            notes=(
                *(smoke_notes(self.suite) if settings.smoke else ()),
                *left_out_notes(self.plan, everything),
                *trust_notes(self),
                *drift_notes(self),
                *corrected_notes(self, results),
                *rule_notes(self.plan),
                *first_round_notes(self, course),
                *redrawn_notes(results, settings.attempt),
                *luck_notes(self.suite, kind=self.session.project.kind(self.plan.pin.provider)),
                *account_notes(self.session, self.plan),
            ),
            course=course,
        )
        seen = [each.observation for each in results]
        return doubting(found, {**positional(self.suite, seen), **doubted_judges(self)})

    def close(self, report: Report) -> None:
        """Take the report of what `assessed` gave."""
        asked = any(each.origin is Origin.ASKED for each in report.results)
        transport = self.session.evaluation().transport(self.plan.pin.provider) if asked else ""
        verdicts = () if self.session.settings.shard else report.verdicts
        judged = self.session.evaluation().judged(*self.key)
        beside = beside_production(self, report) if verdicts else None
        self.report = replace(report, verdicts=verdicts, transport=transport, judged=judged, beside=beside)

    def _rescored(self, results: Sequence[Result]) -> Baseline | None:
        """The baseline as the present scorers see it."""
        grade = partial(grade_baseline, self.session)
        return self.baseline and rescored(self.baseline, self.suite, results, grade=grade)

    def _failure(self, problem: str, results: Sequence[Result]) -> EvalFailure:
        """What is no fact about this case alone is shown once: by the first such case, or below the tables."""
        case, _, what = problem.partition(" ")
        if all(isinstance(grade, Score | Unscored) for each in results for grade in each.observation.grades.values()):
            return EvalFailure(problem)
        name = case if len(self.session.runs) == 1 else f"{self.suite.name}::{case}[{self.bracket}]"
        told_below = any(what.endswith(str(fault)) for fault in self.session.evaluation().faults())
        if told_below or self.session.told.setdefault(what, name) != name:
            return RepeatedFailure(problem)
        return EvalFailure(problem)

    def _results(self, item: EvalItem, cases: Sequence[str]) -> tuple[Result, ...]:
        self.session.begin(item.session.items)
        if self.blocked and item is self.speaker:
            raise EvalFailure(self.blocked)
        if self.blocked:
            pytest.skip(self.blocked)
        results = self.session.wait(self, cases)
        if self.session.trials is not None:
            results += self.session.trials.second(self, cases)
        asked = [each.observation.latency_s for each in results if each.origin is Origin.ASKED]
        item.latency_s = max((each for each in asked if each is not None), default=None)
        return results
