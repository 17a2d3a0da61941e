"""What a slot's entry holds of unusual promises; each is missing where the suite says nothing of it.

::

    "directions": {metric: "higher" or "lower"}                                    of metrics that are turned
    "must_reach": {case: {scorer: number}}                                         one line per case
    "slices": {slice: [case ids]}                                                  of gated slices
    "policy": {"alpha", "confirm_max_calls", "confirm_samples", "max_drop", "early_stop", "first_round"}, as far as set
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.types import Contract, Direction, GatePolicy
from pytest_promptgate.files.canonical_json import encode
from pytest_promptgate.files.shapes import boolean, count, entries, field, items, known, number, optional, text, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.lockfile_format import Tree

KEYS = ("directions", "must_reach", "policy", "slices")
_POLICY = {
    "alpha": number,
    "confirm_max_calls": optional(count),
    "confirm_samples": count,
    "max_drop": optional(number),
    "early_stop": optional(text),
    "first_round": boolean,
}


def encode_promises(contract: Contract) -> dict[str, Tree]:
    """The entries of what is unusual, every leaf encoded."""
    found: dict[str, Tree] = {}
    if contract.directions:
        found["directions"] = {metric: encode(direction) for metric, direction in contract.directions.items()}
    if contract.must_reach:
        found["must_reach"] = {
            case: encode({scorer: float(value) for scorer, value in reach.items()})
            for case, reach in contract.must_reach.items()
        }
    if policy := _set(contract.policy):
        found["policy"] = encode(policy)
    if contract.slices:
        found["slices"] = {name: encode(list(cases)) for name, cases in contract.slices.items()}
    return found


def _set(policy: GatePolicy) -> dict[str, Json]:
    usual = asdict(GatePolicy())
    return {name: value for name, value in asdict(policy).items() if value != usual[name]}


def with_promises(contract: Contract, entry: Mapping[str, Json]) -> Contract:
    """`contract` with what `entry` holds beside the usual.

    Raises:
        WrongShapeError: One of the entries is none.
    """
    found: dict[str, Any] = {}
    if "directions" in entry:
        found["directions"] = field(entry, "directions", lambda inner: entries(inner, _read_direction))
    if "must_reach" in entry:
        found["must_reach"] = field(entry, "must_reach", lambda inner: entries(inner, _read_reach))
    if "policy" in entry:
        found["policy"] = field(entry, "policy", _read_policy)
    if "slices" in entry:
        found["slices"] = field(entry, "slices", lambda inner: entries(inner, _read_cases))
    return replace(contract, **found)


def _read_direction(value: Json) -> Direction:
    if value not in list(Direction):
        raise wrong(" or ".join(Direction), value)
    return Direction(str(value))


def _read_reach(value: Json) -> dict[str, float]:
    return entries(value, number)


def _read_cases(value: Json) -> tuple[str, ...]:
    return items(value, text)


def _read_policy(value: Json) -> GatePolicy:
    entry = known(value, _POLICY)
    found: dict[str, Any] = {name: field(entry, name, read) for name, read in _POLICY.items() if name in entry}
    return GatePolicy(**found)
