"""The decision of GATE §2, on numbers alone: `decide_all` is what every verdict of the gate comes from.

Each metric that is gated asks one question per reference (baseline, anchor). Most questions settle themselves; those
that need a test share the run's level by Holm, whatever rule each goes by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from pytest_promptgate.core.arms import Arms
from pytest_promptgate.core.families import holm
from pytest_promptgate.core.non_inferiority import bounds
from pytest_promptgate.core.questions import Decision, Policy, Question, Tested, Why
from pytest_promptgate.core.types import Outcome

__all__ = ["RULES", "Decision", "Policy", "Question", "Tested", "Why", "decide", "decide_all", "is_better"]

EPSILON = 1e-9  # floating-point dust; GATE §1
LEAST_CASES = 20  # for `non_inferior`
MEAN_SHARE = 0.8  # of α for the mean under `significant`; the rest is for the broken case
CASE_SAMPLES = 5  # from which on `significant` tests for a broken case


def decide(question: Question, *, family: int = 1) -> Decision:
    """Decide one question, in a family of so many."""
    return decide_all([question], others=family - 1)[0]


def decide_all(questions: Sequence[Question], *, others: int = 0) -> tuple[Decision, ...]:
    """Decide all questions of a run, in their order.

    Args:
        others: Members of the family that are not at hand and are taken as not rejected.

    Raises:
        KeyError: A rule is none of `RULES`.
    """
    settled = [RULES[each.policy.rule](each) for each in questions]
    shares = [_shares(question, found) for question, found in zip(questions, settled, strict=True)]
    entries = [(at, p, share) for at, each in enumerate(shares) for p, share in each]
    weights = [share for _, _, share in entries] + [1.0] * others
    adjusted = holm([p for _, p, _ in entries] + [1.0] * others, weights)
    by_question: dict[int, list[float]] = {}
    for (at, _, _), value in zip(entries, adjusted, strict=False):
        by_question.setdefault(at, []).append(value)
    return tuple(
        _concluded(question, found, by_question[at], sum(weights)) if isinstance(found, Tested) else found
        for at, (question, found) in enumerate(zip(questions, settled, strict=True))
    )


def is_better(arms: Arms, *, alpha: float) -> bool:
    """Whether the metric rose by more than luck."""
    return arms.gain > EPSILON and (arms.is_deterministic or arms.swap("better").p <= alpha + EPSILON)


Settled: TypeAlias = Decision | Tested


def _comparable(question: Question) -> Decision | None:
    """Row 0: data that do not suffice."""
    arms, policy = question.arms, question.policy
    expected = len(arms.cases) if question.expected is None else question.expected
    if not arms.cases or len(arms.cases) < policy.min_coverage * expected - EPSILON:
        return Decision(outcome=Outcome.INCONCLUSIVE, why=Why.COVERAGE)
    if not arms.is_finite:
        return Decision(outcome=Outcome.INCONCLUSIVE, why=Why.NOT_FINITE)
    return None


def _without_doubt(question: Question) -> Decision | None:
    """Rows 0 to 5: what needs no test, but for a strict drop."""
    if found := _comparable(question):
        return found
    arms, policy, gain = question.arms, question.policy, question.arms.gain
    if abs(gain) <= EPSILON:
        return Decision(outcome=Outcome.UNCHANGED, why=Why.EQUAL)
    if gain > 0:
        better = policy.rule == "strict" or is_better(arms, alpha=policy.alpha)
        return Decision(outcome=Outcome.IMPROVED if better else Outcome.WITHIN_NOISE, why=Why.HIGHER)
    if -gain <= policy.tolerance.allowance(arms.levels[0]) + EPSILON:
        return Decision(outcome=Outcome.WITHIN_NOISE, why=Why.TOLERANCE)
    if policy.rule != "strict" and arms.is_deterministic:
        return Decision(outcome=Outcome.REGRESSED, why=Why.DETERMINISTIC_DROP)
    return None


def _strict(question: Question) -> Settled:
    return _without_doubt(question) or Decision(outcome=Outcome.REGRESSED, why=Why.LOWER)


def _confirm(question: Question) -> Settled:
    if found := _without_doubt(question):
        return found
    if question.fresh is None:
        return Decision(outcome=Outcome.REGRESSED, why=Why.UNCONFIRMED)
    return _tested(question.fresh, with_case=True)


def _significant(question: Question) -> Settled:
    if found := _comparable(question):
        return found
    if question.crossed is not None:
        return Decision(outcome=Outcome.REGRESSED, why=Why.SEQUENTIAL, crossed=question.crossed)
    return _without_doubt(question) or _tested(question.arms, with_case=question.arms.samples >= CASE_SAMPLES)


def _non_inferior(question: Question) -> Settled:
    if found := _comparable(question):
        return found
    arms, policy = question.arms, question.policy
    margin = policy.tolerance.allowance(arms.levels[0])
    if margin <= 0:
        return Decision(outcome=Outcome.INCONCLUSIVE, why=Why.NO_MARGIN)
    if len(set(arms.clusters or arms.cases)) < LEAST_CASES:
        return Decision(outcome=Outcome.INCONCLUSIVE, why=Why.TOO_FEW_CASES)
    found_bounds = bounds(arms, alpha=policy.alpha)
    if found_bounds.low >= -margin - EPSILON:
        outcome, why = Outcome.WITHIN_NOISE, Why.NON_INFERIOR
    elif found_bounds.high < -margin - EPSILON:
        outcome, why = Outcome.REGRESSED, Why.BELOW_MARGIN
    else:
        outcome, why = Outcome.INCONCLUSIVE, Why.MARGIN_NOT_EXCLUDED
    return Decision(outcome=outcome, why=why, bounds=found_bounds)


RULES: Mapping[str, Callable[[Question], Settled]] = MappingProxyType(
    {"strict": _strict, "confirm": _confirm, "significant": _significant, "non_inferior": _non_inferior}
)


def _tested(arms: Arms, *, with_case: bool) -> Tested:
    swap = arms.swap()
    broken = arms.broken()
    return Tested(
        mean=swap.p,
        mean_min=swap.p_min,
        case=broken.p if with_case else None,
        broken=None if broken.case is None else arms.cases[broken.case],
        exact=swap.exact,
    )


def _shares(question: Question, found: Settled) -> list[tuple[float, float]]:
    """The hypotheses of a question in the run's family: p, and its part of the question's share of α."""
    if isinstance(found, Decision):
        # Under `significant` the same answers chose who is lower, so those who are not still count.
        return [(1.0, 1.0)] if question.policy.rule == "significant" else []
    if found.case is None:
        return [(found.mean, 1.0)]
    mean = 0.5 if question.policy.rule == "confirm" else MEAN_SHARE
    return [(found.mean, mean), (found.case, 1 - mean)]


def _concluded(question: Question, tested: Tested, adjusted: Sequence[float], family: float) -> Decision:
    """Row 6."""
    alpha = question.policy.alpha + EPSILON
    if question.policy.rule == "confirm":
        found = _confirmed(tested, adjusted, alpha)
    else:
        found = _by_significance(question, tested, adjusted, family)
    return replace(found, tested=tested)


def _confirmed(tested: Tested, adjusted: Sequence[float], alpha: float) -> Decision:
    p = min(1.0, 2 * min(tested.mean, tested.mean if tested.case is None else tested.case))
    if min(adjusted) <= alpha:
        return Decision(outcome=Outcome.REGRESSED, why=Why.CONFIRMED, p=p, adjusted=min(adjusted))
    return Decision(outcome=Outcome.WITHIN_NOISE, why=Why.NOT_CONFIRMED, p=p, adjusted=min(adjusted))


def _by_significance(question: Question, tested: Tested, adjusted: Sequence[float], family: float) -> Decision:
    policy, alpha = question.policy, question.policy.alpha + EPSILON
    share = 1.0 if tested.case is None else MEAN_SHARE
    lost = Decision(outcome=Outcome.REGRESSED, why=Why.SIGNIFICANT, p=tested.mean, adjusted=adjusted[0])
    if tested.mean * family / share <= alpha:
        return lost
    if tested.case is not None and adjusted[1] <= alpha:
        return replace(lost, why=Why.BROKEN_CASE, p=tested.case, adjusted=adjusted[1])
    if adjusted[0] <= alpha:  # with what other rejected hypotheses left of the level
        return lost
    if policy.max_drop is not None and -question.arms.gain >= policy.max_drop - EPSILON:
        return replace(lost, why=Why.MAX_DROP)
    if tested.mean_min * family / share > alpha:
        return replace(lost, outcome=Outcome.INCONCLUSIVE, why=Why.UNDERPOWERED)
    return replace(lost, outcome=Outcome.WITHIN_NOISE, why=Why.NOT_SIGNIFICANT)
