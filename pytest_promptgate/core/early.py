"""Stopping early: bounds that are certain, and e-processes that may be looked at after every case (GATE §7)."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_promptgate.core.exact import mcnemar_exact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

EPSILON = 1e-9  # floating-point dust; GATE §1
GRID = 32
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)  # of the largest stake, for sampling without replacement


class Certainty(StrEnum):
    """What the cases that are still open can do to the verdict."""

    OPEN = "open"
    PASS = "certain_pass"  # noqa: S105 (a verdict, no password)
    FAIL = "certain_fail"


def strict_bounds(
    total: float, *, left_low: float, left_high: float, n: int, baseline_mean: float, tolerance: float = 0.0
) -> Certainty:
    """Whether a strict comparison of means is decided already; the same verdict as the full run, always.

    Args:
        total: Sum of the finished cases' scores; higher is better (turn costs round: negate everything).
        left_low: The least that all unfinished cases together can add.
        left_high: The most that they can add.
        n: All cases, finished or not.
        baseline_mean: Of the same cases.
        tolerance: Allowed drop of the mean, >= 0.
    """
    needed = n * (baseline_mean - tolerance - EPSILON)
    if total + left_low >= needed:
        return Certainty.PASS
    return Certainty.FAIL if total + left_high < needed else Certainty.OPEN


def mcnemar_curtail(*, worse: int, better: int, passes_left: int, fails_left: int, alpha: float) -> Certainty:
    """Whether McNemar's test is decided already.

    Args:
        worse: Finished cases that passed before and fail now.
        better: Finished cases that failed before and pass now.
        passes_left: Unfinished cases that passed before: each can only become worse.
        fails_left: Unfinished cases that failed before: each can only become better.
    """
    if mcnemar_exact(worse, better + fails_left) <= alpha + EPSILON:
        return Certainty.FAIL
    return Certainty.PASS if mcnemar_exact(worse + passes_left, better) > alpha + EPSILON else Certainty.OPEN


def e_mcnemar(worse: int, better: int) -> float:
    """Evidence that more cases get worse than better; stop and fail once it is >= 1/α, looking after every case.

    The order of the cases must be random and blind to the baseline's results.

    Source:
        Likelihood ratios mixed over P(worse) uniform on (1/2, 1): 2^(N+1) w! r! / (N+1)! P(Bin(N+1, 1/2) <= w).
    """
    n = worse + better
    below = sum(math.comb(n + 1, k) for k in range(worse + 1))
    # 2^(N+1) cancels against the binomial's denominator; the rest is a ratio of whole numbers.
    return below / (math.comb(n, worse) * (n + 1))


def e_grid(d: Sequence[float], *, margin: float = 0.0, grid: int = GRID) -> list[float]:
    """Evidence after each case that the mean of `d` is below -`margin`; the same use as `e_mcnemar`.

    Args:
        d: New minus old score per case, -1 … 1, in the random order in which cases finished.
        grid: Number of stakes that are mixed.

    Source:
        Waudby-Smith & Ramdas, Estimating Means of Bounded Random Variables by Betting, JRSS B 86 (2024).
    """
    return list(e_values(d, margin=margin, grid=grid))


def e_values(d: Iterable[float], *, margin: float = 0.0, grid: int = GRID) -> Iterator[float]:
    """`e_grid`, case by case: reads one more of `d` for each value."""
    stakes = [(j - 0.5) / (grid * (1 + margin)) for j in range(1, grid + 1)]
    wealth = [1.0] * grid
    for each in d:
        wealth = [have * (1 - stake * (each + margin)) for have, stake in zip(wealth, stakes, strict=True)]
        yield math.fsum(wealth) / grid


def e_without_replacement(d: Iterable[float], n: int) -> list[float]:
    """Evidence after each case that the sum over all `n` cases will be below 0, for the strict rule.

    Args:
        d: As in `e_grid`; the cases are drawn from the `n` ones without replacement.
        n: All cases.

    Source:
        Waudby-Smith & Ramdas, §4 (sampling without replacement).
    """
    wealth = [1.0] * len(SHARES)
    path, total = [], 0.0
    for done, each in enumerate(d):
        left = -total / (n - done)  # the mean of the open cases, were the sum exactly 0
        # Beyond 1, no completion keeps the sum at 0: the drop is certain.
        stakes = [share / max(1 - left, EPSILON) for share in SHARES]
        wealth = [have * max(0.0, 1 - stake * (each - left)) for have, stake in zip(wealth, stakes, strict=True)]
        total += each
        path.append(math.fsum(wealth) / len(wealth))
    return path
