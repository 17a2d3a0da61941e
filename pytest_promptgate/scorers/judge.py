"""LLM-as-judge: a model grades an answer by a rubric. docs/judges.md says how to write one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.ports import Inquiry
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.rubrics import Rubric, agreed
from pytest_promptgate.core.types import Completion, Score, Unscored
from pytest_promptgate.scorers.judge_prompt import mark_for, parts_of, requests_for
from pytest_promptgate.scorers.verdicts import Verdict, read_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Case, ModelPin

_REASON = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRubric:
    """What every judge that goes by a rubric has.

    Attributes:
        rubric: What it judges by.
    """

    rubric: Rubric

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not isinstance(self.rubric, Rubric):
            raise TypeError("a judge stands by itself under scorers:, not within another scorer")

    @property
    def pin(self) -> ModelPin:
        """The judge's own model."""
        return self.rubric.pin

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns that it reads beside the row's expected value; None: all."""
        sees = self.rubric.sees
        if sees.inputs is None:
            return None
        return (*sees.inputs, *(each for each in (sees.expected, sees.reference) if each))

    def check(self, case: Case) -> None:
        """Raise LookupError if the row lacks something that the judge is to see."""
        parts_of(self.rubric, case)


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricJudge(ByRubric):
    """A `core.ports.Judge`: asks the rubric's own model for a verdict on one answer, as often as the rubric says."""

    compares: ClassVar[bool] = False

    def inquire(
        self,
        completion: Completion,
        case: Case,
        production: Completion | Unscored | None = None,  # noqa: ARG002 - it does not compare
    ) -> Inquiry:
        """One request per vote."""
        rubric, parts = self.rubric, parts_of(self.rubric, case, answer=completion)
        mark = mark_for(rubric, parts)

        def grade(replies: Sequence[Completion | Unscored]) -> Score | Unscored:
            return graded(rubric, [read_vote(rubric, each, mark) for each in replies])

        return Inquiry(requests=requests_for(rubric, parts), grade=grade)


def read_vote(rubric: Rubric, reply: Completion | Unscored, mark: str) -> Verdict | Unscored:
    """What one reply says; a refused request stays what it is."""
    if isinstance(reply, Unscored):
        return reply
    return read_verdict(reply, rubric.scale, mark=mark, structured=rubric.structured)


def graded(rubric: Rubric, votes: Sequence[Verdict | Unscored]) -> Score | Unscored:
    """The grade that the votes give together; its reason is that of the first vote for it."""
    given = [each for each in votes if isinstance(each, Verdict)]
    missing = [each for each in votes if isinstance(each, Unscored)]
    found = agreed(rubric.scale, [each.verdict for each in given], votes=rubric.votes)
    if isinstance(found, str):
        return Unscored(reason=missing[0].reason if rubric.votes == 1 else _told(found, missing))
    verdict, score = found
    why = next((each.reasoning for each in given if each.verdict == verdict), given[0].reasoning)
    return Score(value=score, reason=one_line(f"{verdict}: {why}" if why.strip() else verdict, width=_REASON))


def _told(why: str, missing: Sequence[Unscored]) -> str:
    return f"{why}; {missing[0].reason}" if missing else why
