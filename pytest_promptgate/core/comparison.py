"""Which cases of a run stand beside which cases of the baseline, and what one metric says of both.

A pair needs the same id and the same content: an edited row is another question. It needs a score on both sides:
what one side could not score leaves both, so neither gains by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import is_per_case
from pytest_promptgate.core.metrics import measure
from pytest_promptgate.core.observables import grade
from pytest_promptgate.core.types import Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Baseline, Case, CaseRecord, Measured, MetricSpec, Observation, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One case on both sides; never empty on either."""

    case: Case
    before: tuple[Observation, ...]  # scored samples of the baseline, in sample order
    after: tuple[Observation, ...]  # scored samples of this run


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One metric on the cases that both sides have; the other baseline cases by the reason why they are not here."""

    pairs: tuple[Pair, ...]  # in this run's order
    before: Measured  # over the pairs alone
    after: Measured
    removed: tuple[str, ...]  # not in this run
    edited: tuple[str, ...]
    unscored: tuple[str, ...]  # on one side or both

    @property
    def expected(self) -> int:
        """The baseline cases that this run should have."""
        return len(self.pairs) + len(self.removed) + len(self.edited) + len(self.unscored)


def compare(
    spec: MetricSpec,
    baseline: Baseline,
    results: Sequence[Result],
    *,
    selection: Set[str] | None,
    aggregates: Mapping[str, Aggregate],
) -> Comparison:
    """Pair this run with the baseline and measure one metric on both sides.

    Where trials count one by one, as in a total or a percentile, a case brings equally many samples on both sides,
    the first ones; else asking twice as often would double the cost.

    Args:
        selection: Ids of the cases that this run was to have; None means all.
    """
    by_case: dict[str, list[Result]] = {}
    for result in results:
        by_case.setdefault(result.trial.case.id, []).append(result)
    wanted = {name: record for name, record in baseline.cases.items() if selection is None or name in selection}
    shared = [name for name in by_case if name in wanted]
    edited = [name for name in shared if by_case[name][0].trial.case.digest != wanted[name].row]
    found = {name: _pair(spec, wanted[name], by_case[name]) for name in shared if name not in set(edited)}
    pairs = tuple(pair for pair in found.values() if pair is not None)
    return Comparison(
        pairs=pairs,
        before=measure(spec, [each for pair in pairs for each in pair.before], aggregates=aggregates),
        after=measure(spec, [each for pair in pairs for each in pair.after], aggregates=aggregates),
        removed=tuple(sorted(wanted.keys() - by_case.keys())),
        edited=tuple(sorted(edited)),
        unscored=tuple(sorted(name for name, pair in found.items() if pair is None)),
    )


def _pair(spec: MetricSpec, record: CaseRecord, results: Sequence[Result]) -> Pair | None:
    before = _scored(spec, record.observations)
    after = _scored(spec, [result.observation for result in results])
    if not before or not after:
        return None
    count = None if is_per_case(spec.aggregate) else min(len(before), len(after))
    return Pair(case=results[0].trial.case, before=before[:count], after=after[:count])


def _scored(spec: MetricSpec, observations: Sequence[Observation]) -> tuple[Observation, ...]:
    scored = [each for each in observations if isinstance(grade(spec, each), Score)]
    return tuple(sorted(scored, key=lambda each: each.sample))
