"""Judges among the scorers of a suite: ``{judge: {rubric: rubrics/tone.yaml}}``."""

from __future__ import annotations

from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.fingerprint import scorer_fingerprint
from pytest_promptgate.core.types import BoundScorer
from pytest_promptgate.files.rubrics import read_rubric

if TYPE_CHECKING:
    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_context import SuiteContext

COMPARE = "compare"
JUDGES = frozenset({"judge", COMPARE})


def bound_judge(name: str, kind: str, settings: Node, context: SuiteContext, directory: Path) -> BoundScorer | None:
    """The judge, or None after noting faults; its fingerprint is its rubric's digest.

    Args:
        name: As the suite calls it.
        kind: One of `JUDGES`.
        settings: A mapping with ``rubric``, or the rubric's path.
        context: Of the suite.
        directory: Where the rubric's path starts.
    """
    node = settings
    if isinstance(settings.value, dict):
        settings.keys({"rubric"})
        node = settings.get("rubric") or settings.without_value()
    if node.value is None:
        settings.fault(f"{kind} has no rubric", f"Write `{kind}: {{rubric: rubrics/{name or 'tone'}.yaml}}`.")
        return None
    path = node.text("the path of a rubric")
    rubric = read_rubric(Path(normpath(directory / path)), context, node, pairwise=kind == COMPARE) if path else None
    if rubric is None:
        return None
    offer: Any = context.scorers[kind]
    fingerprint = scorer_fingerprint(kind, offer.revision, {"rubric": rubric.digest})
    return BoundScorer(name=name, kind=kind, scorer=offer(rubric=rubric), fingerprint=fingerprint, place=settings.place)
