"""What a judge judges by: one criterion, a scale, graded examples, the judge's own pin. All frozen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.core.fingerprint import digest

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Json, ModelPin

SEED = 7  # of the first vote; each further one has the next

# OpenAI's reasoning models refuse a temperature; the chat variants of gpt-5 do not reason.
_NO_TEMPERATURE = re.compile(r"(?:.*/)?(?:o\d|gpt-5(?!\S*chat))\S*")
_NO_SEED = frozenset({"mistral"})  # families whose endpoints refuse a parameter of that name
_STRUCTURED = frozenset({"openai", "azure"})
# Older than `response_format: json_schema`.
_UNSTRUCTURED = re.compile(r"gpt-3\.5\S*|gpt-35\S*|gpt-4(?:-\S+)?|gpt-4o-2024-05-13|o1-(?:mini|preview)\S*|chatgpt\S*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One verdict that a judge may give."""

    name: str
    score: float  # 0 … 1
    means: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Verdicts by name."""

    choices: tuple[Choice, ...]  # in the order written; two at least, their names differ in more than case

    @property
    def menu(self) -> tuple[str, ...]:
        """The verdicts, as a judge writes them."""
        return tuple(each.name for each in self.choices)

    def score(self, verdict: str) -> float:
        """What a verdict of the menu is worth, 0 … 1."""
        return next(each.score for each in self.choices if each.name == verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Whole numbers from `low`, the worst, to `high`, the best."""

    low: int
    high: int  # > low

    @property
    def menu(self) -> tuple[str, ...]:
        """The verdicts, as a judge writes them."""
        return tuple(str(number) for number in range(self.low, self.high + 1))

    def score(self, verdict: str) -> float:
        """What a verdict of the menu is worth: 0 for `low`, 1 for `high`, linear between."""
        return (int(verdict) - self.low) / (self.high - self.low)


Scale: TypeAlias = Choices | Range


FIRST, SECOND, TIE = "first", "second", "tie"
PAIR = Choices(
    choices=(
        Choice(name=FIRST, score=1.0, means="the first answer is better"),
        Choice(name=SECOND, score=0.0, means="the second answer is better"),
        Choice(name=TIE, score=0.5, means="neither is better"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sees:
    """What a judge is shown beside the answer."""

    inputs: tuple[str, ...] | None = ()  # columns; None: every column but id, expected, tags and the reference
    expected: str | None = None  # "" is the row's expected value, else a column or key of it; None: not shown
    reference: str | None = None  # the column, or key of the expected value, with a model answer; None: not shown


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedExample:
    """An answer with the verdict that a good judge gives."""

    answer: str
    verdict: str  # of the menu
    reasoning: str = ""
    inputs: Mapping[str, Json] = field(default_factory=dict)
    expected: Json = None
    reference: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """A rubric file, read and valid."""

    path: str  # relative to the root directory, with "/"
    criterion: str
    scale: Scale
    pin: ModelPin
    parameters: Mapping[str, Json]  # of every request but for the seed of the votes after the first
    votes: int = 1  # odd
    sees: Sees = field(default_factory=Sees)
    examples: tuple[GradedExample, ...] = ()
    structured: bool = False  # the verdict is asked for by a JSON schema, else by a last line
    pairwise: bool = False  # two answers are compared; `scale` is then `PAIR`, and each order has all votes
    corrected: bool = False  # reports show the mean that people would have given, see `core.corrected`

    @property
    def digest(self) -> str:
        """Everything in the file that can change a verdict; where the file stands cannot."""
        return digest(
            {
                "criterion": self.criterion,
                "scale": _plain_scale(self.scale),
                "model": (self.pin.provider, self.pin.name),
                "parameters": self.parameters,
                "votes": self.votes,
                "sees": (self.sees.inputs, self.sees.expected, self.sees.reference),
                "examples": [
                    (each.answer, each.verdict, each.reasoning, each.inputs, each.expected, each.reference)
                    for each in self.examples
                ],
                "structured": self.structured,
                "pairwise": self.pairwise,
            }
        )


def _plain_scale(scale: Scale) -> Json:
    if isinstance(scale, Range):
        return scale.low, scale.high
    return [(each.name, each.score, each.means) for each in scale.choices]


def default_parameters(family: str, model: str) -> dict[str, Json]:
    """Temperature 0 and a seed, without what the model is known to refuse."""
    found: dict[str, Json] = {"temperature": 0, "seed": SEED}
    if _NO_TEMPERATURE.fullmatch(model):
        del found["temperature"]
    if family in _NO_SEED:
        del found["seed"]
    return found


def has_structured_outputs(spec: ProviderSpec, model: str) -> bool:
    """Whether `model` writes by a JSON schema: as its provider's entry says, else by its family."""
    if spec.structured_outputs is not None:
        return spec.structured_outputs
    return spec.family in _STRUCTURED and _UNSTRUCTURED.fullmatch(model) is None


def agreed(scale: Scale, verdicts: Sequence[str], *, votes: int) -> tuple[str, float] | str:
    """What several votes say together.

    Args:
        scale: That they were given on.
        verdicts: Of those votes that gave one; all of the menu.
        votes: How many were asked, an odd number.

    Returns:
        The verdict and its score: for choices the one that more than half of `verdicts` name, for a range their
        median. Or why there is none: half of the votes or more gave no verdict, or no choice has a majority.
    """
    if 2 * len(verdicts) <= votes:
        return f"only {len(verdicts)} of {votes} votes gave a verdict"
    if isinstance(scale, Range):
        middle = median(int(each) for each in verdicts)
        return f"{middle:g}", (middle - scale.low) / (scale.high - scale.low)
    verdict, count = Counter(verdicts).most_common(1)[0]
    if 2 * count <= len(verdicts):
        return f"no majority among the votes: {', '.join(verdicts)}"
    return verdict, scale.score(verdict)
