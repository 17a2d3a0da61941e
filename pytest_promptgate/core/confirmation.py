"""Stage 2 of the rule ``confirm``: which cases both prompts are asked again, and how often (GATE §4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_promptgate.core.changes import EPSILON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.types import Observation, Outcome

LEAST_SAMPLES = 3
MOST_SAMPLES = 8
CALLS_PER_CASE = 6
LEAST_CALLS = 48  # one broken case of a tiny suite needs more than three samples to be told from luck


def default_calls(cases: int) -> int:
    """The budget of stage 2 for a suite of so many cases, if it names none."""
    return max(LEAST_CALLS, CALLS_PER_CASE * cases)


class Arm(StrEnum):
    """Whose answers."""

    CANDIDATE = "candidate"
    PRODUCTION = "production"
    ANCHOR = "anchor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrial:
    """What is asked again, of each arm."""

    cases: tuple[str, ...]  # ids, sorted; never empty
    samples: int  # fresh answers per case and arm

    def calls(self, arms: int = 2) -> int:
        """How many answers that takes, at most: some may be stored."""
        return arms * self.samples * len(self.cases)


def retrial(lower: Sequence[Arms], *, most_calls: int, arms: int = 2, most_samples: int = MOST_SAMPLES) -> Retrial:
    """Choose the cases whose score differs on any metric that came out lower, in both directions.

    Repaired cases belong to them as much as broken ones: to leave them out would bias the retrial towards failure.
    If the budget does not reach three samples of each, the cases that moved most are taken, by the share of the
    metric's largest move, so that metrics of different units compare.

    Args:
        lower: The metrics that came out lower, as stored and as run; at least one, and in each some case moved.
        most_calls: Budget, over all arms.
        arms: How many prompts are asked: production and candidate, and the anchor if it is in question.
        most_samples: Fresh samples per case if the budget allows.
    """
    weight: dict[str, float] = {}
    for each in lower:
        largest = max(each.moves)
        for case, move in zip(each.cases, each.moves, strict=True):
            if move > EPSILON:
                weight[case] = max(weight.get(case, 0.0), move / largest)
    ranked = sorted(weight, key=lambda case: (-weight[case], case))
    chosen = ranked[: max(1, most_calls // (arms * LEAST_SAMPLES))]
    affordable = most_calls // (arms * len(chosen))
    return Retrial(cases=tuple(sorted(chosen)), samples=min(most_samples, max(LEAST_SAMPLES, affordable)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """What stage 2 brought: fresh samples of every arm on the same cases."""

    retrial: Retrial
    asked: int  # calls that were made for it in this run; the rest was stored
    answers: Mapping[Arm, Mapping[str, tuple[Observation, ...]]]  # by case id, in sample order

    @property
    def total(self) -> int:
        """Answers of all arms."""
        return sum(len(samples) for arm in self.answers.values() for samples in arm.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRetried:
    """Why there are no fresh samples, and what that makes of a metric that came out lower."""

    why: str  # goes on after "…, and "
    outcome: Outcome | None  # None: stored samples have to decide (DECISIONS 5)


Stage2 = Retried | NotRetried
