"""Confidence intervals and standard errors. `d` is always new minus old per case, in the metric's unit."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import NormalDist, variance
from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import quantile
from pytest_promptgate.core.resampling import seed_of, words

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from pytest_promptgate.core.swap_test import Samples


def z_of(level: float) -> float:
    """The standard normal quantile of `level` in (0, 1)."""
    return NormalDist().inv_cdf(level)


def wilson(passed: float, n: int, *, conf: float = 0.95) -> tuple[float, float]:
    """Interval of a share.

    Source:
        Wilson, J. Am. Statist. Assoc. 22 (1927).
    """
    if n < 1:
        raise ValueError("an interval of a share needs at least one trial")
    z = z_of((1 + conf) / 2)
    share, denominator = passed / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / denominator
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / denominator
    return (0.0 if passed == 0 else middle - half), (1.0 if passed == n else middle + half)


def newcombe(both: int, first: int, second: int, neither: int, *, conf: float = 0.95) -> tuple[float, float]:
    """Interval of the difference of two paired shares, first minus second.

    Args:
        both: Cases that pass on both sides.
        first: Cases that pass on the first side only.
        second: Cases that pass on the second side only.
        neither: Cases that fail on both sides.

    Source:
        Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10.
    """
    n = both + first + second + neither
    one, two = (both + first) / n, (both + second) / n
    low1, high1 = wilson(both + first, n, conf=conf)
    low2, high2 = wilson(both + second, n, conf=conf)
    phi = _phi(both, first, second, neither)
    below = (one - low1) ** 2 - 2 * phi * (one - low1) * (high2 - two) + (high2 - two) ** 2
    above = (two - low2) ** 2 - 2 * phi * (two - low2) * (high1 - one) + (high1 - one) ** 2
    return one - two - math.sqrt(max(0.0, below)), one - two + math.sqrt(max(0.0, above))


def _phi(both: int, first: int, second: int, neither: int) -> float:
    """The correlation, with Newcombe's continuity correction."""
    n = both + first + second + neither
    product = (both + first) * (second + neither) * (both + second) * (first + neither)
    if product == 0:
        return 0.0
    excess = both * neither - first * second
    return (max(0.0, excess - n / 2) if excess > 0 else excess) / math.sqrt(product)


def suite_se(before: Samples, after: Samples) -> float:
    """Standard error of the mean difference for these very cases: the spread of repeated answers alone (GATE §7).

    Raises:
        ValueError: A case has fewer than two samples on a side.
    """
    if any(len(side) < 2 for side in (*before, *after)):
        raise ValueError("the spread of answers needs at least two samples of every case on both sides")
    total = math.fsum(variance(side) / len(side) for side in (*before, *after))
    return math.sqrt(total) / len(before)


def cluster_se(d: Sequence[float], clusters: Sequence[Hashable] | None = None) -> float:
    """Standard error of the mean difference for cases like these; CR1 when cases come in clusters.

    Raises:
        ValueError: There are fewer than two clusters (cases, if none are given).

    Source:
        Miller, Adding Error Bars to Evals, arXiv 2411.00640, §2.2; Cameron & Miller (2015) for CR1.
    """
    mean = math.fsum(d) / len(d)
    sums: defaultdict[Hashable, float] = defaultdict(float)
    for at, each in enumerate(d):
        sums[at if clusters is None else clusters[at]] += each - mean
    groups = len(sums)
    if groups < 2:
        raise ValueError("the spread of cases needs at least two clusters")
    return math.sqrt(groups / (groups - 1) * math.fsum(each * each for each in sums.values())) / len(d)


def paired_t_lower(d: Sequence[float], *, alpha: float = 0.05) -> float:
    """Lower bound of the mean difference at confidence 1 - `alpha`, by Student's t."""
    from scipy.special import stdtrit  # its t quantile is the only thing here that the standard library lacks

    return math.fsum(d) / len(d) - float(stdtrit(len(d) - 1, 1 - alpha)) * cluster_se(d)


def bootstrap(
    n: int, statistic: Callable[[Sequence[int]], float], *, conf: float = 0.95, draws: int = 2000, seed: object = ()
) -> tuple[float, float]:
    """Percentile interval of any statistic of `n` units (cases, or whole clusters).

    Args:
        n: Units that are drawn with replacement, >= 1.
        statistic: Takes the indices of the drawn units, with repeats. Draws for which it is nan are left out.
        seed: Plain data that the draws depend on, so that the same run shows the same interval everywhere.

    Source:
        Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
    """
    raw = words(seed_of(seed), "bootstrap", n * draws)
    values = [statistic([word * n >> 32 for word in raw[at : at + n]]) for at in range(0, n * draws, n)]
    values = [value for value in values if not math.isnan(value)]
    return quantile(values, (1 - conf) / 2), quantile(values, (1 + conf) / 2)
