"""What a suite promises, as its baseline records it; `core.promises` holds a later suite to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.types import Contract, Direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Baseline, Suite


def contract_of(suite: Suite) -> Contract:
    """The promises of `suite` as it is now."""
    reach, usual = must_reach(suite), {bound.name: 1.0 for bound in suite.scorers}
    return Contract(
        path=suite.path,
        rule=suite.rule,
        samples=suite.samples,
        metrics={metric.name: metric.expression for metric in suite.metrics},
        gates=suite.gates,
        must_pass=tuple(sorted(reach)),
        must_reach={case: wanted for case, wanted in reach.items() if wanted != usual},
        directions={
            metric.name: metric.direction
            for metric in suite.metrics
            if metric.direction is not usual_direction(metric.source)
        },
        policy=suite.policy,
        slices={spec.part.name: tuple(sorted(spec.part.cases)) for spec in suite.parts if spec.part},
    )


def usual_direction(source: str) -> Direction:
    """Which way is better where nothing else is said: less of what is paid, more of every score."""
    return OBSERVABLES.get(source, Direction.HIGHER)


def must_reach(suite: Suite) -> dict[str, dict[str, float]]:
    """What every `must_pass` case has to reach, by scorer; the stricter one where two rules name it."""
    found: dict[str, dict[str, float]] = {}
    for rule in suite.must_pass:
        for case in rule.cases:
            wanted = found.setdefault(case, {})
            wanted.update({name: max(rule.pass_at, wanted.get(name, rule.pass_at)) for name in rule.scorers})
    return found


def recorded_reach(baseline: Baseline) -> Mapping[str, Mapping[str, float]]:
    """What every `must_pass` case had to reach when `baseline` was written: full marks of all its scorers, usually."""
    contract, usual = baseline.contract, dict.fromkeys(baseline.scorers, 1.0)
    return {case: contract.must_reach.get(case, usual) for case in contract.must_pass}
