"""Every metric on every slice of a suite, before and now: shown, whether it is gated or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.slices import values_of
from pytest_promptgate.core.types import SliceMeasurement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.comparison import Pair
    from pytest_promptgate.core.types import MetricSpec, Result
    from pytest_promptgate.core.weighing import Weighed


def sliced(weighed: Weighed) -> Iterator[SliceMeasurement]:
    """By column, value and metric; beside the baseline where the whole metric can be compared with it."""
    given = weighed.given
    pairs = {each.spec.name: {pair.case.id: pair for pair in each.comparison.pairs} for each in weighed.standing()}
    for column in given.suite.slices:
        for value, results in sorted(_by_value(given.results, column).items()):
            for spec in given.suite.metrics:
                yield _one(weighed, f"{column}={value}", spec, results, pairs.get(spec.name, {}))


def _by_value(results: Sequence[Result], column: str) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        for value in values_of(result.trial.case, column):
            found.setdefault(value, []).append(result)
    return found


def _one(
    weighed: Weighed, name: str, spec: MetricSpec, results: Sequence[Result], pairs: Mapping[str, Pair]
) -> SliceMeasurement:
    ids = dict.fromkeys(result.trial.case.id for result in results)
    both = [pairs[each] for each in ids if each in pairs]
    before = [each for pair in both for each in pair.before]
    after = [each for pair in both for each in pair.after]
    aggregates = weighed.given.aggregates
    return SliceMeasurement(
        slice=name,
        measured=measure(spec, after if both else [each.observation for each in results], aggregates=aggregates),
        baseline=measure(spec, before, aggregates=aggregates) if both else None,
        cases=len(ids),
    )
