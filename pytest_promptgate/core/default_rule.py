"""The gate's rule where a suite names none: the default of each slot's model (DECISIONS 2, 4).

A default never loosens what is recorded: where a baseline was written under ``strict``, ``strict`` it stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.targets import target_notes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Baseline

STRICT, CONFIRM = "strict", "confirm"
STEADY_KINDS = frozenset({"embedded"})  # kinds of providers whose models answer alike every time


def default_rule(kind: str) -> str:
    """``strict`` for a kind of provider that cannot be lucky, ``confirm`` for all others."""
    return STRICT if kind in STEADY_KINDS else CONFIRM


def ruled(plan: Plan, baseline: Baseline | None, *, kinds: Mapping[str, str]) -> Plan:
    """`plan` with the rule that goes for its slot.

    Args:
        plan: Of a suite as it was read.
        baseline: What the slot is held against.
        kinds: Provider name -> its kind.
    """
    default = plan.suite.default_rules.get(plan.slot)
    if default is None:
        return plan
    return replace(plan, suite=replace(plan.suite, rule=STRICT if _keeps_strict(baseline, kinds) else default))


def _keeps_strict(baseline: Baseline | None, kinds: Mapping[str, str]) -> bool:
    if baseline is None or baseline.contract.rule != STRICT:
        return False
    # Under a model that cannot be lucky, strict was the default and nobody's choice: the promises tell of the change.
    return default_rule(kinds.get(baseline.pin.provider, "")) != STRICT


def rule_notes(plan: Plan) -> tuple[str, ...]:
    """Why a suite that names no rule does not go by its model's default, and what the rule cannot do for a target."""
    return (*_kept_strict(plan), *target_notes(plan.suite))


def _kept_strict(plan: Plan) -> tuple[str, ...]:
    default, suite = plan.suite.default_rules.get(plan.slot), plan.suite
    if default is None or default == suite.rule:
        return ()
    return (
        f"the rule is {suite.rule}, under which the baseline was written; the default for this model is {default}: "
        f"to go by it, write `gate: {{rule: {default}}}` into {suite.path} and accept that with a reason",
    )
