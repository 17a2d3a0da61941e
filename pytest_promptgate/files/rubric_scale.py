"""``scale:`` of a rubric: named choices with their scores, or a range of whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.rubrics import Choice, Choices, Range

if TYPE_CHECKING:
    from pytest_promptgate.core.rubrics import Scale
    from pytest_promptgate.files.node import Node

RANGE = frozenset({"from", "to"})
CHOICE = frozenset({"score", "means"})
MOST_STEPS = 100
MOST_NAME = 40  # characters
_SHAPES = "Write {rude: 0, polite: 1}, or {from: 1, to: 5}."
_SIGNS = frozenset("*_`'\"“”‘’«»|")  # what a judge puts around a word, and what data is quoted with


def read_scale(node: Node) -> Scale | None:
    """The scale, or None after noting faults."""
    if not isinstance(node.value, Mapping):
        node.wrong("a mapping", _SHAPES)
        return None
    return _range(node) if node.value.keys() & RANGE else _choices(node)


def _range(node: Node) -> Range | None:
    node.keys(RANGE)
    low, high = node.get("from"), node.get("to")
    if low is None or high is None:
        node.fault(f"the range has no {'from' if low is None else 'to'!r}", "Write {from: 1, to: 5}.")
        return None
    ends = low.whole(-MOST_STEPS), high.whole(-MOST_STEPS)
    if ends[0] is None or ends[1] is None:
        return None
    if not 0 < ends[1] - ends[0] <= MOST_STEPS:
        what = f"the range must go up, by at most {MOST_STEPS} steps, not from {ends[0]} to {ends[1]}"
        node.fault(what, "The lowest number is the worst: {from: 1, to: 5}.")
        return None
    return Range(low=ends[0], high=ends[1])


def _choices(node: Node) -> Choices | None:
    before = len(node.faults)
    found = [_choice(name, below) for name, below in node.pairs()]
    seen: dict[str, str] = {}
    for name, below in node.pairs():
        folded = " ".join(name.split()).casefold()
        if folded in seen:
            below.fault(f"{name!r} and {seen[folded]!r} are the same verdict", "They differ in case or spaces alone.")
        seen[folded] = name
    if len({each.score for each in found}) < 2 and len(node.faults) == before:
        node.fault("the scale needs two verdicts of different scores at least", _SHAPES)
    return Choices(choices=tuple(found)) if len(node.faults) == before else None


def _choice(name: str, node: Node) -> Choice:
    if name != name.strip() or not name or len(name) > MOST_NAME or printable(name) != name or "\n" in name:
        node.fault(f"{name[:MOST_NAME]!r} is no name for a verdict", f"Use one line of at most {MOST_NAME} characters.")
    elif name[0] in _SIGNS or name[-1] in {*_SIGNS, "."}:
        node.fault(f"{name!r} is no name for a verdict", "A judge's reply is read without such signs at its ends.")
    means: str | None = ""
    worth: Node | None = node
    if isinstance(node.value, Mapping):
        node.keys(CHOICE)
        worth, told = node.get("score"), node.get("means")
        means = told.text() if told else ""
        if worth is None:
            node.fault(f"{node.name} has no score", "Write {score: 1, means: it thanks the customer}.")
    score = worth.number("a number from 0 to 1", low=0, high=1) if worth else None
    return Choice(name=name, score=score or 0.0, means=means or "")
