"""How large a drop a gate can see, said beside its verdict (GATE §7)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_promptgate.core.detectable import (
    expected_se,
    guessed_flip_rate,
    in_words,
    mcnemar_mde,
    mcnemar_power,
    mde,
    power_at,
)

if TYPE_CHECKING:
    from pytest_promptgate.core.decision import Question
    from pytest_promptgate.core.gate import Standing

MOST_EXACT = 200  # cases; above, the normal approximation is as good, and the exact one takes too long
SMALL = 0.02  # a drop worth naming beside the detectable one


def what_it_sees(standing: Standing, question: Question, family: int) -> str:
    """``a drop of about 4.4 points is caught in 4 of 5 runs, one of 2 points in about 1 of 3``; "" if nobody knows.

    Points are hundredths of a metric on 0 … 1. Under ``confirm`` the one-sample value is a lower bound: the retrial
    sees more (GATE §10).

    Args:
        standing: The metric on its pairs.
        question: What was decided of it.
        family: Gated metrics of the run, which share its level.
    """
    arms, policy = question.arms, question.policy
    if policy.rule == "strict" or arms.statistic is not None or not 0 <= min(standing.before, standing.after) <= 1:
        return ""
    alpha, n = policy.alpha / family, len(arms.cases)
    least = "at least " if policy.rule == "confirm" else ""
    se = expected_se(arms.before, arms.after)
    if se is not None:
        return _told(mde(se, alpha=alpha, n=n), power_at(SMALL, se, alpha=alpha, n=n), least)
    if not arms.is_binary_once:
        return ""
    flips = guessed_flip_rate(standing.before)
    if n > MOST_EXACT:
        spread = math.sqrt(flips / n)
        return _told(mde(spread, alpha=alpha, n=n), power_at(SMALL, spread, alpha=alpha, n=n), least)
    found = mcnemar_mde(n, flips, alpha=alpha)
    if found is None:
        return f"{n} cases with one sample each: no drop would be caught in 4 of 5 runs without asking again"
    return _told(found, mcnemar_power(n, flips, SMALL, alpha=alpha), least)


def _told(drop: float, small: float, least: str) -> str:
    line = f"a drop of about {100 * drop:.1f} points is caught in {least}4 of 5 runs"
    chance = in_words(small)
    return line if drop <= SMALL else f"{line}, one of 2 points in {'about ' * chance[0].isdigit()}{chance}"
