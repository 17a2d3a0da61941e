"""all_of, any_of, not, weighted: three-valued logic over scores from 0 to 1."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scorer_rows import bare_row, row

from pytest_promptgate.core.types import BoundScorer, Case, Completion, Direction, Score, Unscored
from pytest_promptgate.errors import Place
from pytest_promptgate.scorers.combined import AllOf, AnyOf, Not, Weighted
from pytest_promptgate.scorers.text import Contains, ExactMatch

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER = Completion(text="a")
UNKNOWN = Unscored(reason="unclear")
GRADES = [Score(value=0.0), Score(value=0.4), Score(value=1.0), UNKNOWN]
ANY_GRADE = st.sampled_from([*(Score(value=quarters / 4) for quarters in range(5)), UNKNOWN])


def part(scorer: Any, name: str = "part") -> BoundScorer:
    return BoundScorer(name=name, kind="k", scorer=scorer, fingerprint="f", place=Place(file="a.yaml", line=1))


def giving(*grades: object) -> tuple[BoundScorer, ...]:
    return tuple(part(lambda _answer, _case, grade=each: grade, f"p{at}") for at, each in enumerate(grades))


def waiting(*grades: object) -> tuple[BoundScorer, ...]:
    return tuple(part(later(each), f"p{at}") for at, each in enumerate(grades))


def later(grade: object) -> Callable[[Completion, Case], Any]:
    async def scorer(_answer: Completion, _case: Case) -> object:
        await asyncio.sleep(0)
        if isinstance(grade, BaseException):
            raise grade
        return grade

    return scorer


def asked(scorer: Any, case: Case | None = None) -> Score | Unscored:
    async def run() -> Any:
        returned = scorer(ANSWER, case or bare_row())
        return returned if isinstance(returned, Score | Unscored) else await returned

    found = asyncio.run(run())
    assert isinstance(found, Score | Unscored)
    return found


def value(grade: Score | Unscored) -> float | None:
    return grade.value if isinstance(grade, Score) else None


@pytest.mark.parametrize("make", [giving, waiting])
@pytest.mark.parametrize(("left", "right"), list(product(GRADES, GRADES)))
def test_two_parts_join_as_kleene_and_zadeh_say(make: Any, left: Any, right: Any) -> None:
    values = [value(left), value(right)]
    known = [each for each in values if each is not None]
    least = 0.0 if 0.0 in known else None if None in values else min(known)
    greatest = 1.0 if 1.0 in known else None if None in values else max(known)
    mean = None if None in values else (3 * known[0] + known[1]) / 4

    assert value(asked(AllOf(parts=make(left, right)))) == least
    assert value(asked(AnyOf(parts=make(left, right)))) == greatest
    assert value(asked(Weighted(parts=make(left, right), weights=(3.0, 1.0)))) == (
        None if mean is None else pytest.approx(mean)
    )


@pytest.mark.parametrize("make", [giving, waiting])
@pytest.mark.parametrize("grade", GRADES)
def test_not_turns_scores_and_leaves_what_is_unscored(make: Any, grade: Any) -> None:
    found = asked(Not(parts=make(grade)))
    assert value(found) == (None if grade is UNKNOWN else pytest.approx(1.0 - grade.value))


@given(grades=st.lists(ANY_GRADE, min_size=1, max_size=5))
def test_de_morgan_s_laws_hold(grades: list[Score | Unscored]) -> None:
    plain = giving(*grades)
    turned = tuple(part(Not(parts=(each,))) for each in plain)
    assert value(asked(Not(parts=(part(AllOf(parts=plain)),)))) == value(asked(AnyOf(parts=turned)))
    assert value(asked(Not(parts=(part(AnyOf(parts=plain)),)))) == value(asked(AllOf(parts=turned)))


@given(
    grades=st.lists(st.floats(0, 1), min_size=1, max_size=6),
    weights=st.lists(st.floats(1e-6, 1e6), min_size=6, max_size=6),
)
def test_a_weighted_mean_stays_between_its_parts(grades: list[float], weights: list[float]) -> None:
    found = asked(Weighted(parts=giving(*grades), weights=tuple(weights[: len(grades)])))
    assert isinstance(found, Score)
    assert min(grades) - 1e-12 <= found.value <= max(grades) + 1e-12
    assert (found.reason == "") == (found.value == 1.0)


def test_reasons_name_the_parts() -> None:
    parts = giving(Score(value=0.0, reason="why"), 0.5, True, False, False, Score(value=0.25, reason="so"))
    assert asked(AllOf(parts=parts)) == Score(value=0.0, reason="p0: why; p1: scored 0.5; p3: scored 0; and 2 more")
    assert asked(AnyOf(parts=parts[:2])) == Score(value=0.5, reason="p0: why; p1: scored 0.5")
    assert asked(AllOf(parts=giving(True, UNKNOWN))) == Unscored(reason="p1: unclear")
    assert asked(Not(parts=giving(Score(value=0.75, reason="half")))) == Score(
        value=0.25, reason="p0 scored 0.75 although not wanted: half"
    )
    assert asked(Not(parts=giving(True))).reason == "p0 scored 1 although not wanted"


def test_a_failed_extraction_is_no_success_under_any_sign() -> None:
    lost = Score(value=0.0, reason="extraction failed: no match", unextracted=True)
    assert asked(Not(parts=giving(lost))) == lost
    assert asked(AllOf(parts=giving(lost, True))) == Score(
        value=0.0, reason="p0: extraction failed: no match", unextracted=True
    )
    assert asked(AnyOf(parts=giving(lost, True))) == Score(value=1.0)
    assert asked(Weighted(parts=giving(lost, True), weights=(1.0, 1.0))).value == 0.5  # type: ignore[union-attr]


def test_parts_that_wait_are_not_asked_if_the_others_decide() -> None:
    begun: list[str] = []

    async def judge(_answer: Completion, _case: Case) -> Score:
        begun.append("judge")
        return Score(value=1.0)

    inner = part(AllOf(parts=(*giving(True), part(judge))))
    assert asked(AllOf(parts=(inner, *giving(False)))) == Score(value=0.0, reason="p0: scored 0")
    assert asked(AnyOf(parts=(part(judge), *giving(True)))) == Score(value=1.0)
    assert begun == []
    assert asked(AllOf(parts=(inner, *giving(True)))) == Score(value=1.0)
    assert begun == ["judge"]


def test_what_a_part_raises_is_raised_with_its_name() -> None:
    def broken(_answer: Completion, _case: Case) -> Score:
        raise KeyError("gone")

    for parts in ((*waiting(True), part(broken, "mine")), (part(later(KeyError("gone")), "mine"), *waiting(False))):
        with pytest.raises(KeyError) as told:
            asked(AllOf(parts=parts))
        assert told.value.__notes__ == ["(in mine)"]


@pytest.mark.parametrize(
    ("grade", "seen"),
    [
        (float("nan"), "nan"), (float("inf"), "inf"), (1.5, "1.5"), (None, "None"), ("1", "str"),
        (Score(value=2.0), "Score"), (b"1", "bytes"),
    ],
)  # fmt: skip
def test_what_is_no_grade_is_an_error(grade: object, seen: str) -> None:
    for parts in (giving(grade), waiting(grade)):
        with pytest.raises(TypeError) as told:
            asked(AnyOf(parts=parts))
        assert str(told.value) == f"p0 returned {seen}, which is no grade from 0 to 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    direction: ClassVar[Direction] = Direction.LOWER

    def __call__(self, completion: Completion, case: Case) -> float:
        return 0.25


def test_less_is_better_only_inside_not() -> None:
    assert asked(Not(parts=(part(Errors()),))).value == 0.75  # type: ignore[union-attr]
    for make in (AllOf, AnyOf, lambda parts: Weighted(parts=parts, weights=(1.0,))):
        with pytest.raises(ValueError) as told:
            make(parts=(part(Errors(), "errors"),))
        assert str(told.value) == "of errors less is better; put it inside `not`, which turns it"


@pytest.mark.parametrize("weight", [0, -1.0, float("nan"), float("inf"), True, "3"])
def test_weights_are_numbers_above_0(weight: Any) -> None:
    with pytest.raises(ValueError, match=r"^weight must be a number above 0, not "):
        Weighted(parts=giving(True), weights=(weight,))


def test_nothing_cannot_be_joined() -> None:
    for make in (AllOf, AnyOf, Not):
        with pytest.raises(ValueError) as told:
            make(parts=())
        assert str(told.value) == "it has no scorers"


def test_a_judge_stands_by_itself() -> None:
    class Tone:
        pin = compares = None

        def inquire(self, completion: Completion, case: Case, production: object) -> Score:
            raise AssertionError("it is never asked")

    for make in (AllOf, AnyOf, Not):
        with pytest.raises(ValueError) as told:
            make(parts=(part(Tone(), "tone"),))
        assert str(told.value) == "tone asks a model, so it stands by itself under scorers; name its metric there"


def test_rows_are_checked_by_all_parts() -> None:
    scorer = AllOf(parts=(part(Contains(text=("a",)), "words"), part(Not(parts=(part(ExactMatch(), "exact"),)), "no")))
    scorer.check(row("b"))
    with pytest.raises(ValueError) as told:
        scorer.check(bare_row())
    assert str(told.value) == "no: exact: the row has no expected value"
