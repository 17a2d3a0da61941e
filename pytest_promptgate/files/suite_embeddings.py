"""Scorers that ask an embedding model: ``{embedding_similarity: {model: provider/id, expected: reference}}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.fingerprint import scorer_fingerprint
from pytest_promptgate.core.types import BoundScorer
from pytest_promptgate.files.suite_models import read_pin

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_context import SuiteContext

EMBEDDING = "embedding_similarity"


def bound_embedding(name: str, settings: Node, context: SuiteContext) -> BoundScorer | None:
    """The scorer, or None after noting faults; its fingerprint covers its model.

    Args:
        name: As the suite calls it.
        settings: A mapping with ``model``, or the model alone.
        context: Of the suite.
    """
    expected, model = None, settings
    if isinstance(settings.value, dict):
        settings.keys({"model", "expected"})
        column = settings.get("expected")
        expected = column.text("the name of a column or of a key of the row's expected value") if column else None
        model = settings.get("model") or settings.without_value()
    if model.value is None:
        settings.fault(
            f"{EMBEDDING} has no model",
            "It has a pin of its own: `{embedding_similarity: {model: provider/id, expected: reference}}`.",
        )
        return None
    pin = read_pin(model, context.providers)
    if pin is None:
        return None
    offer: Any = context.scorers[EMBEDDING]
    identity: dict[str, Json] = {"model": [pin.provider, pin.name, pin.parameters], "expected": expected}
    return BoundScorer(
        name=name,
        kind=EMBEDDING,
        scorer=offer(model=pin, expected=expected),
        fingerprint=scorer_fingerprint(EMBEDDING, offer.revision, identity),
        place=settings.place,
    )
