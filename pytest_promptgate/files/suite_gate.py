"""``gate:`` of a suite: the rule, and per metric how far it may fall."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Direction, MetricGate, MetricSpec, Tolerance
from pytest_promptgate.core.wording import did_you_mean

if TYPE_CHECKING:
    from pytest_promptgate.files.node import Node

RULE = "strict"
LATER_RULES = frozenset({"confirm", "significant", "non_inferior"})
KEYS = frozenset({"tolerance", "floor", "gated", "direction"})
REPORT = "report"

_PERCENT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*\Z")


def read_rule(gate: Node | None) -> str:
    """The rule by which all metrics of the suite are judged."""
    node = gate.get("rule") if gate else None
    rule = node.text() if node else None
    if node and rule in LATER_RULES:
        node.fault(f"the rule {rule!r} is not accepted yet", f"Accepted: {RULE}.")
    elif node and rule and rule != RULE:
        node.fault(f"unknown rule {rule!r}", did_you_mean(rule, [RULE], label="Accepted"))
    return RULE


def read_gates(
    gate: Node | None, metrics: tuple[MetricSpec, ...], written: Collection[str]
) -> tuple[tuple[MetricSpec, ...], dict[str, MetricGate]]:
    """The metrics, turned where the gate says so, and one gate for each of them. Faults are noted.

    A metric that the gate does not name may not fall at all; latencies are then only shown.

    Args:
        written: Names of all metrics in the file; the gate of a faulty one is not called unknown.
    """
    gates = {metric.name: MetricGate(gated=metric.source != "latency_s") for metric in metrics}
    directions: dict[str, Direction] = {}
    for name, node in gate.pairs() if gate else []:
        if name == "rule":
            continue
        if name not in written:
            node.fault(f"the gate names the metric {name!r}, which is not measured", _metrics(name, written))
        gates[name] = _gate(node)
        if direction := _direction(node.get("direction")):
            directions[name] = direction
    turned = tuple(replace(each, direction=directions.get(each.name, each.direction)) for each in metrics)
    return turned, {metric.name: gates[metric.name] for metric in metrics}


def _metrics(name: str, written: Collection[str]) -> str:
    return did_you_mean(name, written, label="Metrics")


def _gate(node: Node) -> MetricGate:
    if node.value == REPORT:
        return MetricGate(gated=False)
    if not isinstance(node.value, Mapping):
        node.wrong(
            f"a mapping, or the word {REPORT}", "Write {tolerance: 0.02}, {tolerance: 5%}, {floor: 0.9} or report."
        )
        return MetricGate()
    node.keys(KEYS)
    gated, floor = node.get("gated"), node.get("floor")
    flag = gated.flag() if gated else True
    return MetricGate(
        gated=flag is not False,
        tolerance=_tolerance(node.get("tolerance")),
        floor=floor.number() if floor else None,
    )


def _tolerance(node: Node | None) -> Tolerance:
    if node is None:
        return Tolerance()
    percent = _PERCENT.match(node.value) if isinstance(node.value, str) else None
    if percent:
        return Tolerance(amount=float(percent[1]) / 100, relative=True)
    return Tolerance(amount=node.number("a number >= 0 or a share such as 5%", low=0) or 0.0)


def _direction(node: Node | None) -> Direction | None:
    if node is None:
        return None
    if node.value in list(Direction):
        return Direction(str(node.value))
    node.wrong("higher or lower")
    return None
