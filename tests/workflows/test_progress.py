"""Progress: sums that never show more than is known."""

from __future__ import annotations

from functools import reduce

import pytest
from fakes import case, completion, planned, suite

from pytest_promptgate.core.types import Completion, Errored, Grade, Observation, Origin, Result, Score, Skipped
from pytest_promptgate.workflows.ledger import Ledger
from pytest_promptgate.workflows.progress import Progress, timed, with_plan, with_result

TRIAL = planned(suite([case("a")])).trials[0]
SCORED = Score(value=1.0)
KEY = ("fake", "default", "a")


def result(
    origin: Origin = Origin.ASKED,
    *,
    answer: Completion | None = None,
    cost: float | None = None,
    grade: Grade = SCORED,
) -> Result:
    seen = Observation(
        case="a",
        sample=1,
        grades={"match": grade},
        tokens_in=answer.tokens_in if answer else None,
        tokens_out=answer.tokens_out if answer else None,
        cost_usd=cost,
    )
    return Result(trial=TRIAL, origin=origin, completion=answer, observation=seen)


def after(*results: Result) -> Progress:
    return reduce(with_result, results, with_plan(Progress(), 9))


def test_tokens_and_cost_are_those_of_answers_asked_in_this_run() -> None:
    progress = after(
        result(answer=completion("abc"), cost=0.5),
        result(Origin.STORED, answer=completion("abc"), cost=7.0),
        result(Origin.UNCHANGED, answer=completion("abc"), cost=7.0),
    )
    assert (progress.asked, progress.stored, progress.unchanged, progress.done) == (1, 1, 1, 3)
    assert (progress.tokens_in, progress.tokens_out, progress.cost_usd) == (10, 3, 0.5)


def test_one_unknown_cost_makes_the_sum_unknown() -> None:
    known = result(answer=completion("abc"), cost=0.5)
    assert after(known, result(answer=completion("abc")), known).cost_usd is None


def test_a_call_without_an_answer_leaves_the_cost_as_it_is() -> None:
    assert after(result(grade=Errored(message="time-out"))).cost_usd == 0.0


def test_errors_and_skips_are_counted_apart() -> None:
    progress = after(
        result(grade=Errored(message="time-out")), result(Origin.NOWHERE, grade=Skipped(reason="interrupted"))
    )
    assert (progress.errored, progress.skipped, progress.done, progress.open) == (1, 1, 2, 7)


def test_the_time_left_follows_from_the_rate_of_calls() -> None:
    progress = after(*[result(answer=completion("abc"))] * 3)
    assert timed(progress, 6.0).left_s == pytest.approx(12.0)


def test_the_time_left_is_unknown_before_the_first_call_ended() -> None:
    assert timed(after(result(Origin.STORED)), 6.0).left_s is None


def test_the_ledger_files_each_trial_once_and_tells_the_time() -> None:
    now = [100.0]
    ledger = Ledger(clock=lambda: now[0])
    assert ledger.plan(KEY, 1)
    assert not ledger.plan(KEY, 1)
    assert ledger.progress().elapsed_s == 0.0
    ledger.begin()
    now[0] = 103.0
    ledger.begin()
    assert ledger.progress().elapsed_s == 3.0
    ledger.expect([KEY])
    assert not ledger.wait(0.01)
    assert ledger.file(KEY, result())
    assert not ledger.file(KEY, result())
    assert ledger.wait(0.01)
    assert ledger.progress().done == 1
