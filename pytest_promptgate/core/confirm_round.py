"""Which cases the ``confirm`` rule asks again, and how often (GATE §4, DECISIONS 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.arms import Arms

MOST_SAMPLES = 8
LEAST_SAMPLES = 3
CALLS_PER_CASE = 6  # default budget: so many calls per case of the suite, all prompts together


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRound:
    """Fresh samples to ask, of each prompt alike."""

    cases: tuple[str, ...]  # ids, sorted
    samples: int  # per case and prompt


def confirm_round(lowered: Sequence[Arms], *, max_calls: int, prompts: int = 2) -> ConfirmRound:
    """Choose the cases that changed on any metric that is lower, in both directions, or repaired ones would be lost.

    If the budget does not pay `LEAST_SAMPLES` for all of them, those that changed most are taken, measured against
    the largest change on the same metric. At least one case is asked, whatever the budget.

    Args:
        lowered: The metrics that are lower, as stored and as run.
        max_calls: Calls of all prompts together; `CALLS_PER_CASE` times the suite's cases by default.
        prompts: 2, or 3 if the anchor's prompt is asked too.
    """
    change: dict[str, float] = {}
    for arms in lowered:
        for case, size in _changes(arms).items():
            change[case] = max(change.get(case, 0.0), size)
    most = max(1, max_calls // (prompts * LEAST_SAMPLES))
    chosen = sorted(change, key=lambda case: (-change[case], case))[:most]
    samples = max_calls // (prompts * max(1, len(chosen)))
    return ConfirmRound(cases=tuple(sorted(chosen)), samples=min(MOST_SAMPLES, max(LEAST_SAMPLES, samples)))


def _changes(arms: Arms) -> dict[str, float]:
    """The cases that differ, with the size of their change; the largest is 1."""
    gains = [abs(gain) for gain in arms.case_gains]
    largest = max(gains, default=0.0) or 1.0
    sides = (arms.before, arms.after) if arms.statistic is None else (arms.statistic.before, arms.statistic.after)
    return {
        case: gain / largest
        for case, gain, old, new in zip(arms.cases, gains, *sides, strict=True)
        if sorted(old) != sorted(new)
    }
