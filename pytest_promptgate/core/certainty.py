"""What is certain before all answers are in (GATE §7, DECISIONS 7).

The open trials are given the best values that they could still have, and the result is held to the gate itself: a
metric that fails even so fails whatever they bring. That is sound for means, rates and totals: a better value never
makes their verdict worse, and neither does a trial with the best value, compared with one that has no score at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.decision import CASE_SAMPLES, MEAN_SHARE, decide
from pytest_promptgate.core.early import Certainty, mcnemar_curtail
from pytest_promptgate.core.findings import numbers
from pytest_promptgate.core.gate import stand
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.questions import Policy, Question
from pytest_promptgate.core.types import (
    Direction,
    Observation,
    Origin,
    Outcome,
    Result,
    Score,
    Verdict,
)
from pytest_promptgate.core.weighing import is_lower, is_tested

if TYPE_CHECKING:
    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.gate import GateInput, Standing
    from pytest_promptgate.core.sequential import Crossed
    from pytest_promptgate.core.types import MetricSpec, Suite, Trial

BOUNDED = frozenset({"mean", "rate", "total"})  # aggregates


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a run was when something was certain."""

    done: int  # cases
    cases: int  # that were to be asked

    def __str__(self) -> str:
        return f"{self.done} of {self.cases} case{'s' if self.cases != 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why nothing more was asked for a suite and slot."""

    why: str  # in one line: the reason of the trials that were not asked
    certain: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # metric -> reason of its verdict


def best_value(spec: MetricSpec) -> float | None:
    """The best that a metric can read of one trial, in its own unit; None if there is no limit, or no sound bound.

    Scores are taken to lie in 0 … 1, as those of all built-in scorers do; who finds another knows that the limit does
    not hold.
    """
    higher = spec.direction is Direction.HIGHER
    if spec.aggregate not in BOUNDED or (spec.source in OBSERVABLES and higher):
        return None
    return 1.0 if higher else 0.0


def at_best(spec: MetricSpec, trial: Trial) -> Result:
    """`trial` as it would be at best, for the eyes of one metric."""
    seen = Observation(case=trial.case.id, sample=trial.sample, grades={spec.source: Score(value=_best_score(spec))})
    if spec.source in OBSERVABLES:
        seen = Observation(
            case=trial.case.id,
            sample=trial.sample,
            grades={},
            tokens_in=0,
            tokens_out=0,
            tokens_cached=0,
            cost_usd=0.0,
            latency_s=0.0,
        )
    return Result(trial=trial, origin=Origin.NOWHERE, completion=None, observation=seen)


def _best_score(spec: MetricSpec) -> float:
    higher, mark = spec.direction is Direction.HIGHER, spec.arguments.get("at", 1.0)
    if spec.aggregate == "rate" and isinstance(mark, int | float):
        return float(mark) if higher else float(mark) - 1
    return 1.0 if higher else 0.0


def certain_failure(spec: MetricSpec, at_best: GateInput, reached: Reached, *, family: int = 1) -> str:
    """The reason of the verdict ``regressed`` if that is certain, else "".

    Args:
        spec: Of one of `BOUNDED`.
        at_best: The run with every open trial as `at_best` makes it.
        reached: For people.
        family: Most hypotheses that the run may test: the metric gets the smallest share of the level that it can get.
    """
    found, gate = stand(spec, at_best), at_best.suite.gates[spec.name]
    if not gate.gated:
        return ""
    if isinstance(found, Verdict):
        return _beyond_floor(spec, found, reached, gate.floor) if found.outcome is Outcome.REGRESSED else ""
    arms = found.arms()
    if not is_lower(arms, gate.tolerance):
        return ""
    rule = at_best.suite.rule if is_tested(found) else "strict"
    if rule == "strict":
        decision = decide(Question(arms=arms, policy=Policy(rule="strict", tolerance=gate.tolerance)))
        return _told(found, reached) if decision.outcome is Outcome.REGRESSED else ""
    why = _significant(arms, at_best.suite, family) if rule == "significant" else ""
    return why and f"{_told(found, reached)}; {why}"


def crossed_failure(spec: MetricSpec, at_best: GateInput, crossed: Crossed) -> str:
    """The reason of the verdict ``regressed`` where looking case by case has brought it, else ""."""
    if isinstance(stand(spec, at_best), Verdict):
        return ""
    return f"{spec.name} {'fell' if spec.direction is Direction.HIGHER else 'rose'}: {crossed}"


def most_questions(suite: Suite, *, anchored: bool) -> int:
    """How many hypotheses a suite can bring into the run's family at most.

    Args:
        anchored: It is held against an anchor beside its baseline.
    """
    gated = sum(suite.gates[spec.name].gated for spec in suite.judged)
    return 0 if suite.rule == "strict" else gated * (1 + anchored)


def _significant(arms: Arms, suite: Suite, family: int) -> str:
    """Why ``significant`` rejects whatever comes, or ""."""
    policy = suite.policy
    if policy.max_drop is not None and -arms.gain >= policy.max_drop - EPSILON:
        return "a drop this large needs no proof"
    share = MEAN_SHARE if arms.samples >= CASE_SAMPLES else 1.0
    alpha = policy.test_alpha * share / max(1, family)
    if arms.is_binary_once and arms.clusters is None:
        gains = arms.case_gains
        worse, better = sum(gain < 0 for gain in gains), sum(gain > 0 for gain in gains)
        # The open cases are in `better` already, each at its best.
        found = mcnemar_curtail(worse=worse, better=better, passes_left=0, fails_left=0, alpha=alpha)
        return "which luck does not explain" if found is Certainty.FAIL else ""
    swap = arms.swap()
    # Drawn splits are no bound: the full run would draw others.
    return "which luck does not explain" if swap.exact and swap.p <= alpha + EPSILON else ""


def _told(standing: Standing, reached: Reached) -> str:
    """``accuracy falls from 0.800 to 0.790 at best (n=100, tolerance 0): certain after 41 of 100 cases, even …``."""
    spec, gate = standing.spec, standing.gate
    old, new = numbers(standing.before, standing.after)
    verb = "falls" if spec.direction is Direction.HIGHER else "rises"
    levels = f"{spec.name} {verb} from {old} to {new} at best (n={standing.n}, tolerance {gate.tolerance})"
    return f"{levels}: certain after {reached}, {_even_if(spec)}"


def _beyond_floor(spec: MetricSpec, found: Verdict, reached: Reached, floor: float | None) -> str:
    assert floor is not None
    value = getattr(found.current, "value", floor)
    shown, limit = numbers(value, floor)
    side = "below its floor" if spec.direction is Direction.HIGHER else "above its ceiling"
    return f"{spec.name} is {shown} at best, {side} {limit}: certain after {reached}, {_even_if(spec)}"


def _even_if(spec: MetricSpec) -> str:
    if spec.source in OBSERVABLES:
        return "even if all others took nothing"
    return "even if all others pass" if spec.direction is Direction.HIGHER else "even if all others score 0"
