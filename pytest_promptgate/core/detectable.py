"""How large a drop a suite can see, and how many cases it would need (GATE §7)."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from pytest_promptgate.core.intervals import suite_se, z_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_promptgate.core.swap_test import Samples

POWER = 0.8  # "caught in 4 of 5 runs"


def mde(se: float, *, alpha: float = 0.05, power: float = POWER, n: int | None = None) -> float:
    """The smallest drop that a one-sided test finds with probability `power`, in the unit of `se`.

    Args:
        se: Standard error of the difference.
        alpha: Level of this one test: the run's level divided by its family.
        n: Cases; given, the factor 1 + 1/√n makes up for what an exact test loses on few cases (fitted, GATE §7).
    """
    loss = 1.0 if n is None else 1 + 1 / math.sqrt(n)
    return loss * (z_of(1 - alpha) + z_of(power)) * se


def required_n(sd_diff: float, delta: float, *, alpha: float = 0.05, power: float = POWER) -> int:
    """Cases needed to find a drop of `delta` > 0 when a case's difference has the standard deviation `sd_diff`."""
    return max(1, math.ceil(((z_of(1 - alpha) + z_of(power)) * sd_diff / delta) ** 2 - 1e-9))


def power_at(drop: float, se: float, *, alpha: float = 0.05, n: int | None = None) -> float:
    """How likely a drop is found; the inverse of `mde`."""
    loss = 1.0 if n is None else 1 + 1 / math.sqrt(n)
    if se == 0:
        return 1.0 if drop > 0 else 0.0
    return NormalDist().cdf(drop / (loss * se) - z_of(1 - alpha))


def mcnemar_power(n: int, flip_rate: float, drop: float, *, alpha: float = 0.05) -> float:
    """Power of the exact McNemar test with one sample per case.

    Args:
        n: Cases.
        flip_rate: Share of cases whose result changes when nothing has changed (`--prompt-aa` measures it).
        drop: True drop of the mean, 0 … 1: worse with flip_rate/2 + drop, better with flip_rate/2.
    """
    changes = min(1.0, flip_rate + drop)
    if changes == 0:
        return 0.0
    worse = min(1.0, (flip_rate / 2 + drop) / changes)
    total, critical = 0.0, _critical(n, alpha)
    for changed, chance in _likely(n, changes):
        total += chance * _at_least(changed, worse, critical[changed])
    return total


def _likely(n: int, share: float) -> list[tuple[int, float]]:
    reach = 9 * math.sqrt(n * share * (1 - share)) + 9
    near = range(max(0, math.floor(n * share - reach)), min(n, math.ceil(n * share + reach)) + 1)
    return [(k, _binomial(n, k, share)) for k in near]


def _binomial(n: int, k: int, share: float) -> float:
    if share in (0.0, 1.0):
        return float(k == n * share)
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(choose + k * math.log(share) + (n - k) * math.log1p(-share))


@lru_cache(maxsize=64)
def _critical(n: int, alpha: float) -> tuple[int, ...]:
    """For 0 … n changed cases, the fewest worse ones that are significant; one more than changed if none are."""
    found, least, tail = [1], 1, 0.0  # tail: P(Bin(changed, ½) >= least), what McNemar's test gives
    for changed in range(1, n + 1):
        tail += _binomial(changed - 1, least - 1, 0.5) / 2
        if tail > alpha + 1e-9:
            tail -= _binomial(changed, least, 0.5)
            least += 1
        found.append(least)
    return tuple(found)


def _at_least(n: int, share: float, k: int) -> float:
    if k > n:
        return 0.0
    if k <= n * share:  # the shorter tail: its terms shrink, so none of those that count is lost as too small
        return 1.0 - _at_least(n, 1 - share, n - k + 1)
    term = _binomial(n, k, share)
    total, odds = 0.0, share / (1 - share) if share < 1 else 0.0
    for each in range(k, n + 1):
        total += term
        term *= odds * (n - each) / (each + 1)
        if term < 1e-18:
            break
    return total


def mcnemar_mde(n: int, flip_rate: float, *, alpha: float = 0.05, power: float = POWER) -> float | None:
    """The smallest drop that `mcnemar_power` finds with probability `power`; None if not even a drop to 0 is."""
    most = 1 - flip_rate
    if mcnemar_power(n, flip_rate, most, alpha=alpha) < power:
        return None
    return _bisected(lambda drop: mcnemar_power(n, flip_rate, drop, alpha=alpha) >= power, most)


def _bisected(enough: Callable[[float], bool], high: float) -> float:
    low = 0.0
    while high - low > 5e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def guessed_flip_rate(level: float) -> float:
    """What is assumed of the flip rate when it was never measured: two independent answers of one accuracy differ."""
    return 2 * level * (1 - level)


def expected_se(before: Samples, after: Samples) -> float | None:
    """Standard error of repeated answers, or None if a case has fewer than two samples on a side."""
    if any(len(side) < 2 for side in (*before, *after)):
        return None
    return suite_se(before, after)


def in_words(chance: float) -> str:
    """A probability as engineers say it: ``4 of 5``, ``1 of 3``; the nearest of few."""
    fractions = {1 / 20: "1 of 20", 0.1: "1 of 10", 0.2: "1 of 5", 0.25: "1 of 4", 1 / 3: "1 of 3", 0.5: "1 of 2"}
    fractions |= {2 / 3: "2 of 3", 0.75: "3 of 4", 0.8: "4 of 5", 0.9: "9 of 10", 0.95: "19 of 20"}
    if chance < 0.03:
        return "fewer than 1 of 30"
    return "nearly all" if chance > 0.97 else fractions[min(fractions, key=lambda each: abs(each - chance))]
