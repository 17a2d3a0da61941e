"""Gates that can never fail, since their tolerance was meant in points or percent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import Measured, Suite


def idle_notes(suite: Suite, measured: Sequence[Measured]) -> Iterator[str]:
    """A note for every gated metric within 0 … 1 whose tolerance is 1 or more: no drop is beyond that.

    Args:
        measured: What the suite judges, in its order.
    """
    for spec, found in zip(suite.judged, measured, strict=True):
        gate = suite.gates[spec.name]
        wide = gate.gated and not gate.tolerance.relative and gate.tolerance.amount >= 1 and gate.floor is None
        if (
            wide
            and spec.part is None
            and spec.source not in OBSERVABLES
            and isinstance(found, Measurement)
            and 0 <= found.value <= 1
        ):
            amount = gate.tolerance.amount
            yield (
                f"the tolerance {amount:g} of {spec.name} is as wide as the metric, which lies in 0 to 1: no drop "
                f"fails. If {amount:g} points are meant, write {amount / 100:g}"
            )
