"""``gate:`` of a suite: the rule, and per metric how far it may fall."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Direction, GatePolicy, MetricGate, MetricSpec, Tolerance
from pytest_promptgate.core.wording import did_you_mean

if TYPE_CHECKING:
    from pytest_promptgate.files.node import Node

STRICT, CONFIRM, SIGNIFICANT, NON_INFERIOR = "strict", "confirm", "significant", "non_inferior"
# Rule -> the settings that it reads.
RULES: Mapping[str, frozenset[str]] = {
    STRICT: frozenset(),
    CONFIRM: frozenset({"alpha", "samples", "max_calls"}),
    SIGNIFICANT: frozenset({"alpha", "max_drop", "early_stop", "first_round"}),
    NON_INFERIOR: frozenset({"alpha"}),
}
KEYS = frozenset({"tolerance", "floor", "gated", "direction"})
REPORT = "report"
EVIDENCE = "e"

_PERCENT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*\Z")


def read_rule(gate: Node | None) -> tuple[str | None, GatePolicy]:
    """The rule by which all metrics of the suite are judged, and its numbers; None if the file names none.

    Written as its name, or as ``{confirm: {samples: 5}}``.
    """
    node = gate.get("rule") if gate else None
    if node is None:
        return None, GatePolicy()
    if not isinstance(node.value, Mapping):
        return _rule_name(node), GatePolicy()
    named = node.pairs()
    if len(named) != 1:
        seen = " and ".join(rule for rule, _ in named) or "none"
        node.fault(f"gate.rule must name one rule, not {seen}", f"Accepted: {', '.join(RULES)}.")
        return None, GatePolicy()
    rule, settings = named[0]
    if rule not in RULES:
        settings.fault(f"unknown rule {rule!r}", did_you_mean(rule, RULES, label="Accepted"))
        return None, GatePolicy()
    settings.keys(RULES[rule])
    return rule, _policy(settings)


def _rule_name(node: Node) -> str | None:
    rule = node.text()
    if rule is not None and rule not in RULES:
        node.fault(f"unknown rule {rule!r}", did_you_mean(rule, RULES, label="Accepted"))
    return rule


def _policy(settings: Node) -> GatePolicy:
    policy = GatePolicy()
    alpha, samples = settings.get("alpha"), settings.get("samples")
    calls, drop = settings.get("max_calls"), settings.get("max_drop")
    if alpha:
        found = alpha.number("a number from 0.0001 to 0.5", low=0.0001, high=0.5)
        policy = replace(policy, alpha=found or policy.alpha)
    if samples:
        policy = replace(policy, confirm_samples=samples.whole(3) or policy.confirm_samples)
    if calls:
        policy = replace(policy, confirm_max_calls=calls.whole(16))
    if drop:
        policy = replace(policy, max_drop=drop.number("a number > 0", low=1e-9))
    return _asking_less(settings, policy)


def _asking_less(settings: Node, policy: GatePolicy) -> GatePolicy:
    early, first = settings.get("early_stop"), settings.get("first_round")
    if early and early.value != EVIDENCE:
        hint = "What is certain stops a suite under --prompt-fail-fast, without a setting."
        early.wrong(f"the letter {EVIDENCE}", hint)
    once = bool(first and first.flag())
    if early and once:
        early.fault("early_stop and first_round exclude each other", "One counts evidence over all samples of a case.")
    return replace(policy, early_stop=EVIDENCE if early else None, first_round=once)


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


def check_margins(gate: Node | None, rule: str | None, gates: Mapping[str, MetricGate]) -> None:
    """Refuse `non_inferior` for a metric that may fall by nothing: no number of answers proves that it did not."""
    node = gate.get("rule") if gate else None
    lacking = [name for name, each in gates.items() if each.gated and not each.tolerance.amount]
    if node and rule == NON_INFERIOR and lacking:
        node.fault(
            f"rule non_inferior without a tolerance for {', '.join(map(repr, lacking))}",
            f"Say how far it may fall, as in `{lacking[0]}: {{tolerance: 0.03}}`, or write `{lacking[0]}: {REPORT}`.",
        )


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
