"""Simulated suites: cases with their own success rates, and ways in which a change makes them worse (GATE §10).

Rates follow Beta(.693, .184): U-shaped, mean .79, two answers to one case differ in 15.5 % of cases, and 53 % of the
variance lies between cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_promptgate.core.arms import Arms, Side

Rates: TypeAlias = NDArray[np.float64]  # per case, the share of answers that pass
Change: TypeAlias = Callable[[Rates, np.random.Generator], Rates]

A, B = 0.6926, 0.1841


def population(n: int, chance: np.random.Generator) -> Rates:
    """The success rates of `n` cases."""
    return chance.beta(A, B, n)


def answers(rates: Rates, samples: int, chance: np.random.Generator) -> Side:
    """Passes and fails, per case its samples."""
    drawn = (chance.random((len(rates), samples)) < rates[:, None]).astype(float)
    return tuple(map(tuple, drawn.tolist()))


def arms(before: Side, after: Side) -> Arms:
    """Two arms on all cases."""
    return Arms(cases=names(range(len(before))), before=before, after=after)


def names(numbers: range | list[int]) -> tuple[str, ...]:
    """Case ids that sort like their numbers."""
    return tuple(f"{number:05}" for number in numbers)


def _bisected(rates: Rates, drop: float, moved: Callable[[float], Rates]) -> Rates:
    low, high = 0.0, 30.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if rates.mean() - moved(middle).mean() < drop else (low, middle)
    return moved(high)


def by_odds(drop: float) -> Change:
    """Every case's odds shrink by one factor: uncertain cases lose most. The mean falls by `drop`."""

    def change(rates: Rates, chance: np.random.Generator) -> Rates:
        sure = np.clip(rates, 1e-9, 1 - 1e-9)
        odds = np.log(sure / (1 - sure))
        return _bisected(rates, drop, lambda by: 1 / (1 + np.exp(by - odds)))

    return change


def evenly(drop: float) -> Change:
    """Every case loses equally many points, the surest ones too."""

    def change(rates: Rates, chance: np.random.Generator) -> Rates:
        return _bisected(rates, drop, lambda by: np.clip(rates - by, 0, 1))

    return change


def concentrated(drop: float) -> Change:
    """As many random cases break as it takes."""

    def change(rates: Rates, chance: np.random.Generator) -> Rates:
        worse, left = rates.copy(), drop * len(rates)
        for case in chance.permutation(len(rates)):
            lost = min(worse[case], left)
            worse[case] -= lost
            left -= lost
        return worse

    return change


def nothing(rates: Rates, chance: np.random.Generator) -> Rates:
    """No change."""
    return rates


def one_case(rates: Rates, chance: np.random.Generator) -> Rates:
    """One case that used to pass almost always fails now."""
    worse = rates.copy()
    worse[chance.choice(np.flatnonzero(rates > 0.9))] = 0
    return worse


CHANGES: Mapping[str, Change] = {
    "no change": nothing,
    "-5 by odds": by_odds(0.05),
    "-5 evenly": evenly(0.05),
    "-5 concentrated": concentrated(0.05),
    "-10 by odds": by_odds(0.10),
    "-10 evenly": evenly(0.10),
    "one case breaks": one_case,
}
