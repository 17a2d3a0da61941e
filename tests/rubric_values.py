"""A rubric and a row for it, as values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_promptgate.core.rubrics import Choice, Choices, GradedExample, Range, Rubric, Sees
from pytest_promptgate.core.types import Case, ModelPin
from pytest_promptgate.errors import Place

WORDS = Choices(
    choices=(
        Choice(name="wrong", score=0.0),
        Choice(name="partly", score=0.5, means="one of two"),
        Choice(name="right", score=1.0),
    )
)
PIN = ModelPin(provider="local", name="judge-2025-01-01")
CASE = Case(
    id="c-1",
    inputs={"message": "where is my parcel"},
    expected="shipping",
    has_expected=True,
    tags=(),
    digest="row",
    place=Place(file="rows.jsonl", line=1),
)
_RUBRIC = Rubric(
    path="evals/rubrics/tone.yaml",
    criterion="Does the reply name the right queue?",
    scale=WORDS,
    pin=PIN,
    parameters={"temperature": 0, "seed": 7},
    sees=Sees(inputs=("message",), expected=""),
)


def rubric(**changes: Any) -> Rubric:
    """The rubric with one graded example, with `changes`."""
    changed = replace(_RUBRIC, **changes)
    verdict = "5" if isinstance(changed.scale, Range) else "right"
    example = GradedExample(
        answer="billing",
        verdict=verdict,
        reasoning="It is the same queue.",
        inputs={"message": "charged twice"},
        expected="billing",
    )
    return changed if "examples" in changes else replace(changed, examples=(example,))
