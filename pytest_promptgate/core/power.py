"""What a gate can see, and what it takes to see more: ``promptgate power`` (GATE §7).

With one sample of scores that are 0 or 1 by the exact McNemar test; otherwise by its MDE formula,
(1 + 1/√n)·(z_{1-α} + z_.8)·SE, and by that formula solved for cases or samples. Drops are in the metric's own unit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_promptgate.core.detectable import POWER, mcnemar_mde, mcnemar_power, mde, power_at
from pytest_promptgate.core.intervals import z_of

if TYPE_CHECKING:
    from pytest_promptgate.core.noise import Noise

MOST_EXACT = 20_000  # cases; above, the exact test takes long, and the normal approximation is as good
MOST_CASES = 1_000_000  # more is told as "not within reach"
MOST_SAMPLES = 1_000


def detectable_drop(noise: Noise, n: int, samples: int, *, alpha: float) -> float | None:
    """The smallest drop that is caught in 4 of 5 runs; None if not even the loss of everything is.

    Args:
        noise: Of the metric.
        n: Cases.
        samples: Answers per case, on both sides.
        alpha: Level of this one test: the run's, divided by its family.
    """
    if _is_exact(noise, n, samples):
        return mcnemar_mde(n, noise.flip_rate, alpha=alpha)
    return mde(noise.error(n, samples), alpha=alpha, n=n)


def chance(noise: Noise, drop: float, n: int, samples: int, *, alpha: float) -> float:
    """How likely a drop > 0 is caught."""
    if _is_exact(noise, n, samples):
        return mcnemar_power(n, noise.flip_rate, drop, alpha=alpha)
    return power_at(drop, noise.error(n, samples), alpha=alpha, n=n)


def cases_needed(noise: Noise, drop: float, samples: int, *, alpha: float) -> int | None:
    """The fewest cases with which a drop is caught in 4 of 5 runs; None if a million do not suffice.

    Exact power is not quite monotone in the number of cases; the number is one from which on it suffices, give or
    take its teeth.
    """
    if _is_exact(noise, 1, samples):
        return _mcnemar_cases(noise, drop, alpha)
    # (1 + 1/√n)·a ≤ √n with a = z·spread/(√K·drop), solved for √n
    a = (z_of(1 - alpha) + z_of(POWER)) * noise.spread / (math.sqrt(samples) * drop)
    n = max(1, math.ceil(((a + math.sqrt(a * a + 4 * a)) / 2) ** 2 - 1e-9))
    return n if n <= MOST_CASES else None


def samples_needed(noise: Noise, drop: float, n: int, *, alpha: float) -> int | None:
    """The fewest samples of `n` cases with which a drop is caught in 4 of 5 runs; None if a thousand do not suffice."""
    if chance(noise, drop, n, 1, alpha=alpha) >= POWER:
        return 1
    single = mde(noise.error(n, 1), alpha=alpha, n=n)
    samples = max(2, math.ceil((single / drop) ** 2 - 1e-9))
    return samples if samples <= MOST_SAMPLES else None


def _is_exact(noise: Noise, n: int, samples: int) -> bool:
    return noise.binary and samples == 1 and n <= MOST_EXACT


def _mcnemar_cases(noise: Noise, drop: float, alpha: float) -> int | None:
    def enough(n: int) -> bool:
        return chance(noise, drop, n, 1, alpha=alpha) >= POWER

    high = 8
    while not enough(high):
        high *= 2
        if high > MOST_CASES:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
