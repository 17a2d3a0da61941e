"""``slices:`` of a suite: columns by whose values the metrics are shown, and those on which they are gated as well."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.slices import LEAST_CASES, Gated, gated_on, parts_of, slice_name, values_of
from pytest_promptgate.core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Case, MetricGate, MetricSpec, Part
    from pytest_promptgate.files.node import Node

GATE = "gate"
_FORMS = "Write language, {language: gate} or {language: {gate: [accuracy], values: [de]}}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One entry."""

    column: str  # or "tags"
    gate: Node | None  # what is gated of it; None: nothing, it is only shown


def read_slices(node: Node | None, columns: Collection[str] | None) -> tuple[Slice, ...]:
    """The entries; faults are noted.

    Args:
        columns: Of the dataset; None: that has faults.
    """
    found: dict[str, Slice] = {}
    for item in node.items("a list of columns") if node else []:
        entry = _entry(item)
        if entry is None:
            continue
        if entry.column in found:
            item.fault(f"the slice {entry.column!r} stands twice")
        elif columns is not None and entry.column not in columns:
            item.fault(f"no row has a column {entry.column!r}", did_you_mean(entry.column, columns, label="Columns"))
        else:
            found[entry.column] = entry
    return tuple(found.values())


def _entry(item: Node) -> Slice | None:
    if not isinstance(item.value, Mapping):
        name = item.text("a column's name")
        return Slice(column=name, gate=None) if name else None
    named = item.pairs()
    if len(named) != 1:
        item.wrong("one column", _FORMS)
        return None
    column, gate = named[0]
    if gate.value != GATE and not (isinstance(gate.value, Mapping) and gate.value):
        gate.wrong("the word gate, or a mapping", _FORMS)
        return None
    if isinstance(gate.value, Mapping):
        gate.keys({GATE, "values"})
    return Slice(column=column, gate=gate)


def read_slice_gates(
    slices: Sequence[Slice], metrics: Sequence[MetricSpec], gates: Mapping[str, MetricGate], cases: Sequence[Case]
) -> Gated:
    """The gated slices of a suite that is right otherwise; faults are noted."""
    found = [
        gated_on(_parts(each.column, each.gate, cases), _metrics(each.gate, metrics, gates), gates)
        for each in slices
        if each.gate is not None
    ]
    return Gated(
        specs=tuple(spec for each in found for spec in each.specs),
        gates={name: gate for each in found for name, gate in each.gates.items()},
        thin=frozenset().union(*(each.thin for each in found)),
    )


def _metrics(gate: Node, metrics: Sequence[MetricSpec], gates: Mapping[str, MetricGate]) -> list[MetricSpec]:
    node = gate.get(GATE) if isinstance(gate.value, Mapping) else None
    if node is None:
        return [spec for spec in metrics if gates[spec.name].gated]
    named = {item.text("a metric's name"): item for item in node.items("a list of metrics")}
    if node.value == []:
        node.fault(f"{node.name} names no metric", "Leave the key out for all that are gated.")
    for name, item in named.items():
        if name and name not in gates:
            item.fault(f"{name!r} is not measured", did_you_mean(name, gates, label="Metrics"))
        elif name and not gates[name].gated:
            item.fault(f"{name!r} cannot be gated by slices: it is only shown itself", f"Mend `gate: {{{name}: …}}`.")
    return [spec for spec in metrics if spec.name in named]


def _parts(column: str, gate: Node, cases: Sequence[Case]) -> tuple[Part, ...]:
    node = gate.get("values") if isinstance(gate.value, Mapping) else None
    if node is not None:
        return parts_of(cases, column, _values(column, node, cases))
    parts = parts_of(cases, column)
    sizes = sorted((-len(part.cases), part.name) for part in parts)
    if not sizes or -sizes[0][0] < LEAST_CASES:
        largest = f"The largest: {sizes[0][1]} ({-sizes[0][0]} cases). " if sizes else ""
        gate.fault(
            f"no slice by {column!r} has the {LEAST_CASES} cases that a gate needs",
            f"{largest}To show them without a gate: `slices: [{column}]`.",
        )
    return parts


def _values(column: str, node: Node, cases: Sequence[Case]) -> list[str]:
    """The values that are named; each needs enough cases."""
    known = {value for case in cases for value in values_of(case, column)}
    sizes = {part.name: len(part.cases) for part in parts_of(cases, column)}
    named = [(str(item.value), item) for item in node.items("a list of values")]
    if node.value == []:
        node.fault(f"{node.name} names no value", f"Leave the key out for all that have {LEAST_CASES} cases.")
    for value, item in named:
        size = sizes.get(slice_name(column, value), 0)
        if value not in known:
            item.fault(f"no case has {column} {value!r}", did_you_mean(value, known, label="Values"))
        elif size < LEAST_CASES:
            cases_told = f"{size} case{'s' if size != 1 else ''}"
            item.fault(
                f"the slice {slice_name(column, value)} has {cases_told}, and a gate needs {LEAST_CASES}",
                "Leave it out: it is shown all the same.",
            )
    return [value for value, _ in named]
