"""The engine asks no more of a suite whose failure is certain; other suites, and what is under way, go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fakes import World, case, echo, planned, scored_before, suite

from pytest_promptgate.core.gate import GateInput
from pytest_promptgate.core.types import Origin, Score, Skipped
from pytest_promptgate.workflows.evaluate import Evaluation
from pytest_promptgate.workflows.watch import Watch

if TYPE_CHECKING:
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Baseline, Result
    from pytest_promptgate.workflows.progress import Progress

Engine = Callable[..., Evaluation]
IDS = [f"c{at}" for at in range(10)]


def quiet(_progress: Progress) -> None:
    """A tick that shows nothing."""


def wait(evaluation: Evaluation, plan: Plan) -> tuple[Result, ...]:
    ids = [each.id for each in plan.suite.cases]
    return evaluation.wait(plan.suite.name, plan.slot, ids, tick=quiet, interval=0.02)


def never_right() -> Plan:
    return planned(suite([case(name, expected="right") for name in IDS]))


def before(plan: Plan) -> Baseline:
    """All cases passed, with another prompt."""
    old = scored_before(plan, value=1.0)
    records = {name: replace(each, request="other") for name, each in old.cases.items()}
    contract = replace(old.contract, metrics={"accuracy": "mean(match)"})
    return replace(old, cases=records, contract=contract)


def watch_of(plan: Plan, baseline: Baseline) -> Watch:
    given = GateInput(suite=plan.suite, baseline=baseline, results=())
    return Watch(plan, given, metrics=frozenset({"accuracy"}), must_pass=frozenset())


def skipped(results: tuple[Result, ...]) -> list[str]:
    grades = [each.observation.grades["match"] for each in results]
    return [grade.reason for grade in grades if isinstance(grade, Skipped)]


def test_the_first_wrong_answer_is_the_last_one_that_is_asked_for(engine: Engine) -> None:
    world, plan = World(room=1), never_right()
    baseline = before(plan)
    evaluation = engine(world)
    evaluation.submit(plan, None, baseline, watch=watch_of(plan, baseline))

    results = wait(evaluation, plan)

    assert len(world.texts) == 1
    assert skipped(results) == ["accuracy is certain to fail, after 1 of 10 cases"] * 9
    stopped = evaluation.stopped("fake", "default")
    assert stopped is not None
    assert [*stopped.certain] == ["accuracy"]
    assert evaluation.ends == ("fake: accuracy is certain to fail, after 1 of 10 cases",)


def test_another_suite_goes_on(engine: Engine) -> None:
    world, plan = World(room=1), never_right()
    other = planned(suite([case(name) for name in IDS], name="other"))
    baseline = before(plan)
    evaluation = engine(world)
    evaluation.submit(plan, None, baseline, watch=watch_of(plan, baseline))
    evaluation.submit(other, None, None)

    assert skipped(wait(evaluation, other)) == []
    assert len(skipped(wait(evaluation, plan))) == 9


def test_what_is_under_way_is_kept(engine: Engine) -> None:
    world, plan = World(room=4), never_right()
    baseline = before(plan)
    evaluation = engine(world)
    evaluation.submit(plan, None, baseline, watch=watch_of(plan, baseline))

    results = wait(evaluation, plan)

    asked = [each for each in results if each.origin is Origin.ASKED]
    assert len(asked) == len(world.texts) == len(world.stores["fake"].answers)
    assert all(isinstance(each.observation.grades["match"], Score) for each in asked)


def test_a_later_run_asks_the_rest_only(engine: Engine) -> None:
    world, plan = World(room=1), never_right()
    baseline = before(plan)
    first = engine(world)
    first.submit(plan, None, baseline, watch=watch_of(plan, baseline))
    wait(first, plan)
    again = World(stores=world.stores)
    evaluation = engine(again)
    evaluation.submit(plan, None, baseline)

    results = wait(evaluation, plan)

    assert (len(world.texts), len(again.texts)) == (1, 9)
    assert skipped(results) == []


def test_with_stored_answers_that_make_it_certain_nothing_is_asked(engine: Engine) -> None:
    world, plan = World(room=1), never_right()
    baseline = before(plan)
    first = engine(world)
    first.submit(plan, None, baseline, watch=watch_of(plan, baseline))
    wait(first, plan)
    again = World(stores=world.stores)
    evaluation = engine(again)
    evaluation.submit(plan, None, baseline, watch=watch_of(plan, baseline))
    evaluation.survey(tick=quiet)
    while not evaluation.progress().stored:
        pass
    evaluation.start()

    wait(evaluation, plan)

    assert again.texts == []


def test_cases_that_failed_before_are_asked_first(engine: Engine) -> None:
    world, plan = World(room=1, script=echo), planned(suite([case(name) for name in IDS]))
    baseline = before(plan)
    failed = {"c7", "c3"}
    records = {
        name: replace(
            each, observations=tuple(replace(seen, grades={"match": Score(value=0.0)}) for seen in each.observations)
        )
        if name in failed
        else each
        for name, each in baseline.cases.items()
    }
    baseline = replace(baseline, cases=records)
    evaluation = engine(world)
    evaluation.submit(plan, None, baseline, watch=watch_of(plan, baseline))

    wait(evaluation, plan)

    assert world.texts == ["c3", "c7", "c0", "c1", "c2", "c4", "c5", "c6", "c8", "c9"]


def test_cases_named_once_get_their_other_samples_when_they_are_submitted_again(engine: Engine) -> None:
    world, plan = World(), planned(suite([case("a"), case("b")], samples=3))
    evaluation = engine(world)
    evaluation.submit(plan, None, None, once=["a"])

    assert [each.trial.id for each in wait(evaluation, plan)] == ["a", "b", "b#2", "b#3"]

    evaluation.submit(plan, None, None)

    assert [each.trial.id for each in wait(evaluation, plan)] == ["a", "a#2", "a#3", "b", "b#2", "b#3"]
    assert len(world.texts) == 6
