"""The scorer length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.types import Score, Unscored
from pytest_promptgate.scorers.settings import choice, wrong

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """1.0 if the answer is neither too long nor too short, else 0.0. An empty answer has length 0.

    Attributes:
        at_most: Greatest length that scores 1.0; None: no limit. One of both limits has to be set.
        at_least: Least length that scores 1.0.
        unit: characters (code points), words (between white space), lines (that are not blank), or tokens (as the
            provider counts the whole answer; unscored if it does not count).
    """

    at_most: int | None = None
    at_least: int = 0
    unit: str = "characters"

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = False

    def __post_init__(self) -> None:
        choice("unit", self.unit, ("characters", "words", "lines", "tokens"))
        if self.at_most is not None:
            _whole("at_most", self.at_most)
        _whole("at_least", self.at_least)
        if self.at_most is None and self.at_least == 0:
            raise ValueError("it needs at_most or at_least; as it stands, every length is right")
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(f"at_most {self.at_most} is below at_least {self.at_least}, so no length is right")

    @property
    def reads_text(self) -> bool:
        """False if it reads the provider's count."""
        return self.unit != "tokens"

    def __call__(self, completion: Completion, case: Case) -> Score | Unscored:  # noqa: ARG002 - a scorer's signature
        size = self._size(completion)
        if size is None:
            return Unscored(reason="the provider did not count the tokens of the answer")
        seen = f"{size:,} {self.unit if size != 1 else self.unit.removesuffix('s')}"
        if size < self.at_least:
            return Score(value=0.0, reason=f"{seen}, at least {self.at_least:,} are wanted")
        if self.at_most is not None and size > self.at_most:
            return Score(value=0.0, reason=f"{seen}, at most {self.at_most:,} are allowed")
        return Score(value=1.0)

    def _size(self, completion: Completion) -> int | None:
        if self.unit == "tokens":
            return completion.tokens_out
        if self.unit == "words":
            return len(completion.text.split())
        if self.unit == "lines":
            return sum(1 for line in completion.text.splitlines() if line.strip())
        return len(completion.text)


def _whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong(name, "a whole number >= 0", value)
