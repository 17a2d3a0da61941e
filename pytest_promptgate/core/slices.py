"""Slices: the cases of a suite that have one value in one column, and the metrics that are gated on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.plan import slug
from pytest_promptgate.core.types import MetricGate, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_promptgate.core.types import Case, MetricSpec

TAGS = "tags"
LEAST_CASES = 20  # that a gated slice needs (GATE §5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """What the gates on slices of a suite come to."""

    specs: tuple[MetricSpec, ...]
    gates: Mapping[str, MetricGate]  # one per spec, by its name
    thin: frozenset[str]  # names of the slices with too few cases


def values_of(case: Case, column: str) -> tuple[str, ...]:
    """The values of `column` that a case has: several of ``tags``, one or none of any other."""
    if column == TAGS:
        return case.tags
    value = case.inputs.get(column)
    return () if value is None else (str(value),)


def slice_name(column: str, value: str) -> str:
    """``language=de``, such that it can stand in a node id; values that differ only in what cannot are one slice."""
    return slug(f"{column}={value}")


def parts_of(cases: Iterable[Case], column: str, values: Sequence[str] | None = None) -> tuple[Part, ...]:
    """The slices of a column, by name.

    Args:
        values: The only ones that count; None: all.
    """
    found: dict[str, set[str]] = {}
    for case in cases:
        for value in values_of(case, column):
            if values is None or value in values:
                found.setdefault(slice_name(column, value), set()).add(case.id)
    return tuple(Part(name=name, cases=frozenset(ids)) for name, ids in sorted(found.items()))


def gated_on(parts: Sequence[Part], metrics: Sequence[MetricSpec], gates: Mapping[str, MetricGate]) -> Gated:
    """Every metric on every slice of enough cases, each with the tolerance of the whole metric and no floor."""
    large = [part for part in parts if len(part.cases) >= LEAST_CASES]
    specs = [replace(spec, name=f"{spec.name}[{part.name}]", part=part) for part in large for spec in metrics]
    return Gated(
        specs=tuple(specs),
        gates={spec.name: MetricGate(tolerance=gates[spec.whole].tolerance) for spec in specs},
        thin=frozenset(part.name for part in parts if len(part.cases) < LEAST_CASES),
    )
