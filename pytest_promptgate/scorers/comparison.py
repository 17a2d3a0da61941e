"""Pairwise judge: an answer against production's stored one, in both orders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.pairs import CANDIDATE, PAR, PRODUCTION, TIE
from pytest_promptgate.core.ports import Inquiry
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.rubrics import FIRST, SECOND, Rubric, agreed
from pytest_promptgate.core.types import Completion, Score, Unscored
from pytest_promptgate.scorers.judge import ByRubric, read_vote
from pytest_promptgate.scorers.judge_prompt import mark_for, parts_of, requests_for
from pytest_promptgate.scorers.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Case, Json

_REASON = 300  # characters
_VALUES = {(CANDIDATE, CANDIDATE): 1.0, (PRODUCTION, PRODUCTION): 0.0}
_WHO = ({FIRST: CANDIDATE, SECOND: PRODUCTION}, {FIRST: PRODUCTION, SECOND: CANDIDATE})  # in each order


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricComparison(ByRubric):
    """A `core.ports.Judge`: 1 if the answer beats production's in both orders, 0 if it loses in both, else 0.5.

    Its scores carry what each order said as labels, for the report: no metric reads them, since ties that need no
    question have none. The `scale` of its rubric is `core.rubrics.PAIR`.
    """

    compares: ClassVar[bool] = True

    def inquire(
        self, completion: Completion, case: Case, production: Completion | Unscored | None
    ) -> Inquiry | Score | Unscored:
        """All votes with the candidate first, then all votes with it second."""
        if isinstance(production, Unscored):
            return production
        if production is None:
            return replace(PAR, reason="production has no answer to compare with")
        if output_digest(production) == output_digest(completion):
            return replace(PAR, reason="the same answer as production's")
        rubric = self.rubric
        orders = (
            parts_of(rubric, case, first_answer=completion, second_answer=production),
            parts_of(rubric, case, first_answer=production, second_answer=completion),
        )

        def grade(replies: Sequence[Completion | Unscored]) -> Score | Unscored:
            halves = replies[: rubric.votes], replies[rubric.votes :]
            said = [_said(rubric, parts, half) for parts, half in zip(orders, halves, strict=True)]
            return compared(*said)

        return Inquiry(requests=tuple(each for parts in orders for each in requests_for(rubric, parts)), grade=grade)


def _said(
    rubric: Rubric, parts: Sequence[tuple[str, Json]], replies: Sequence[Completion | Unscored]
) -> Verdict | Unscored:
    """What one order says, all votes together."""
    mark = mark_for(rubric, parts)
    votes = [read_vote(rubric, each, mark) for each in replies]
    given = [each for each in votes if isinstance(each, Verdict)]
    missing = [each.reason for each in votes if isinstance(each, Unscored)]
    found = agreed(rubric.scale, [each.verdict for each in given], votes=rubric.votes)
    if isinstance(found, str):
        return Unscored(reason=missing[0] if rubric.votes == 1 else "; ".join((found, *missing[:1])))
    return next(each for each in given if each.verdict == found[0])


def compared(candidate_first: Verdict | Unscored, candidate_second: Verdict | Unscored) -> Score | Unscored:
    """What both orders say together; where they disagree it is a tie, and the labels tell of it."""
    if isinstance(candidate_first, Unscored):
        return candidate_first
    if isinstance(candidate_second, Unscored):
        return candidate_second
    one, other = (
        who.get(each.verdict, TIE) for who, each in zip(_WHO, (candidate_first, candidate_second), strict=True)
    )
    told = f"{one}: {candidate_first.reasoning}" if one == other else f"the orders disagree: {one}, then {other}"
    value = _VALUES.get((one, other), 0.5)
    return Score(value=value, reason=one_line(told, width=_REASON), labels=(one, other))
