"""Scorers that compare the answer's text: exact_match and contains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.expected import expected_of
from pytest_promptgate.core.types import Score
from pytest_promptgate.scorers.normalisers import normalised, normaliser_names, text_of
from pytest_promptgate.scorers.quoting import VALUE, label, quoted
from pytest_promptgate.scorers.settings import choice, flag, name_of_expected, strings

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactMatch:
    """1.0 if the normalised answer equals the normalised expected text, else 0.0; labels are both texts.

    Attributes:
        expected: Column, or key of the expected value; None is the expected value itself.
        normalize: Names of normalisers, applied to both texts in this order.
    """

    expected: str | None = None
    normalize: tuple[str, ...] = ("strip",)

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True
    labels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        object.__setattr__(self, "normalize", normaliser_names(self.normalize))

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        text_of(expected_of(case, self.expected))

    def __call__(self, completion: Completion, case: Case) -> Score:
        expected = normalised(text_of(expected_of(case, self.expected)), self.normalize)
        answered = normalised(completion.text, self.normalize)
        if answered == expected:
            same = label(expected)
            return Score(value=1.0, labels=(same, same))
        reason = f"answered {quoted(answered)}, expected {quoted(expected)}"
        return Score(value=0.0, reason=reason, labels=(label(answered), label(expected)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains:
    """1.0 if the answer contains what it should, else 0.0.

    Attributes:
        text: What to look for, written in the suite: a text or a list of texts.
        expected: Where to find it in the row, if `text` is not set: a text, a number, or a list of them.
        match: ``all`` of them have to be in the answer, ``any`` one of them, or ``none``.
        ignore_case: Compare after Unicode case folding.
    """

    text: tuple[str, ...] | None = None
    expected: str | None = None
    match: str = "all"
    ignore_case: bool = False

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        choice("match", self.match, ("all", "any", "none"))
        flag("ignore_case", self.ignore_case)
        if self.text is not None:
            if self.expected is not None:
                raise ValueError("text and expected exclude each other: text stands in the suite, expected in the row")
            object.__setattr__(self, "text", strings("text", self.text))

    @property
    def needs_expected(self) -> bool:
        """False if the suite says what to look for."""
        return self.text is None

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        self._wanted(case)

    def __call__(self, completion: Completion, case: Case) -> Score:
        text = completion.text.casefold() if self.ignore_case else completion.text
        wanted = self._wanted(case)
        found = [each for each in wanted if (each.casefold() if self.ignore_case else each) in text]
        if self.match == "all":
            missing = [each for each in wanted if each not in found]
            return _told(not missing, missing, "not in the answer")
        if self.match == "any":
            return _told(bool(found), wanted, "not in the answer")
        return _told(not found, found, "in the answer")

    def _wanted(self, case: Case) -> Sequence[str]:
        if self.text is not None:
            return self.text
        value = expected_of(case, self.expected)
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        texts = [text_of(each) for each in value] if is_list else [text_of(value)]  # type: ignore[union-attr]
        if not texts or not all(texts):
            raise ValueError("the expected value is empty, and every answer contains an empty text")
        return texts


def _told(right: bool, texts: Sequence[str], where: str) -> Score:
    if right:
        return Score(value=1.0)
    some = ", ".join(quoted(text, width=VALUE) for text in texts[:3])
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return Score(value=0.0, reason=f"{where}: {some}{more}")
