"""How often a gate fails although nothing has changed, from the answers of a prompt that was asked twice over.

Each case's answers are dealt into two halves anew, at random and for all metrics alike, and the gate judges one half
against the other. With ``confirm`` no half can be asked again, so what is counted is an upper bound: a lower metric is
taken to fail with probability α, the level that its second stage keeps whatever the first one chose (GATE §4).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.arms import Arms
from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.decision import Policy, Question, Why, decide_all
from pytest_promptgate.core.resampling import orders, seed_of
from pytest_promptgate.core.swap_test import Swap
from pytest_promptgate.core.weighing import is_lower

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.decision import Decision
    from pytest_promptgate.core.swap_test import Alternative

MOST_DRAWS = 1000
LEAST_DRAWS = 200
WORK = 2_000_000  # answers that are dealt in all
TEST_COST = 20  # dealing answers and testing them takes so many times as long as dealing alone
TESTING = frozenset({"significant", "non_inferior"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarms:
    """Shares of runs, 0 … 1, in which nothing has changed."""

    draws: int  # from so many
    bound: bool  # `rule` and `by_rule` are upper bounds
    plain: float  # some gated metric comes out lower than its tolerance allows
    rule: float  # the suite fails by its own rule
    by_plain: Mapping[str, float]  # by metric
    by_rule: Mapping[str, float]
    spreads: Mapping[str, float]  # by metric: `noise.Noise.spread`, in the unit of the mean


def false_alarms(metrics: Mapping[str, Question]) -> FalseAlarms:
    """Deal the answers again and again, and judge.

    Args:
        metrics: The gated metrics of one suite by name, at least one: two halves that come from one prompt, with as
            many answers to every case in both, and the policy, whose rule is the same for all.
    """
    samples = {name: each.arms.samples for name, each in metrics.items()}
    work = sum(len(each.arms.cases) * samples[name] for name, each in metrics.items())
    rules = {each.policy.rule for each in metrics.values()}
    cost = TEST_COST if rules & TESTING else 1
    draws = max(LEAST_DRAWS, min(MOST_DRAWS, WORK // (cost * max(1, work))))
    dealt = {name: _deals(each, draws) for name, each in metrics.items()}
    judged = [
        _judged({name: replace(each, arms=next(dealt[name])) for name, each in metrics.items()}) for _ in range(draws)
    ]
    return FalseAlarms(
        draws=draws,
        bound="confirm" in rules,
        plain=_mean([any(each.lower.values()) for each in judged]),
        rule=_mean([max(each.fails.values()) for each in judged]),
        by_plain={name: _mean([each.lower[name] for each in judged]) for name in metrics},
        by_rule={name: _mean([each.fails[name] for each in judged]) for name in metrics},
        spreads={
            name: math.sqrt(_mean([each.gains[name] ** 2 for each in judged]) * len(of.arms.cases) * samples[name])
            / of.arms.scale
            for name, of in metrics.items()
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One deal, by metric."""

    gains: Mapping[str, float]
    lower: Mapping[str, bool]
    fails: Mapping[str, float]  # the chance that its verdict is red


def _judged(metrics: Mapping[str, Question]) -> _Judged:
    lower = {name: is_lower(each.arms, each.policy.tolerance) for name, each in metrics.items()}
    # Under `non_inferior` what is not lower may fail too; elsewhere it only counts in the family.
    asked = [name for name, each in metrics.items() if lower[name] or each.policy.rule == "non_inferior"]
    decisions = decide_all([metrics[name] for name in asked], others=len(metrics) - len(asked))
    red = {name: _chance(each, metrics[name].policy) for name, each in zip(asked, decisions, strict=True)}
    return _Judged(
        gains={name: each.arms.gain for name, each in metrics.items()},
        lower=lower,
        fails={name: red.get(name, 0.0) for name in metrics},
    )


def _chance(decision: Decision, policy: Policy) -> float:
    return policy.alpha if decision.why is Why.UNCONFIRMED else float(decision.fails)


def _deals(question: Question, draws: int) -> Iterator[Arms]:
    if question.arms.statistic is not None and question.policy.rule == "significant":
        return _ranked(question.arms, draws)
    return _dealt(question.arms, draws)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked(Arms):
    """A deal that knows its place among the deals."""

    known: Swap

    def swap(self, alternative: Alternative = "worse") -> Swap:  # noqa: ARG002
        return self.known


def _ranked(arms: Arms, draws: int) -> Iterator[Arms]:
    """The deals of a metric that is no mean, tested by one another: to deal each of them anew would take minutes."""
    gains = sorted(each.gain for each in _dealt(arms, draws))
    p_min = arms.swap().p_min
    for each in _dealt(arms, draws):
        p = (1 + bisect_right(gains, each.gain + EPSILON)) / (1 + draws)
        known = {field.name: getattr(each, field.name) for field in fields(each)}
        yield _Ranked(**known, known=Swap(p=min(1.0, p), p_min=p_min, exact=False))


def _dealt(arms: Arms, draws: int) -> Iterator[Arms]:
    """`arms` with the answers of each case dealt anew, again and again."""
    found = arms.statistic
    named = arms.clusters if arms.together else None
    units = named or arms.cases
    sides = [zip(arms.before, arms.after, strict=True)] + (
        [] if found is None else [zip(found.before, found.after, strict=True)]
    )
    pools = [[(*old, *new) for old, new in each] for each in sides]
    moved = [at for at in range(len(arms.cases)) if any(len(set(pool[at])) > 1 for pool in pools)]
    splits = {unit: _splits(unit, arms, named is not None, draws) for unit in {units[at] for at in moved}}
    for draw in range(draws):
        chosen = {at: splits[units[at]][draw] for at in moved}
        halves = [_halves(pool, chosen, arms.samples) for pool in pools]
        statistic = None if found is None else replace(found, before=halves[1][0], after=halves[1][1])
        yield replace(arms, before=halves[0][0], after=halves[0][1], statistic=statistic)


def _splits(unit: str, arms: Arms, whole: bool, draws: int) -> list[tuple[int, ...]]:
    """For each draw the places of a case's pooled answers that make the first half."""
    # The seed knows the case and not the metric, so that all metrics of a case are dealt alike.
    size = arms.samples
    if whole:
        first, second = tuple(range(size)), tuple(range(size, 2 * size))
        return [first if order[0] == 0 else second for order in orders(seed_of(unit), "halves", 2, draws)]
    return [tuple(order[:size]) for order in orders(seed_of(unit), "halves", 2 * size, draws)]


def _halves(pools: Sequence[tuple[Any, ...]], chosen: Mapping[int, tuple[int, ...]], size: int) -> tuple[Any, Any]:
    first = [pool[:size] for pool in pools]
    second = [pool[size:] for pool in pools]
    for at, places in chosen.items():
        pool, taken = pools[at], set(places)
        first[at] = tuple(pool[place] for place in places)
        second[at] = tuple(each for place, each in enumerate(pool) if place not in taken)
    return tuple(first), tuple(second)


def _mean(shares: Sequence[float]) -> float:
    return math.fsum(shares) / len(shares)
