"""How many calls early stopping saves, and that it never changes a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_promptgate.core.early import Certainty, e_mcnemar, mcnemar_curtail, strict_bounds
from pytest_promptgate.core.exact import mcnemar_exact

from .populations import Change, population

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One run that stops as soon as its failure is certain."""

    used: float  # share of the calls that were made
    fails: bool
    same: bool  # the verdict of the full run


def strict_run(n: int, change: Change, chance: np.random.Generator) -> Stop:
    """The strict rule with exact bounds; cases that failed in the baseline come first."""
    before, after = _pair(n, change, chance)
    order = np.argsort(before, kind="stable")
    mean, fails = float(before.mean()), bool(after.sum() < before.sum())
    total = 0.0
    for done, case in enumerate(order, start=1):
        total += float(after[case])
        found = strict_bounds(total, left_low=0, left_high=n - done, n=n, baseline_mean=mean)
        if found is Certainty.FAIL:
            return Stop(used=done / n, fails=True, same=fails)
    return Stop(used=1.0, fails=fails, same=True)


def mcnemar_run(n: int, change: Change, chance: np.random.Generator) -> Stop:
    """McNemar's test with exact bounds; cases that failed in the baseline come first."""
    before, after = _pair(n, change, chance)
    lost, won = (before & ~after), (~before & after)
    fails = mcnemar_exact(int(lost.sum()), int(won.sum())) <= ALPHA
    worse, better, passes, fails_left = 0, 0, int(before.sum()), int((~before).sum())
    for done, case in enumerate(np.argsort(before, kind="stable"), start=1):
        worse, better = worse + int(lost[case]), better + int(won[case])
        passes, fails_left = passes - int(before[case]), fails_left - int(~before[case])
        if not lost[case]:
            continue
        found = mcnemar_curtail(worse=worse, better=better, passes_left=passes, fails_left=fails_left, alpha=ALPHA)
        if found is Certainty.FAIL:
            return Stop(used=done / n, fails=True, same=fails)
    return Stop(used=1.0, fails=fails, same=True)


def e_run(n: int, change: Change, chance: np.random.Generator) -> Stop:
    """The e-process at a fifth of the level in random order, then McNemar's test with the rest."""
    before, after = _pair(n, change, chance)
    worse = better = 0
    for done, case in enumerate(chance.permutation(n), start=1):
        worse, better = worse + int(before[case] & ~after[case]), better + int(~before[case] & after[case])
        if before[case] and not after[case] and e_mcnemar(worse, better) >= 1 / (0.2 * ALPHA):
            return Stop(used=done / n, fails=True, same=True)
    fails = mcnemar_exact(worse, better) <= 0.8 * ALPHA
    return Stop(used=1.0, fails=fails, same=True)


def _pair(n: int, change: Change, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rates = population(n, chance)
    return chance.random(n) < rates, chance.random(n) < change(rates, chance)
