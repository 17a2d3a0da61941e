"""The swap test (GATE §3), for metrics that are means over cases of means over samples.

If the change made no difference, a case's baseline and candidate answers are interchangeable. We deal each case's
pooled answers out anew in all possible ways and count how often the drop is at least as large as the one seen. That
share is p: exact under "the change has no effect on any case", whatever the scores look like. With one sample of a
binary score it is McNemar's test, with several it is the Cochran-Mantel-Haenszel test, with one sample of any score
the sign-flip test. `statistic_test` does the same for metrics that are no means.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_promptgate.core.convolution import lower_tail
from pytest_promptgate.core.exact import mcnemar_exact, split_sums
from pytest_promptgate.core.resampling import MOST_SPLITS, Pool, drawn_share, seed_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

Alternative: TypeAlias = Literal["worse", "better"]
Samples: TypeAlias = "Sequence[Sequence[float]]"  # per case its samples; at least one each; higher is better

GRID = 1e-9  # scores are read as whole multiples of this: GATE's guard against floating-point dust


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What the swap test found."""

    p: float  # 0 < p <= 1
    p_min: float  # the smallest p that these pooled answers could have given; >= 0, 0 only by underflow
    exact: bool  # False: from `resampling.DRAWS` seeded draws


def swap_test(
    before: Samples,
    after: Samples,
    *,
    alternative: Alternative = "worse",
    clusters: Sequence[Hashable] | None = None,
) -> Swap:
    """Test that the mean over cases is not worse (or not better) than before.

    Args:
        before: The samples of each case.
        after: Those of the same cases in the same order; may be more or fewer per case.
        clusters: The cluster of each case, if the calls of a cluster share their randomness: whole clusters are
            swapped then. Needs equally many samples on both sides of a case.

    Raises:
        ValueError: The sides have different cases, a case has no sample, or clusters are uneven.

    Source:
        Fisher, The Design of Experiments (1935), §21; Good, Permutation, Parametric and Bootstrap Tests (2005), ch. 3.
    """
    if alternative == "better":
        before, after = after, before
    _check(before, after)
    cases = [_Case.of(old, new) for old, new in zip(before, after, strict=True)]
    changed = [case for case in cases if len(set(case.old + case.new)) > 1]
    if clusters is None and all(case.is_single for case in changed):
        return _of_swaps([sum(case.new) - sum(case.old) for case in changed])
    if clusters is not None:
        return _of_swaps(_cluster_gains(cases, clusters))
    return _of_resplits(changed)


@dataclass(frozen=True, slots=True)
class _Case:
    """One case on the grid."""

    old: tuple[int, ...]
    new: tuple[int, ...]

    @classmethod
    def of(cls, old: Sequence[float], new: Sequence[float]) -> _Case:
        # Sorted, so that the order of the samples does not show in the draws.
        return cls(tuple(sorted(round(each / GRID) for each in old)), tuple(sorted(round(each / GRID) for each in new)))

    @property
    def is_single(self) -> bool:
        return len(self.old) == len(self.new) == 1


def _check(before: Samples, after: Samples) -> None:
    if len(before) != len(after):
        raise ValueError(f"{len(before)} cases before and {len(after)} after cannot be paired")
    if not all(map(len, before)) or not all(map(len, after)):
        raise ValueError("every case needs at least one sample on both sides")


def _of_swaps(gains: Sequence[int]) -> Swap:
    """Flip the sign of each gain: exact for swaps of whole samples, whole arms or whole clusters."""
    moved = sorted(gain for gain in gains if gain)
    p_min = 0.5 ** len(moved)
    sizes = {abs(gain) for gain in moved}
    if len(sizes) <= 1:
        lost = sum(gain < 0 for gain in moved)
        return Swap(p=mcnemar_exact(lost, len(moved) - lost), p_min=p_min, exact=True)
    parts = [{-abs(gain): 1, abs(gain): 1} for gain in moved]
    exact = lower_tail(parts, sum(moved))
    if exact is not None:
        return Swap(p=max(exact, p_min), p_min=p_min, exact=True)
    # Sorted by size, so that the order of the cases does not show in the draws.
    parts = [{-size: 1, size: 1} for size in sorted(map(abs, moved))]
    return Swap(p=drawn_share(parts, sum(moved), seed_of(moved)), p_min=p_min, exact=False)


def _cluster_gains(cases: Sequence[_Case], clusters: Sequence[Hashable]) -> list[int]:
    if len(clusters) != len(cases):
        raise ValueError(f"{len(clusters)} clusters do not fit {len(cases)} cases")
    if any(len(case.old) != len(case.new) for case in cases):
        raise ValueError("whole clusters can be swapped only if both sides of every case have equally many samples")
    scale = math.lcm(*(len(case.old) for case in cases))
    gains: Counter[Hashable] = Counter()
    for case, cluster in zip(cases, clusters, strict=True):
        gains[cluster] += (sum(case.new) - sum(case.old)) * (scale // len(case.old))
    return list(gains.values())


def _of_resplits(cases: Sequence[_Case]) -> Swap:
    cases = sorted(cases, key=lambda case: (case.old, case.new))
    scale = math.lcm(*(len(side) for case in cases for side in (case.old, case.new)))
    parts: list[Mapping[int, int] | Pool] = []
    mark, p_min = 0, 1.0
    for case in cases:
        pool, taken = case.old + case.new, len(case.new)
        per_new, per_old = scale // taken, scale // len(case.old)
        shift = -sum(pool) * per_old
        mark += sum(case.new) * (per_new + per_old) + shift
        sums = split_sums(pool, taken)
        if sums is None:
            part = Pool(pool, taken, scale=per_new + per_old, shift=shift)
            parts.append(part)
            p_min /= part.splits
        else:
            parts.append({total * (per_new + per_old) + shift: ways for total, ways in sums.items()})
            p_min *= sums[min(sums)] / math.comb(len(pool), taken)
    exact = _exact_tail(parts, mark)
    if exact is not None:
        return Swap(p=max(exact, p_min), p_min=p_min, exact=True)
    seed = seed_of([(case.old, case.new) for case in cases])
    return Swap(p=drawn_share(parts, mark, seed), p_min=p_min, exact=False)


def _exact_tail(parts: Sequence[Mapping[int, int] | Pool], mark: int) -> float | None:
    listed = [part for part in parts if not isinstance(part, Pool)]
    if len(listed) == len(parts):
        return lower_tail(listed, mark)
    only = parts[0]
    if len(parts) == 1 and isinstance(only, Pool) and only.splits <= MOST_SPLITS:
        return sum(value <= mark for value in only.listed()) / only.splits
    return None
