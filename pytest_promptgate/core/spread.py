"""How far the mean of a metric may lie from what cases like these would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import is_per_case
from pytest_promptgate.core.intervals import cluster_se, wilson, z_of
from pytest_promptgate.core.metrics import reaches
from pytest_promptgate.core.types import Score

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from pytest_promptgate.core.types import MetricSpec, Result


def mean_interval(spec: MetricSpec, results: Sequence[Result]) -> tuple[float, float] | None:
    """The 95 % interval of a ``mean`` or ``rate`` of scores; None for other metrics, and of fewer than two clusters.

    By Wilson where every case passed or failed and stands for itself, else by the spread of the cases' means, or of
    the clusters'.
    """
    if not is_per_case(spec.aggregate):
        return None
    values: dict[str, list[float]] = {}
    clusters: dict[str, Hashable] = {}
    for each in results:
        found = each.observation.grades.get(spec.source)
        if isinstance(found, Score):
            value = float(reaches(spec, found.value)) if spec.aggregate == "rate" else found.value
            values.setdefault(each.trial.case.id, []).append(value)
            clusters[each.trial.case.id] = each.trial.case.cluster or ("case", each.trial.case.id)
    means = [sum(each) / len(each) for each in values.values()]
    if len(set(clusters.values())) < 2:
        return None
    if all(mean in (0.0, 1.0) for mean in means) and len(set(clusters.values())) == len(means):
        return wilson(sum(means), len(means))
    middle, half = sum(means) / len(means), z_of(0.975) * cluster_se(means, list(clusters.values()))
    return middle - half, middle + half
