"""Exact tests on counts: McNemar, and the re-splits of one case's pooled samples. Integers until the last division."""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_MIXES = 4096  # ways to take some of each value of one pool; 5 + 5 samples, all different, have 1024


def mcnemar_exact(worse: int, better: int, alternative: Literal["worse", "better", "two-sided"] = "worse") -> float:
    """The share of all swaps of the `worse` + `better` changed cases that look as bad: P(Bin(w + b, 1/2) >= w).

    Args:
        worse: Cases that passed before and fail now, >= 0.
        better: Cases that failed before and pass now, >= 0.

    Source:
        McNemar, Psychometrika 12 (1947); exact by the binomial distribution. Two-sided is twice the smaller tail.
    """
    if alternative == "two-sided":
        return min(1.0, 2 * mcnemar_exact(max(worse, better), min(worse, better)))
    if alternative == "better":
        worse, better = better, worse
    changed = worse + better
    term = tail = 1  # term = C(changed, k), from k = changed downwards
    for k in range(changed, worse, -1):
        term = term * k // (changed - k + 1)
        tail += term
    return tail / (1 << changed)


def split_sums(pool: Sequence[int], taken: int) -> Mapping[int, int] | None:
    """How many of the C(len(pool), taken) choices give each sum; None if the pool has too many different values.

    With zeros and ones this is the hypergeometric distribution, times its denominator.
    """
    return _split_sums(tuple(sorted(pool)), taken)


@lru_cache(maxsize=4096)
def _split_sums(pool: tuple[int, ...], taken: int) -> Mapping[int, int] | None:
    repeats = Counter(pool)
    if math.prod(count + 1 for count in repeats.values()) > MOST_MIXES:
        return None
    # Value by value; many equal values make that far cheaper than choosing sample by sample.
    ways = {(0, 0): 1}
    for value, count in repeats.items():
        longer: Counter[tuple[int, int]] = Counter()
        for (chosen, total), known in ways.items():
            for more in range(min(count, taken - chosen) + 1):
                longer[chosen + more, total + more * value] += known * math.comb(count, more)
        ways = longer
    return {total: known for (chosen, total), known in ways.items() if chosen == taken}
