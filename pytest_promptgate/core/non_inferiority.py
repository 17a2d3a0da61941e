"""Bounds of a metric's change, for the rule that wants proof of no harm (GATE §4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.intervals import bootstrap, cluster_se, newcombe, suite_se, z_of
from pytest_promptgate.core.metrics import NoSuchLabelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.arms import Arms, Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """One-sided bounds of the change at confidence 1 - α each, turned so that higher is better."""

    low: float
    high: float


def bounds(arms: Arms, *, alpha: float) -> Bounds:
    """Bounds of the change.

    One binary sample: Newcombe's method 10; with clusters the wider of it and the next but one, as few cases show no
    spread. Repeated samples: the spread of the answers to these cases. One sample of another score: the spread of
    cases, by clusters (CR1) if there are any. No mean at all: a paired bootstrap over cases, whole clusters at a time.
    """
    if arms.statistic is not None:
        low, high = _bootstrapped(arms, arms.statistic, conf=1 - 2 * alpha)
        return Bounds(low=low, high=high)
    reach = z_of(1 - alpha) * arms.scale * _se(arms)
    low, high = arms.gain - reach, arms.gain + reach
    if arms.is_binary_once:
        shares = [arms.scale * each for each in _paired_shares(arms, conf=1 - 2 * alpha)]
        low, high = shares if arms.clusters is None else (min(low, shares[0]), max(high, shares[1]))
    return Bounds(low=low, high=high)


def _se(arms: Arms) -> float:
    if arms.samples >= 2 and not arms.together:
        return suite_se(arms.before, arms.after)
    return cluster_se(arms.case_gains, arms.clusters)


def _paired_shares(arms: Arms, *, conf: float) -> tuple[float, float]:
    pairs = [(new[0] == 1, old[0] == 1) for old, new in zip(arms.before, arms.after, strict=True)]
    table = [pairs.count(kind) for kind in ((True, True), (True, False), (False, True), (False, False))]
    return newcombe(*table, conf=conf)


def _bootstrapped(arms: Arms, statistic: Statistic, *, conf: float) -> tuple[float, float]:
    names = arms.clusters or arms.cases
    units = [[at for at, name in enumerate(names) if name == one] for one in sorted(set(names))]

    def change(drawn: Sequence[int]) -> float:
        chosen = [at for unit in drawn for at in units[unit]]
        old = [s for at in chosen for s in statistic.before[at]]
        new = [s for at in chosen for s in statistic.after[at]]
        try:
            return statistic.of(new) - statistic.of(old)
        except NoSuchLabelError:
            return math.nan  # a recall of a rare label: none of its cases was drawn

    return bootstrap(len(units), change, conf=conf, seed=[list(map(list, arms.before)), list(map(list, arms.after))])
