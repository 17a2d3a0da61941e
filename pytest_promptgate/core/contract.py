"""What a suite promises, as its baseline records it; `core.differences.loosened` holds a later suite to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Contract

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Suite


def contract_of(suite: Suite) -> Contract:
    """The promises of `suite` as it is now."""
    return Contract(
        path=suite.path,
        rule=suite.rule,
        samples=suite.samples,
        metrics={metric.name: metric.expression for metric in suite.metrics},
        gates=suite.gates,
        must_pass=tuple(sorted(frozenset().union(*(each.cases for each in suite.must_pass)))),
    )
