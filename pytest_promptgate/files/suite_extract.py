"""``extract:`` of a suite or beside a scorer: which part of the answer is graded.

::

    extract: {regex: 'Answer: (\\w+)'}                             # for every scorer that reads text
    scorers:
      queue: exact_match
      order: {json_match: {expected: order}, extract: code_block}   # another part for this one
      style: {contains: {text: please}, extract: whole}             # the whole answer
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.fingerprint import scorer_fingerprint
from pytest_promptgate.core.nesting import leaves
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.files.settings import build, in_use

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.ports import ExtractionOffer
    from pytest_promptgate.core.types import BoundScorer, Json
    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_context import SuiteContext

EXTRACT = "extract"
WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to find a part of the answer, with its settings."""

    kind: str
    step: Any  # one of the offer's

    @property
    def settings(self) -> Mapping[str, Json]:
        """What decides the part."""
        return in_use(self.step)


def read_extract(node: Node | None, context: SuiteContext, directory: Path) -> Way | None:
    """The way that is written at `node`; None for the whole answer, or after noting a fault."""
    if node is None or node.value == WHOLE:
        return None
    kind, settings = node.value, node.without_value()
    if isinstance(kind, Mapping) and len(kind) == 1:
        ((kind, settings),) = node.pairs()
    known = context.extraction.steps
    if not isinstance(kind, str):
        node.wrong("one of " + ", ".join(sorted(known)), "Write `extract: last_line` or `extract: {regex: PATTERN}`.")
        return None
    if kind not in known:
        node.fault(f"unknown way to extract {kind!r}", did_you_mean(kind, {*known, WHOLE}, label="Known"))
        return None
    step = build(known[kind], kind, settings, typed=False, directory=directory)
    return None if step is None else Way(kind=kind, step=step)


def extracting(scorer: BoundScorer, way: Way, offer: ExtractionOffer) -> BoundScorer:
    """`scorer` on the part of the answer that `way` finds; the way is part of its fingerprint."""
    settings: Mapping[str, Json] = {"scorer": scorer.fingerprint, "way": way.kind, "settings": way.settings}
    return replace(
        scorer,
        scorer=offer(parts=(scorer,), step=way.step),
        fingerprint=scorer_fingerprint(EXTRACT, offer.revision, settings),
    )


def reads_text(scorer: object) -> bool:
    """Whether an extraction concerns it at all: one of tool calls, or of counts, reads no text."""
    return any(getattr(leaf, "reads_text", True) is not False for leaf in leaves(scorer))
