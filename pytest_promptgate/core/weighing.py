"""One suite and slot, weighed by itself: what stands where, and what only fresh samples can tell (GATE §4, §6)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core import findings
from pytest_promptgate.core.anchor import tested_since
from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.confirmation import Arm
from pytest_promptgate.core.gate import Standing, decided, stand
from pytest_promptgate.core.metrics import known_aggregates
from pytest_promptgate.core.recorded import side_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.confirmation import Stage2
    from pytest_promptgate.core.findings import Finding
    from pytest_promptgate.core.gate import GateInput
    from pytest_promptgate.core.types import Tolerance, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One suite and slot, as far as it can be judged by itself."""

    given: GateInput
    stands: tuple[Standing | Verdict, ...]  # in the order of the suite's metrics, then of its gated slices
    since: Mapping[str, Arms]  # by metric: the anchor's cases beside the run's, where this change lowers it
    stage2: Mapping[Arm, Stage2] = field(default_factory=lambda: MappingProxyType({}))  # by reference

    def standing(self) -> Iterator[Standing]:
        """The metrics that are compared."""
        yield from (each for each in self.stands if isinstance(each, Standing))

    def doubtful(self, reference: Arm) -> tuple[Arms, ...]:
        """What is lower than `reference` (production or the anchor) by more than allowed, until it is asked again."""
        if self.given.suite.rule != "confirm":
            return ()
        held = [(each, self.against(each, reference)) for each in self.standing() if is_tested(each)]
        return tuple(
            arms
            for each, arms in held
            if arms is not None and is_lower(arms, each.gate.tolerance) and not arms.is_deterministic
        )

    def against(self, standing: Standing, reference: Arm) -> Arms | None:
        """The run beside production or the anchor; None if it is not held against the anchor."""
        return standing.arms() if reference is Arm.PRODUCTION else self.since.get(standing.spec.name)


def weigh(given: GateInput) -> Weighed:
    """Find out where every metric of one suite stands."""
    stands = tuple(stand(spec, given) for spec in given.suite.judged)
    return Weighed(given=given, stands=stands, since=dict(_since(given, stands)))


def undecided(weighed: Weighed, unreliable: Mapping[str, str]) -> Weighed:
    """`weighed`, in which no metric of an unreliable scorer can be judged.

    Args:
        weighed: One suite.
        unreliable: Why nobody should go by what a scorer says, by its name.
    """
    given = weighed.given
    stands = tuple(
        _undecided(each, findings.unreliable(spec, unreliable[spec.source]), given)
        if spec.source in unreliable
        else each
        for spec, each in zip(given.suite.judged, weighed.stands, strict=True)
    )
    return replace(weighed, stands=stands)


def _undecided(found: Standing | Verdict, why: Finding, given: GateInput) -> Verdict:
    if isinstance(found, Standing):
        return decided(found, why, given)
    return replace(found, outcome=why.outcome, reason=why.reason, red=found.gated)


def is_tested(standing: Standing) -> bool:
    """Whether the suite's rule tests the metric; others go by ``strict``."""
    # A plugin's aggregate may be anything, also costly or noisy: it is not run thousands of times inside a test.
    return standing.gate.gated and standing.spec.aggregate in known_aggregates()


def is_lower(arms: Arms, tolerance: Tolerance) -> bool:
    """Whether the metric came out lower by more than allowed."""
    return arms.gain < -tolerance.allowance(arms.levels[0]) - EPSILON


def _since(given: GateInput, stands: tuple[Standing | Verdict, ...]) -> Iterator[tuple[str, Arms]]:
    anchor = given.baseline.anchor if given.baseline else None
    if anchor is None or given.suite.rule == "strict" or given.selection is not None:
        return
    now = side_of(given.suite, given.results)
    for each in stands:
        if isinstance(each, Standing) and each.spec.name in given.controlled and given.suite.rule != "confirm":
            continue  # the anchor's answers are of another day, and nobody asks it again
        if isinstance(each, Standing) and is_tested(each) and each.arms().gain < -EPSILON:
            arms = tested_since(each.spec, anchor, now, aggregates=given.aggregates)
            if arms is not None:
                yield each.spec.name, arms
