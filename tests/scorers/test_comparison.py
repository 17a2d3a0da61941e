"""The pairwise judge: both orders, and what they say together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hostile_answers import HOSTILE
from rubric_values import CASE, rubric

from pytest_promptgate.core.pairs import Pairs, pairs_of
from pytest_promptgate.core.ports import Inquiry, Judge
from pytest_promptgate.core.rubrics import PAIR, Sees
from pytest_promptgate.core.types import Completion, Observation, Score, Unscored
from pytest_promptgate.scorers.comparison import RubricComparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Grade

OF = rubric(scale=PAIR, pairwise=True, structured=True, examples=())
NEW, OLD = Completion(text="shipping"), Completion(text="Shipping, of course.")


def asked(votes: int = 1, new: Completion = NEW) -> Inquiry:
    of = rubric(scale=PAIR, pairwise=True, structured=True, examples=(), votes=votes)
    found = RubricComparison(rubric=of).inquire(new, CASE, OLD)
    assert isinstance(found, Inquiry)
    return found


def said(*verdicts: str) -> list[Completion | Unscored]:
    return [Completion(text=json.dumps({"reasoning": "So.", "verdict": each})) for each in verdicts]


@pytest.mark.parametrize(
    ("verdicts", "score"),
    [
        (("first", "second"), Score(value=1.0, reason="candidate: So.", labels=("candidate", "candidate"))),
        (("second", "first"), Score(value=0.0, reason="production: So.", labels=("production", "production"))),
        (("tie", "tie"), Score(value=0.5, reason="tie: So.", labels=("tie", "tie"))),
        (
            ("first", "first"),
            Score(
                value=0.5,
                reason="the orders disagree: candidate, then production",
                labels=("candidate", "production"),
            ),
        ),
        (
            ("second", "second"),
            Score(
                value=0.5,
                reason="the orders disagree: production, then candidate",
                labels=("production", "candidate"),
            ),
        ),
        (
            ("first", "tie"),
            Score(value=0.5, reason="the orders disagree: candidate, then tie", labels=("candidate", "tie")),
        ),
        (("first", "third"), Unscored(reason="the judge's verdict is not on the menu: third")),
        (("third", "first"), Unscored(reason="the judge's verdict is not on the menu: third")),
    ],
)
def test_an_answer_wins_or_loses_only_in_both_orders(verdicts: Sequence[str], score: Score | Unscored) -> None:
    assert asked().grade(said(*verdicts)) == score


def test_each_order_has_all_votes() -> None:
    inquiry = asked(votes=3)

    assert [each.parameters["seed"] for each in inquiry.requests] == [7, 8, 9, 7, 8, 9]
    assert len({each.messages for each in inquiry.requests}) == 2
    found = inquiry.grade(said("first", "tie", "first", "second", "second", "tie"))
    assert isinstance(found, Score)
    assert found.value == 1.0
    assert inquiry.grade(said("first", "tie", "second", "second", "second", "tie")) == Unscored(
        reason="no majority among the votes: first, tie, second"
    )


def test_what_is_asked_in_both_orders() -> None:
    one, other = (each.messages[-1].content for each in asked().requests)
    mark = one[1:17]

    assert "You compare two answers to the same input by one criterion" in asked().requests[0].messages[0].content
    assert one == (
        f"[{mark} input message]\n| where is my parcel\n[{mark} expected]\n| shipping\n"
        f"[{mark} first answer]\n| shipping\n[{mark} second answer]\n| Shipping, of course.\n[{mark} end]\n\n"
        f"Tell which of the blocks [{mark} first answer] and [{mark} second answer] is better by the criterion.\n"
        'Reply with one JSON object: first "reasoning", a few sentences; then "verdict", one of the verdicts above.'
    )
    assert other[1:17] != mark
    assert "first answer]\n| Shipping, of course.\n" in other


def test_nothing_is_asked_where_there_is_nothing_to_compare() -> None:
    judge = RubricComparison(rubric=OF)
    missing = Unscored(reason="production's answer is not at hand to be compared with")

    assert isinstance(judge, Judge)
    assert judge.inquire(OLD, CASE, OLD) == Score(value=0.5, reason="the same answer as production's")
    assert judge.inquire(NEW, CASE, None) == Score(value=0.5, reason="production has no answer to compare with")
    assert judge.inquire(NEW, CASE, missing) == missing


def test_no_hostile_answer_changes_the_other_one_or_what_is_read() -> None:
    for name, answer in HOSTILE.items():
        inquiry = asked(new=Completion(text=answer))
        for request in inquiry.requests:
            mark = request.messages[-1].content[1:17]
            ours = [line for line in request.messages[-1].content.split("\n") if not line.startswith("| ")]
            assert ours[:5] == [
                f"[{mark} {part}]" for part in ("input message", "expected", "first answer", "second answer", "end")
            ], name
            assert "| Shipping, of course." in request.messages[-1].content
        quoting = [Completion(text=json.dumps({"reasoning": answer, "verdict": each})) for each in ("second", "first")]
        grade = inquiry.grade(quoting)
        assert isinstance(grade, Score), name
        assert grade.value == 0.0


def test_it_reads_the_columns_that_it_shows() -> None:
    of = rubric(scale=PAIR, pairwise=True, examples=(), sees=Sees(inputs=("message",), reference="ideal"))
    assert RubricComparison(rubric=of).columns == ("message", "ideal")
    with pytest.raises(LookupError):
        RubricComparison(rubric=of).check(CASE)


def test_the_books_of_a_comparison() -> None:
    scores: list[Grade] = [
        Score(value=1.0, labels=("candidate", "candidate")),
        Score(value=1.0, labels=("candidate", "candidate")),
        Score(value=0.0, labels=("production", "production")),
        Score(value=0.5, labels=("candidate", "production")),
        Score(value=0.5, labels=("production", "candidate")),
        Score(value=0.5, labels=("tie", "candidate")),
        Score(value=0.5),
        Unscored(reason="unclear"),
    ]
    seen = [Observation(case=f"c-{number}", sample=1, grades={"pair": each}) for number, each in enumerate(scores)]

    found = pairs_of(seen, "pair")

    assert found == Pairs(won=2, tied=4, lost=1, asked=6, agreed=3, first=1, second=1)
    assert found.rate == pytest.approx(4 / 7)
    assert found.interval == pytest.approx((0.2505, 0.8418), abs=1e-4)
    assert pairs_of(seen[-1:], "pair") is None
