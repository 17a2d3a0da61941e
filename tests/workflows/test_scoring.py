"""Scorers are users' code: whatever they do is one trial's own affair."""

from __future__ import annotations

import asyncio
import contextvars
import math
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

import pytest
from fakes import World, bound, case, completion, planned, suite

from pytest_promptgate.core.types import Case, Completion, Errored, Grade, Score, Unscored
from pytest_promptgate.workflows.scoring import grades_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_promptgate.workflows.evaluate import Evaluation

ACCEPTED = "Return Score(value=0.8, reason=…), Unscored(reason=…), True, False, or a number from 0 to 1."


def graded(*scorers: Callable[[Completion, Case], object]) -> list[Grade]:
    bounds = [bound(f"s{number}", scorer) for number, scorer in enumerate(scorers)]
    grades = asyncio.run(grades_of(completion("text"), case("a"), bounds))
    assert list(grades) == [each.name for each in bounds]
    return list(grades.values())


def returning(value: object) -> Callable[[Completion, Case], object]:
    return lambda _completion, _case: value


def raising(error: BaseException) -> Callable[[Completion, Case], NoReturn]:
    def scorer(_completion: Completion, _case: Case) -> NoReturn:
        raise error

    return scorer


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Score(value=0.3, reason="why"), Score(value=0.3, reason="why")),
        (Unscored(reason="unclear"), Unscored(reason="unclear")),
        (True, Score(value=1.0)),
        (False, Score(value=0.0)),
        (1, Score(value=1.0)),
        (0.25, Score(value=0.25)),
    ],
)
def test_grades_and_plain_numbers_are_accepted(value: object, expected: Grade) -> None:
    assert graded(returning(value)) == [expected]


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, "None"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (1.5, "1.5"),
        (-1, "-1"),
        ("1", "a str"),
        (Decimal(1), "a Decimal"),
        (Score, "a type"),
        (Errored(message="mine"), "a Errored"),
    ],
)
def test_anything_else_is_an_error_and_never_a_zero(value: object, seen: str) -> None:
    assert graded(returning(value)) == [Errored(message=f"s0: the scorer returned {seen}\n  {ACCEPTED}")]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("oops"), "ValueError: oops"),
        (KeyError("queue"), "KeyError: 'queue'"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (pytest.fail.Exception("in a scorer"), "Failed: in a scorer"),
        (pytest.skip.Exception("in a scorer"), "Skipped: in a scorer"),
        (asyncio.CancelledError(), "asyncio.exceptions.CancelledError"),
    ],
)
@pytest.mark.parametrize("waits", [False, True])
def test_what_a_scorer_raises_is_told_with_its_name_and_place(error: BaseException, told: str, waits: bool) -> None:
    async def waiting(answer: Completion, row: Case) -> object:
        await asyncio.sleep(0)
        return raising(error)(answer, row)

    line = raising(error).__code__.co_firstlineno + 1
    grades = graded(waiting if waits else raising(error), returning(1))
    assert grades == [
        Errored(message=f"s0: the scorer raised {told}\n  at tests/workflows/test_scoring.py:{line}"),
        Score(value=1.0),
    ]


def test_a_scorer_that_fails_inside_a_library_is_told_where_users_code_called_it() -> None:
    def scorer(_completion: Completion, _case: Case) -> Score:
        import json

        return Score(value=json.loads("{"))

    (grade,) = graded(scorer)
    assert isinstance(grade, Errored)
    line = scorer.__code__.co_firstlineno + 3
    assert grade.message.endswith(f"\n  at tests/workflows/test_scoring.py:{line}")


def test_scorers_that_wait_do_so_side_by_side() -> None:
    both = asyncio.Barrier(2)

    async def meeting(_completion: Completion, _case: Case) -> bool:
        await both.wait()
        return True

    assert graded(meeting, returning(0), meeting) == [Score(value=1.0), Score(value=0.0), Score(value=1.0)]


def test_what_one_trials_scorer_sets_no_other_sees(engine: Callable[..., Evaluation]) -> None:
    mark = contextvars.ContextVar("mark", default="clean")

    def marking(_completion: Completion, row: Case) -> bool:
        clean = mark.get() == "clean"
        mark.set(row.id)
        return clean

    plan = planned(suite([case(f"t-{number}") for number in range(9)], scorers=[bound("marking", marking)]))
    evaluation = engine(World())
    evaluation.submit(plan, None, None)
    results = evaluation.wait("fake", "default", [each.id for each in plan.suite.cases], tick=lambda _progress: None)
    assert {result.observation.grades["marking"] for result in results} == {Score(value=1.0)}


def test_a_scorer_runs_once_per_trial_and_scorer(engine: Callable[..., Evaluation]) -> None:
    calls: list[tuple[str, str]] = []

    def counting(name: str) -> Callable[[Completion, Case], bool]:
        def scorer(_completion: Completion, row: Case) -> bool:
            calls.append((row.id, name))
            return True

        return scorer

    def later(name: str) -> Callable[[Completion, Case], Awaitable[bool]]:
        async def scorer(answer: Completion, row: Case) -> bool:
            return counting(name)(answer, row)

        return scorer

    plan = planned(suite([case("a"), case("b")], scorers=[bound("one", counting("one")), bound("two", later("two"))]))
    evaluation = engine(World())
    evaluation.submit(plan, None, None)
    evaluation.submit(plan, ["a"], None)
    evaluation.wait("fake", "default", ["a", "b"], tick=lambda _progress: None)
    assert sorted(calls) == [("a", "one"), ("a", "two"), ("b", "one"), ("b", "two")]
