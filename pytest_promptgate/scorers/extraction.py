"""Extraction apart from scoring: a scorer that is handed one part of the answer instead of the whole."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from pytest_promptgate.core.nesting import check_row, leaves
from pytest_promptgate.core.ports import Inquiry, Judge
from pytest_promptgate.core.types import BoundScorer, Direction, Score, Unscored
from pytest_promptgate.scorers.extraction_steps import (
    CodeBlock,
    JsonPathStep,
    LastLine,
    NotFoundError,
    RegexStep,
    XmlTag,
    called,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pytest_promptgate.core.types import Case, Completion, ModelPin

NOTHING = "(not extracted)"  # the label of an answer that lacks the part


class Step(Protocol):
    """One way to find a part."""

    def found(self, text: str, *, as_json: bool) -> str:
        """The part.

        Args:
            text: The whole answer, not blank.
            as_json: The scorer reads JSON: a text out of a JSON document keeps its quotation marks.

        Raises:
            NotFoundError: There is none.
            TimeoutError: It took too long to look.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """The one scorer in `parts`, on the part of the answer that `step` finds; tool calls stay as they are.

    Where nothing is found, the score is 0 and `Score.unextracted`, or `Unscored` if the scorer says so
    (``if_not_extracted``), waits (a judge), or counts downwards: 0 would be its best.
    """

    parts: tuple[BoundScorer, ...]
    step: Step

    @property
    def direction(self) -> Direction:
        """The scorer's own."""
        return Direction(getattr(self._scorer, "direction", Direction.HIGHER))

    @property
    def labels(self) -> bool:
        """Whether the scorer gives labels; a plain function may."""
        return bool(getattr(self._scorer, "labels", inspect.isroutine(self._scorer)))

    @property
    def expected(self) -> str | None:
        """What the scorer compares with."""
        name = getattr(self._scorer, "expected", None)
        return name if isinstance(name, str) else None

    def check(self, case: Case) -> None:
        """Raise what the scorer raises of a row that it can never score."""
        check_row(self._scorer, case)

    def __call__(self, completion: Completion, case: Case) -> Score | Unscored | Awaitable[Score | Unscored]:
        part = self.extracted(completion)
        if isinstance(part, Unscored):
            return self._missed(part, completion, case)
        found: Score | Unscored | Awaitable[Score | Unscored] = self._scorer(part, case)
        return found

    def extracted(self, completion: Completion) -> Completion | Unscored:
        """The answer with the part for its text, or why there is none."""
        reads_json = getattr(self._scorer, "reads_json", False) is True
        try:
            if why := called(completion.text, completion.tool_calls):
                raise NotFoundError(why)
            return replace(completion, text=self.step.found(completion.text, as_json=reads_json))
        except NotFoundError as error:
            return Unscored(reason=f"extraction failed: {error}")

    @property
    def _scorer(self) -> Any:
        return self.parts[0].scorer

    def _missed(self, why: Unscored, completion: Completion, case: Case) -> Score | Unscored:
        if self.direction is Direction.LOWER or any(_is_unscored_then(leaf) for leaf in leaves(self._scorer)):
            return why
        labels = None
        if getattr(self._scorer, "labels", False):
            on_nothing = self._scorer(replace(completion, text=""), case)
            if isinstance(on_nothing, Score) and on_nothing.labels is not None:
                labels = (NOTHING, on_nothing.labels[1])
        return Score(value=0.0, reason=why.reason, labels=labels, unextracted=True)


def _is_unscored_then(leaf: object) -> bool:
    said = getattr(leaf, "if_not_extracted", None)
    if said in ("zero", "unscored"):
        return bool(said == "unscored")
    called_by = inspect.getattr_static(type(leaf), "__call__", None)
    waits = inspect.iscoroutinefunction(leaf) or inspect.iscoroutinefunction(called_by)
    return waits or isinstance(leaf, Judge)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedJudge(Extracted):
    """A judge that sees one part of the answer; where there is none, it is not asked, and the answer is unscored."""

    @property
    def pin(self) -> ModelPin:
        """The judge's own model."""
        pin: ModelPin = self._scorer.pin
        return pin

    @property
    def rubric(self) -> Any:
        """What it judges by."""
        return self._scorer.rubric

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns that it reads; None: all."""
        found: tuple[str, ...] | None = getattr(self._scorer, "columns", ())
        return found

    @property
    def compares(self) -> bool:
        """Whether it holds the part against the same part of production's answer."""
        return bool(self._scorer.compares)

    def inquire(
        self, completion: Completion, case: Case, production: Completion | Unscored | None
    ) -> Inquiry | Score | Unscored:
        """What to ask about the part."""
        part = self.extracted(completion)
        if isinstance(part, Unscored):
            return part
        before = self.extracted(production) if production is not None and not isinstance(production, Unscored) else None
        found: Inquiry | Score | Unscored = self._scorer.inquire(part, case, before or production)
        return found


STEPS: Mapping[str, type] = MappingProxyType(
    {
        "code_block": CodeBlock,
        "json_path": JsonPathStep,
        "last_line": LastLine,
        "regex": RegexStep,
        "xml_tag": XmlTag,
    }
)


class Extraction:
    """What suites can extract by; see `core.ports.ExtractionOffer`."""

    steps = STEPS
    revision = 1

    def __call__(self, *, parts: tuple[BoundScorer, ...], step: Step) -> Extracted:
        """The scorer that grades what `step` finds."""
        kind = ExtractedJudge if isinstance(parts[0].scorer, Judge) else Extracted
        return kind(parts=parts, step=step)


EXTRACTION = Extraction()
