"""Overlap of words or letters with a reference: bleu, chrf, rouge_l. The only module that imports sacrebleu."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_promptgate.core.types import Score, Unscored
from pytest_promptgate.scorers.extras import check_installed
from pytest_promptgate.scorers.quoting import quoted
from pytest_promptgate.scorers.references import references, too_long
from pytest_promptgate.scorers.settings import choice, flag, name_of_expected, wrong
from pytest_promptgate.scorers.similarity import common_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_promptgate.core.types import Case, Completion

_TOKENIZERS = ("13a", "intl", "zh", "char", "none")  # sacrebleu's own; the others need packages or downloads
_PARTS = ("f", "precision", "recall")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bleu:
    """BLEU of one sentence, 0 … 1: shared word n-grams up to 4, with a penalty for answers that are too short.

    sacrebleu's ``sentence_score`` / 100, with exponential smoothing and effective order. The mean over cases is not
    the corpus BLEU of papers. An empty answer scores 0; texts of more than 100,000 characters are unscored.

    Attributes:
        expected: Column, or key of the expected value: a text, or a list of references.
        tokenize: 13a, intl, zh (Chinese), char (Japanese, Thai), none.
        lowercase: Compare without case.

    Source:
        Papineni et al., BLEU (2002); Post, A Call for Clarity in Reporting BLEU Scores (2018).
    """

    expected: str | None = None
    tokenize: str = "13a"
    lowercase: bool = False

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        choice("tokenize", self.tokenize, _TOKENIZERS)
        flag("lowercase", self.lowercase)
        check_installed("nlg", "sacrebleu")

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        references(case, self.expected)

    def __call__(self, completion: Completion, case: Case) -> Score | Unscored:
        return _compared("BLEU", _bleu(self.tokenize, self.lowercase), completion, references(case, self.expected))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chrf:
    """chrF of one sentence, 0 … 1: F-score of shared character n-grams up to 6, recall counting twice as much.

    sacrebleu's ``sentence_score`` / 100. White space does not count. An empty answer scores 0; texts of more than
    100,000 characters are unscored.

    Attributes:
        expected: Column, or key of the expected value: a text, or a list of references.
        word_order: 2 counts word n-grams up to 2 as well: chrF++.
        lowercase: Compare without case.

    Source:
        Popović, chrF (2015) and chrF++ (2017).
    """

    expected: str | None = None
    word_order: int = 0
    lowercase: bool = False

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        if isinstance(self.word_order, bool) or not isinstance(self.word_order, int) or not 0 <= self.word_order <= 4:
            raise wrong("word_order", "a whole number from 0 to 4", self.word_order)
        flag("lowercase", self.lowercase)
        check_installed("nlg", "sacrebleu")

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        references(case, self.expected)

    def __call__(self, completion: Completion, case: Case) -> Score | Unscored:
        return _compared("chrF", _chrf(self.word_order, self.lowercase), completion, references(case, self.expected))


@dataclass(frozen=True, slots=True, kw_only=True)
class RougeL:
    """ROUGE-L, 0 … 1: the longest common subsequence of words, as a share of both texts.

    The numbers of the package rouge-score: lower case, words of ASCII letters and digits, nothing else counts.
    An answer without such words scores 0; a row without them is an error; texts of more than 100,000 characters are
    unscored.

    Attributes:
        expected: Column, or key of the expected value: a text, or a list of references, of which the best counts.
        part: f (harmonic mean), precision or recall.
        stem: Words of more than three letters by their stem (Porter): English.

    Source:
        Lin, ROUGE (2004).
    """

    expected: str | None = None
    part: str = "f"
    stem: bool = False

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        choice("part", self.part, _PARTS)
        flag("stem", self.stem)
        check_installed("nlg", "rouge_score", "rapidfuzz")

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        for text in references(case, self.expected):
            if not any(c.isascii() and c.isalnum() for c in text):
                raise ValueError(f"{quoted(text)} has no ASCII letters or digits, of which ROUGE's words are made")

    def __call__(self, completion: Completion, case: Case) -> Score | Unscored:
        self.check(case)
        return _compared("ROUGE-L", self._best, completion, references(case, self.expected))

    def _best(self, answered: str, texts: Sequence[str]) -> float:
        words = _words(answered, self.stem)
        return max(self._value(words, _words(text, self.stem)) for text in texts)

    def _value(self, answered: Sequence[str], expected: Sequence[str]) -> float:
        if not answered or not expected:
            return 0.0
        shared = common_words(answered, expected)
        sizes = {"f": (len(answered) + len(expected)) / 2, "precision": len(answered), "recall": len(expected)}
        return shared / sizes[self.part]


def _compared(
    name: str, measure: Callable[[str, Sequence[str]], float], completion: Completion, texts: Sequence[str]
) -> Score | Unscored:
    answered = completion.text
    if not answered.strip():
        return Score(value=0.0, reason="the answer is empty")
    if reason := too_long(answered, texts):
        return Unscored(reason=reason)
    value = measure(answered, texts)
    if value > 1.0 - 1e-9:  # sacrebleu's best is 100.00000000000004
        return Score(value=1.0)
    told = f"{name} {value:.3f}: answered {quoted(answered)}, expected {quoted(texts[0])}"
    return Score(value=value, reason=told)


@functools.lru_cache
def _bleu(tokenize: str, lowercase: bool) -> Callable[[str, Sequence[str]], float]:
    from sacrebleu.metrics.bleu import BLEU

    return _share(BLEU(effective_order=True, tokenize=tokenize, lowercase=lowercase))


@functools.lru_cache
def _chrf(word_order: int, lowercase: bool) -> Callable[[str, Sequence[str]], float]:
    from sacrebleu.metrics.chrf import CHRF

    return _share(CHRF(word_order=word_order, lowercase=lowercase))


def _share(metric: Any) -> Callable[[str, Sequence[str]], float]:
    return lambda answered, texts: float(metric.sentence_score(answered, list(texts)).score) / 100.0


def _words(text: str, stem: bool) -> list[str]:
    from rouge_score.tokenize import tokenize

    return list(tokenize(text, _stemmer() if stem else None))


@functools.cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()
