"""One link of the way since an anchor: how far a metric moved between two runs, and how certain that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.core.intervals import cluster_se, suite_se
from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.observables import grade
from pytest_promptgate.core.types import Direction, Measurement, Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import MetricSpec, Observation

# Per case its scored samples before and after; never empty on either side.
Pairs: TypeAlias = "Sequence[tuple[tuple[Observation, ...], tuple[Observation, ...]]]"

_GROUPS = 100  # most parts that a jackknife leaves out one by one


def change_of(spec: MetricSpec, pairs: Pairs, aggregates: Mapping[str, Aggregate]) -> float | None:
    """GATE's Δ, less than 0 if it is worse; None if a side has no value."""
    values = []
    for side in (0, 1):
        measured = measure(spec, [each for pair in pairs for each in pair[side]], aggregates=aggregates)
        if not isinstance(measured, Measurement):
            return None
        values.append(measured.value)
    return (values[1] - values[0]) * (1 if spec.direction is Direction.HIGHER else -1)


def variance_of(
    spec: MetricSpec, pairs: Pairs, aggregates: Mapping[str, Aggregate], clusters: Mapping[str, str]
) -> float:
    """SE² of the change: of repeated answers where there are some, else between cases or clusters (GATE §7).

    Args:
        clusters: By case id; a case that is in none is its own.
    """
    units = [_unit(before[0].case, clusters) for before, _ in pairs]
    if spec.aggregate != "mean":
        return _jackknife(spec, pairs, aggregates, units)
    before, after = ([values_of(spec, pair[side]) for pair in pairs] for side in (0, 1))
    if all(len(each) >= 2 for each in (*before, *after)):
        return suite_se(before, after) ** 2
    gains = [math.fsum(new) / len(new) - math.fsum(old) / len(old) for old, new in zip(before, after, strict=True)]
    return cluster_se(gains, units) ** 2 if len(set(units)) >= 2 else 0.0


def values_of(spec: MetricSpec, observations: Sequence[Observation]) -> list[float]:
    """The scores that the metric reads."""
    return [found.value for each in observations if isinstance(found := grade(spec, each), Score)]


def _unit(case: str, clusters: Mapping[str, str]) -> tuple[str, str]:
    cluster = clusters.get(case, "")
    return cluster, "" if cluster else case


def _jackknife(
    spec: MetricSpec, pairs: Pairs, aggregates: Mapping[str, Aggregate], units: Sequence[tuple[str, str]]
) -> float:
    """Variance of any statistic, leaving out one group of cases, or of whole clusters, at a time.

    Source:
        Shao & Tu, The Jackknife and Bootstrap (1995), §2.3.
    """
    ranks = {unit: rank for rank, unit in enumerate(dict.fromkeys(units))}
    groups = min(len(ranks), _GROUPS)
    group_of = [ranks[unit] % groups for unit in units]
    left = [[pair for pair, its in zip(pairs, group_of, strict=True) if its != group] for group in range(groups)]
    changes = [change for rest in left if rest and (change := change_of(spec, rest, aggregates)) is not None]
    if len(changes) < 2:
        return 0.0
    middle = math.fsum(changes) / len(changes)
    return (len(changes) - 1) / len(changes) * math.fsum((each - middle) ** 2 for each in changes)
