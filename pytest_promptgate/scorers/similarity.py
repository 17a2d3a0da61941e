"""How alike answer and expected text are: edit_similarity and token_f1. The only module that imports rapidfuzz."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.types import Score, Unscored
from pytest_promptgate.scorers.extras import check_installed
from pytest_promptgate.scorers.normalisers import normalised, normaliser_names
from pytest_promptgate.scorers.quoting import quoted
from pytest_promptgate.scorers.references import references, too_long
from pytest_promptgate.scorers.settings import name_of_expected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Case, Completion


@dataclass(frozen=True, slots=True, kw_only=True)
class EditSimilarity:
    """1 - edits / length of the longer text, 0 … 1: edits are characters inserted, deleted or replaced.

    Two empty texts score 1. Of several expected texts the most alike counts. Texts of more than 100,000 characters
    are unscored.

    Attributes:
        expected: Column, or key of the expected value: a text, or a list of them.
        normalize: Normalisers for both texts.

    Source:
        Levenshtein, Binary codes capable of correcting deletions, insertions, and reversals (1966), normalised as in
        rapidfuzz's ``Levenshtein.normalized_similarity``.
    """

    expected: str | None = None
    normalize: tuple[str, ...] = ("strip",)

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        object.__setattr__(self, "normalize", normaliser_names(self.normalize))
        check_installed("text", "rapidfuzz")

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        references(case, self.expected)

    def __call__(self, completion: Completion, case: Case) -> Score | Unscored:
        from rapidfuzz.distance import Levenshtein

        texts = [normalised(text, self.normalize) for text in references(case, self.expected)]
        answered = normalised(completion.text, self.normalize)
        if reason := too_long(answered, texts):
            return Unscored(reason=reason)
        edits = [Levenshtein.distance(answered, text) for text in texts]
        alike = [1.0 - each / (max(len(answered), len(text)) or 1) for each, text in zip(edits, texts, strict=True)]
        best = max(range(len(texts)), key=alike.__getitem__)
        told = f"{edits[best]:,} edit{'' if edits[best] == 1 else 's'} from {quoted(texts[best])} to {quoted(answered)}"
        return Score(value=alike[best], reason=told if edits[best] else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenF1:
    """Harmonic mean of precision and recall of the words that answer and expected text share, 0 … 1.

    Words are what stands between white space after normalisation, each as often as it stands there. If one text has no
    words, the score is 1 if the other has none either, else 0. Of several expected texts the best counts.

    Attributes:
        expected: Column, or key of the expected value: a text, or a list of them.
        normalize: Normalisers for both texts.

    Source:
        Rajpurkar et al., SQuAD (2016), its official evaluation script; that one removes ASCII's punctuation and
        symbols, the normaliser ``punctuation`` all of Unicode's punctuation and no symbols.
    """

    expected: str | None = None
    normalize: tuple[str, ...] = ("lower", "punctuation", "articles")

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        object.__setattr__(self, "normalize", normaliser_names(self.normalize))

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        references(case, self.expected)

    def __call__(self, completion: Completion, case: Case) -> Score:
        texts = references(case, self.expected)
        answered = normalised(completion.text, self.normalize).split()
        found = [_f1(answered, normalised(text, self.normalize).split()) for text in texts]
        best = max(range(len(texts)), key=found.__getitem__)
        if found[best] == 1.0:
            return Score(value=1.0)
        return Score(
            value=found[best], reason=f"answered {quoted(completion.text.strip())}, expected {quoted(texts[best])}"
        )


def _f1(answered: Sequence[str], expected: Sequence[str]) -> float:
    if not answered or not expected:
        return float(len(answered) == len(expected))
    shared = (Counter(answered) & Counter(expected)).total()
    # Exactly 1 iff the words are the same: 2 p r / (p + r) would round.
    return 2 * shared / (len(answered) + len(expected))


def common_words(answered: Sequence[str], expected: Sequence[str]) -> int:
    """Length of the longest common subsequence of two lists of words."""
    from rapidfuzz.distance import LCSseq

    return LCSseq.similarity(answered, expected)
