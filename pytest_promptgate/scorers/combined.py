"""Scorers made of scorers: all_of, any_of, not, weighted.

Scores from 0 to 1 are joined as in Zadeh's fuzzy logic (minimum, maximum, 1 - x), and "unscored" as the unknown of
Kleene's: it stays unless the other parts decide alone. For scores of 0 and 1 that is Boolean logic.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from pytest_promptgate.core.grading import grade_of
from pytest_promptgate.core.nesting import check_row
from pytest_promptgate.core.ports import Judge
from pytest_promptgate.core.types import BoundScorer, Direction, Score, Unscored
from pytest_promptgate.scorers.settings import wrong

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion

_Grade: TypeAlias = "Score | Unscored"
_Named: TypeAlias = "tuple[str, _Grade]"  # a part's name, and what it gave
_SHOWN = 3  # parts in one reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Combined(ABC):
    """What all combinators share: parts are asked in the order written, those that wait side by side.

    Those that wait are not asked at all if the others decide already: a judge costs nothing then. What a part raises
    is the whole scorer's error.
    """

    parts: tuple[BoundScorer, ...]

    nests: ClassVar[str] = "many"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.check_parts()
        for part in self.parts:
            if getattr(part.scorer, "direction", None) == Direction.LOWER:
                raise ValueError(f"of {part.name} less is better; put it inside `not`, which turns it")

    def check_parts(self) -> None:
        """Raise ValueError if there are none, or one that the engine has to ask a model for."""
        if not self.parts:
            raise ValueError("it has no scorers")
        for part in self.parts:
            if isinstance(part.scorer, Judge):
                raise ValueError(
                    f"{part.name} asks a model, so it stands by itself under scorers; name its metric there"
                )

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if one of the parts can never score this row."""
        for part in self.parts:
            try:
                check_row(part.scorer, case)
            except (ValueError, LookupError) as error:
                raise ValueError(f"{part.name}: {error.args[0] if error.args else error}") from error

    def __call__(self, completion: Completion, case: Case) -> _Grade | Awaitable[_Grade]:
        found: list[_Grade | Awaitable[object]] = []
        try:
            for part in self.parts:
                found.append(_asked(part, completion, case))  # noqa: PERF401 - what was begun is needed if one raises
        except BaseException:
            _dismiss(found)
            raise
        known = [
            (part.name, each)
            for part, each in zip(self.parts, found, strict=True)
            if isinstance(each, Score | Unscored)
        ]
        if len(known) < len(found) and not self.decided(known):
            return _Waiting(whole=self, found=tuple(found))
        _dismiss(found)
        return self.joined(known)

    def decided(self, grades: Sequence[_Named]) -> bool:  # noqa: ARG002 - some combinators can tell
        """Whether no further grade can change what `joined` gives for these."""
        return False

    @abstractmethod
    def joined(self, grades: Sequence[_Named]) -> _Grade:
        """The grade that the parts' grades make; of all parts, unless these decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """The grade of a combinator of which some parts wait. Awaited at most once; `close` if it is not needed."""

    whole: _Combined
    found: tuple[_Grade | Awaitable[object], ...]

    def __await__(self) -> Generator[Any, Any, _Grade]:
        return self._joined().__await__()

    def close(self) -> None:
        """Drop what waits."""
        _dismiss(self.found)

    async def _joined(self) -> _Grade:
        parts = self.whole.parts
        waiting = [(part, each) for part, each in zip(parts, self.found, strict=True) if isinstance(each, Awaitable)]
        done = await asyncio.gather(*(each for _, each in waiting), return_exceptions=True)
        for (part, _), returned in zip(waiting, done, strict=True):
            if isinstance(returned, BaseException):
                returned.add_note(_place(part))
                raise returned
        came = iter(done)
        grades = [
            (part.name, each if isinstance(each, Score | Unscored) else _graded(part, next(came)))
            for part, each in zip(parts, self.found, strict=True)
        ]
        return self.whole.joined(grades)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf(_Combined):
    """The least score of the parts: 1 iff all of them are right. Unscored if a part is, unless another one scores 0."""

    def decided(self, grades: Sequence[_Named]) -> bool:
        """A 0 decides."""
        return any(isinstance(each, Score) and each.value == 0.0 for _, each in grades)

    def joined(self, grades: Sequence[_Named]) -> _Grade:
        """The least."""
        missing = _missing(grades)
        if missing and not self.decided(grades):
            return Unscored(reason=missing)
        return _score(min(each.value for each in _scores(grades)), grades)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf(_Combined):
    """The greatest score of the parts: 1 iff one of them is right. Unscored if a part is, unless another scores 1."""

    def decided(self, grades: Sequence[_Named]) -> bool:
        """A 1 decides."""
        return any(isinstance(each, Score) and each.value == 1.0 for _, each in grades)

    def joined(self, grades: Sequence[_Named]) -> _Grade:
        """The greatest."""
        if self.decided(grades):
            return Score(value=1.0)
        if missing := _missing(grades):
            return Unscored(reason=missing)
        return _score(max(each.value for each in _scores(grades)), grades)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(_Combined):
    """1 - the score of its one part. Unscored if that is; a failed extraction stays a 0, for it is never a success.

    Of a part of which less is better it makes one of which more is.
    """

    nests: ClassVar[str] = "one"

    def __post_init__(self) -> None:
        self.check_parts()  # of which less may be better

    def joined(self, grades: Sequence[_Named]) -> _Grade:
        """The opposite."""
        ((name, grade),) = grades
        if isinstance(grade, Unscored) or grade.unextracted:
            return grade
        value = 1.0 - grade.value
        why = f" although not wanted{f': {grade.reason}' if grade.reason else ''}"
        return Score(value=value, reason="" if value == 1.0 else f"{name} scored {grade.value:g}{why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted(_Combined):
    """The weighted mean of the parts' scores. Unscored if any part is.

    Attributes:
        weights: One per part, above 0; only their ratios matter.
    """

    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        _Combined.__post_init__(self)
        for weight in self.weights:
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not math.isfinite(weight) or weight <= 0:
                raise wrong("weight", "a number above 0", weight)

    def joined(self, grades: Sequence[_Named]) -> _Grade:
        """The weighted mean."""
        if missing := _missing(grades):
            return Unscored(reason=missing)
        scores = _scores(grades)
        if all(each.value == 1.0 for each in scores):
            return Score(value=1.0)
        whole = math.fsum(self.weights)
        value = math.fsum(w * each.value for w, each in zip(self.weights, scores, strict=True)) / whole
        return _score(min(value, 1.0), grades)


def _asked(part: BoundScorer, completion: Completion, case: Case) -> _Grade | Awaitable[object]:
    try:
        scorer: Any = part.scorer
        returned: object = scorer(completion, case)
    except BaseException as error:
        error.add_note(_place(part))
        raise
    return returned if inspect.isawaitable(returned) else _graded(part, returned)


def _graded(part: BoundScorer, returned: object) -> _Grade:
    found = grade_of(returned)
    if found is None:
        seen = repr(returned)[:100] if isinstance(returned, bool | int | float | None) else type(returned).__name__
        raise TypeError(f"{part.name} returned {seen}, which is no grade from 0 to 1")
    return found


def _place(part: BoundScorer) -> str:
    return f"(in {part.name})"


def _dismiss(found: Sequence[object]) -> None:
    for each in found:
        if inspect.iscoroutine(each) or isinstance(each, _Waiting):
            each.close()
        elif isinstance(each, asyncio.Future):
            each.cancel()


def _scores(grades: Sequence[_Named]) -> list[Score]:
    return [each for _, each in grades if isinstance(each, Score)]


def _missing(grades: Sequence[_Named]) -> str:
    return next((f"{name}: {each.reason}" for name, each in grades if isinstance(each, Unscored)), "")


def _score(value: float, grades: Sequence[_Named]) -> Score:
    if value == 1.0:
        return Score(value=1.0)
    low = [(name, each) for name, each in grades if isinstance(each, Score) and each.value < 1.0]
    told = [f"{name}: {each.reason or f'scored {each.value:g}'}" for name, each in low[:_SHOWN]]
    more = f"; and {len(low) - _SHOWN} more" if len(low) > _SHOWN else ""
    unextracted = value == 0.0 and any(each.unextracted for _, each in low)
    return Score(value=value, reason="; ".join(told) + more, unextracted=unextracted)
