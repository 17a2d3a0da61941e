"""embedding_similarity: how near answer and expected text are to an embedding model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.embeddings import cosine, embedding_request, unpacked
from pytest_promptgate.core.ports import Inquiry
from pytest_promptgate.core.types import Completion, ModelPin, Score, Unscored
from pytest_promptgate.scorers.quoting import quoted
from pytest_promptgate.scorers.references import references
from pytest_promptgate.scorers.settings import name_of_expected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSimilarity:
    """A `core.ports.Judge`: cosine of the vectors of answer and expected text, 0 … 1; higher is better.

    A negative cosine (texts that the model holds for opposites) scores 0. Of several expected texts the nearest counts;
    an answer that equals one of them scores 1, and nothing is asked. Unscored are an empty answer, and one for which
    no vectors came back that can be compared.

    Attributes:
        model: The embedding model, never the subject's.
        expected: Column, or key of the expected value: a text, or a list of them.

    Source:
        Salton, Wong & Yang, A vector space model for automatic indexing (1975), for the cosine.
    """

    model: ModelPin
    expected: str | None = None

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True
    compares: ClassVar[bool] = False

    def __post_init__(self) -> None:
        name_of_expected(self.expected)

    @property
    def pin(self) -> ModelPin:
        """The embedding model."""
        return self.model

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        references(case, self.expected)

    def inquire(
        self,
        completion: Completion,
        case: Case,
        production: Completion | Unscored | None = None,  # noqa: ARG002 - it does not compare with production
    ) -> Inquiry | Score | Unscored:
        """One vector per text: the answer's first, then those of the expected texts."""
        texts = references(case, self.expected)
        if not completion.text.strip():
            return Unscored(reason="the answer is empty: there is no text to embed")
        if completion.text in texts:
            return Score(value=1.0)

        def grade(replies: Sequence[Completion | Unscored]) -> Score | Unscored:
            return _nearest(replies[0], replies[1:], texts)

        requests = tuple(embedding_request(self.model, text) for text in (completion.text, *texts))
        return Inquiry(requests=requests, grade=grade)


def _nearest(
    answer: Completion | Unscored, expected: Sequence[Completion | Unscored], texts: Sequence[str]
) -> Score | Unscored:
    refused = next((each for each in (answer, *expected) if isinstance(each, Unscored)), None)
    if refused is not None:
        return refused
    answered, *wanted = (each.embedding for each in (answer, *expected) if isinstance(each, Completion))
    if not all((answered, *wanted)):
        return Unscored(reason="no vector came back: does this model give embeddings?")
    try:
        near = [cosine(unpacked(answered), unpacked(each)) for each in wanted]
    except ValueError as error:
        return Unscored(reason=f"the embeddings cannot be compared: {error}")
    best = max(range(len(near)), key=near.__getitem__)
    return Score(value=max(0.0, near[best]), reason=f"cosine {near[best]:.3f} to {quoted(texts[best])}")
