"""The broken-case test (GATE §3): did any single case fall further than chance lets the worst of all cases fall?

It sees one broken case among hundreds, which the mean hides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.exact import split_sums
from pytest_promptgate.core.swap_test import swap_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.swap_test import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenCase:
    """What the broken-case test found."""

    p: float  # 0 < p <= 1
    case: int | None  # index of the case that fell furthest; None if none fell


def broken_case(before: Samples, after: Samples) -> BrokenCase:
    """Test that no case is worse than before, by the worst of them.

    Passes and fails with equally many samples everywhere: `broken_case_test`. Else: Holm over the swap tests of the
    cases whose answers differ at all, of which the smallest adjusted p is reported.

    Args:
        before: The samples of each case; higher is better.
        after: Those of the same cases in the same order.
    """
    sizes = {len(side) for side in (*before, *after)}
    if len(sizes) == 1 and all(value in (0, 1) for side in (*before, *after) for value in side):
        lost = [sum(old) - sum(new) for old, new in zip(before, after, strict=True)]
        p = broken_case_test([round(sum(old)) for old in before], [round(sum(new)) for new in after], min(sizes))
        return BrokenCase(p=p, case=lost.index(max(lost)) if max(lost) > 0 else None)
    mixed = [at for at in range(len(before)) if len({*before[at], *after[at]}) > 1]
    tested = [(swap_test([before[at]], [after[at]]).p, -_fall(before[at], after[at]), at) for at in mixed]
    p, rise, case = min(tested, default=(1.0, 0.0, 0))
    return BrokenCase(p=min(1.0, p * len(mixed)) if mixed else 1.0, case=case if rise < 0 else None)


def broken_case_test(before: Sequence[int], after: Sequence[int], samples: int) -> float:
    """p of the largest loss D = max(before - after): 1 - Π(1 - P(loss of case i >= D)), losses hypergeometric.

    Args:
        before: Passed samples of each case.
        after: Passed samples of the same cases now.
        samples: Of each case on each side.
    """
    worst = max((old - new for old, new in zip(before, after, strict=True)), default=0)
    if worst <= 0:
        return 1.0
    chances = [_at_least(old + new, samples, worst) for old, new in zip(before, after, strict=True)]
    return -math.expm1(math.fsum(math.log1p(-chance) for chance in chances))


def _at_least(passed: int, samples: int, loss: int) -> float:
    """P(a case with so many passes in both sides together loses at least `loss` > 0 of them)."""
    sums = split_sums([1] * passed + [0] * (2 * samples - passed), samples) or {}
    return sum(ways for kept, ways in sums.items() if passed - 2 * kept >= loss) / math.comb(2 * samples, samples)


def _fall(before: Sequence[float], after: Sequence[float]) -> float:
    return math.fsum(before) / len(before) - math.fsum(after) / len(after)
