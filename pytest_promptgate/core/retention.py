"""Which stored answers somebody may still need."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.rounds import counting

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import StoreKey
    from pytest_promptgate.core.types import Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the plans and baselines of one suite ask for."""

    planned: Mapping[str, int]  # request digest -> how many answers
    recorded: frozenset[str]  # request digests of baselines and anchors: they may be asked again


def needs_of(plans: Iterable[Plan], baselines: Iterable[Baseline]) -> Needs:
    """The needs of one suite, over all its slots.

    Args:
        plans: Of that suite.
        baselines: Of that suite.
    """
    planned: Counter[str] = Counter()
    for plan in plans:
        # Two slots may ask one model the same: they share the answers.
        planned |= Counter(trial.digest for trial in plan.trials)
    sides = [side for each in baselines for side in (each, each.anchor) if side is not None]
    recorded = frozenset(case.request for side in sides for case in side.cases.values())
    return Needs(planned=planned, recorded=recorded)


def current_round(complete: Iterable[str]) -> str:
    """The round that a run reads: the latest complete one; "" is the first. Rounds of re-asking have other names."""
    return counting(complete)[0]


def is_used(key: StoreKey, needs: Needs, *, complete: frozenset[str], known: Container[StoreKey]) -> bool:
    """Whether a present plan reads this answer, wherever it came from.

    Args:
        key: Of the answer.
        needs: Of its suite.
        complete: The rounds that its store holds complete.
        known: The keys of all answers in its store.
    """
    counts = key.round in counting(complete) and not _superseded(key, complete, known)
    return counts and key.ordinal < needs.planned.get(key.request, 0)


def is_needed(key: StoreKey, needs: Needs, *, complete: frozenset[str], known: Container[StoreKey]) -> bool:
    """Whether an answer is to be kept: a plan or a baseline has its request, and no newer round answers it.

    An older round is still read for what newer ones do not answer, as after going back to an older prompt. Answers of
    judges are kept: their requests depend on answers that no plan knows. Arguments are those of `is_used`.
    """
    if _superseded(key, complete, known):
        return False
    if key.role != "subject" or key.request in needs.recorded:
        return True
    wanted = needs.planned.get(key.request, 0)
    counted = key.round == "" or key.round.isdigit()  # re-asking numbers its answers by itself
    return key.ordinal < wanted if counted else wanted > 0


def _superseded(key: StoreKey, complete: frozenset[str], known: Container[StoreKey]) -> bool:
    rounds = counting(complete)
    if key.round not in rounds:
        return False
    return any(replace(key, round=newer) in known for newer in rounds[: rounds.index(key.round)])
