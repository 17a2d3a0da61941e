"""Scorers made of scorers: ``{all_of: […]}``, ``{not: …}``, ``{weighted: [{exact_match: {…}, weight: 3}]}``."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.core.fingerprint import offer_fingerprint
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.types import BoundScorer

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.node import Node

WEIGHT = "weight"

_DEEPEST = 16  # scorers inside scorers
# Name ("": by its kind), entry, keys that may stand beside the kind -> the scorer, or None after noting faults.
ReadPart: TypeAlias = Callable[[str, "Node", Collection[str]], BoundScorer | None]


def nests(offer: object) -> bool:
    """Whether it is built from scorers; see `core.ports.ScorerOffer`."""
    return inspect.isclass(offer) and getattr(offer, "nests", None) in ("one", "many")


def combined(name: str, kind: str, offer: Any, node: Node, read_part: ReadPart) -> BoundScorer | None:
    """The scorer made of those at `node`, or None after noting faults; its fingerprint covers theirs.

    Args:
        name: As the suite calls it.
        kind: As it was offered.
        offer: A class that `nests`.
        node: Of one scorer, or of a list or a mapping of them.
        read_part: Reads one of them.
    """
    before = len(node.faults)
    weighted = any(field.name == "weights" for field in dataclasses.fields(offer))
    beside = {WEIGHT} if weighted else set[str]()
    if len(node.route) > 2 * _DEEPEST:
        node.fault(f"scorers are nested more than {_DEEPEST} deep", "Write a scorer of your own instead.")
        return None
    entries = [("", node)] if offer.nests == "one" and node.value is not None else _entries(node, kind)
    parts = [read_part(each, entry, beside) for each, entry in entries]
    weights = tuple(_weight(entry) for _, entry in entries)
    if len(node.faults) > before:
        return None
    given: dict[str, Any] = {"parts": tuple(parts), **({"weights": weights} if weighted else {})}
    settings: dict[str, Json] = {"parts": [part.fingerprint for part in parts if part], "weights": weights}
    if not weighted:
        del settings["weights"]
    try:
        scorer = offer(**given)
    except ValueError as fault:
        node.fault(f"{kind}: {one_line(str(fault), width=400)}")
        return None
    fingerprint = offer_fingerprint(kind, offer, settings)
    return BoundScorer(name=name, kind=kind, scorer=scorer, fingerprint=fingerprint, place=node.place)


def _entries(node: Node, kind: str) -> list[tuple[str, Node]]:
    if node.value in (None, [], {}):
        example = "{contains: refund}" if kind == "not" else "[{contains: refund}, …]"
        node.fault(f"{kind} has no scorers", f"Write `{kind}: {example}`.")
        return []
    if isinstance(node.value, Mapping):
        return node.pairs()
    return [("", item) for item in node.items("a list or a mapping of scorers")]


def _weight(entry: Node) -> float:
    node = entry.get(WEIGHT) if isinstance(entry.value, Mapping) and len(entry.value) > 1 else None
    if node is None:
        return 1.0
    weight = node.number("a number above 0", low=0.0, high=1e9)
    if weight == 0.0:
        node.wrong("a number above 0")
    return weight or 1.0
