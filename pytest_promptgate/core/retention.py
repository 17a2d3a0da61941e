"""Which stored answers somebody may still need."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.rounds import counting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def is_used(key: StoreKey, needs: Needs, *, complete: frozenset[str]) -> bool:
    """Whether a present plan reads this answer, wherever it came from."""
    return key.round == current_round(complete) and key.ordinal < needs.planned.get(key.request, 0)


def is_needed(key: StoreKey, needs: Needs, *, complete: frozenset[str]) -> bool:
    """Whether an answer is to be kept: a plan or a baseline has its request, and its round is not superseded.

    Answers of judges are kept: their requests depend on answers that no plan knows.
    """
    if _superseded(key.round, current_round(complete)):
        return False
    if key.role != "subject" or key.request in needs.recorded:
        return True
    wanted = needs.planned.get(key.request, 0)
    counted = key.round == "" or key.round.isdigit()  # re-asking numbers its answers by itself
    return key.ordinal < wanted if counted else wanted > 0


def _superseded(name: str, current: str) -> bool:
    if not current:
        return False
    return name == "" or (name.isascii() and name.isdigit() and int(name) < int(current))
