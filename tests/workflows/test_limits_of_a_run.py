"""What a run asks before it asks, in which order, and where it stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import PIN, FakeStore, World, case, echo, planned, scored_before, suite

from pytest_promptgate.core.limits import Budget
from pytest_promptgate.core.plan import slowest_first
from pytest_promptgate.core.ports import Price, StoreKey
from pytest_promptgate.core.types import (
    Completion,
    Errored,
    ModelPin,
    Origin,
    Request,
    Result,
    Score,
    Skipped,
    Trial,
)
from pytest_promptgate.errors import RequestRefused, StoreError, TransportFault
from pytest_promptgate.models.store import FileStore
from pytest_promptgate.workflows.evaluate import Evaluation

if TYPE_CHECKING:
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.workflows.progress import Progress

Engine = Callable[..., Evaluation]


def quiet(_progress: Progress) -> None:
    """A tick that shows nothing."""


def wait(evaluation: Evaluation, plan: Plan) -> tuple[Result, ...]:
    ids = [each.id for each in plan.suite.cases]
    return evaluation.wait(plan.suite.name, plan.slot, ids, tick=quiet, interval=0.02)


def reasons(results: Sequence[Result]) -> set[str]:
    grades = [result.observation.grades["match"] for result in results]
    return {grade.reason for grade in grades if isinstance(grade, Skipped)}


# --- the survey ------------------------------------------------------------------------------------------------------


def test_a_survey_tells_what_will_be_asked_and_asks_nothing(engine: Engine) -> None:
    world = World()
    slots = {"old": PIN, "new": ModelPin(provider=PIN.provider, name="other-2025-02-02")}
    plans = [planned(suite([case("a"), case("b")], slots=slots), slot) for slot in slots]
    evaluation = engine(world)
    for plan in plans:
        evaluation.submit(plan, None, None)
    surveyed = evaluation.survey(tick=quiet)
    assert {key: [trial.id for trial in trials] for key, trials in surveyed.items()} == {
        ("fake", "old"): ["a", "b"],
        ("fake", "new"): ["a", "b"],
    }
    assert world.texts == []
    evaluation.start()
    assert [result.origin for plan in plans for result in wait(evaluation, plan)] == [Origin.ASKED] * 4


def test_a_survey_leaves_out_what_the_baseline_and_the_store_answer(engine: Engine) -> None:
    world = World()
    stored = planned(suite([case("b")]))
    wait_for = engine(world)
    wait_for.submit(stored, None, None)
    wait(wait_for, stored)
    plan = planned(suite([case("a"), case("b"), case("c")]))
    before = scored_before(planned(suite([case("a")])))
    again = World(stores=world.stores)
    evaluation = engine(again)
    evaluation.submit(plan, None, before)
    assert [trial.id for trial in evaluation.survey(tick=quiet)["fake", "default"]] == ["c"]
    evaluation.start()
    assert [str(result.origin) for result in wait(evaluation, plan)] == ["unchanged", "stored", "asked"]


def test_a_survey_of_nothing_starts_nothing(engine: Engine) -> None:
    world = World()
    plan = planned(suite([case("a")]))
    evaluation = engine(world)
    evaluation.submit(plan, None, scored_before(plan))
    assert evaluation.survey(tick=quiet) == {}
    evaluation.start()
    assert world.accounts == {}
    assert "promptgate" not in {thread.name for thread in threading.enumerate()}


def test_a_run_that_is_not_started_after_its_survey_asks_nothing(engine: Engine) -> None:
    world = World()
    plan = planned(suite([case("a"), case("b")]))
    evaluation = engine(world)
    evaluation.submit(plan, None, None)
    evaluation.survey(tick=quiet)
    evaluation.interrupt(5.0, "too expensive")
    assert reasons(wait(evaluation, plan)) == {"too expensive"}
    assert evaluation.ended == "too expensive"
    assert world.texts == []


# --- order -----------------------------------------------------------------------------------------------------------


class TimedStore(FakeStore):
    """A store that knows how long some trials took."""

    def __init__(self, latencies: Mapping[str, float]) -> None:
        super().__init__()
        self._latencies = latencies

    def latency_of(self, trial: str) -> float | None:
        return self._latencies.get(trial)


def test_what_took_longest_is_asked_first(engine: Engine) -> None:
    world = World(room=1, stores={"fake": TimedStore({"a": 0.1, "b": 3.0, "c": 0.5})})
    plan = planned(suite([case("a", "the longest prompt of all"), case("b"), case("c")]))
    evaluation = engine(world)
    evaluation.submit(plan, None, None)
    wait(evaluation, plan)
    assert world.texts == ["b", "c", "the longest prompt of all"]


def test_where_nobody_knows_the_prompts_length_stands_for_it_at_the_pace_of_the_others() -> None:
    trials = planned(
        suite([case("a", "x" * 10), case("b", "x" * 40), case("c", "x" * 160), case("d", "x" * 80)])
    ).trials
    assert [each.id for each in slowest_first(trials, [None] * 4)] == ["c", "d", "b", "a"]
    assert [each.id for each in slowest_first(trials, [9.0, 2.0, None, None])] == ["c", "d", "a", "b"]
    assert slowest_first([], []) == ()


def test_trials_that_may_take_about_as_long_as_most_keep_their_order() -> None:
    trials = planned(
        suite([case(name, "x" * length) for name, length in zip("abcd", (9, 10, 11, 30), strict=True)])
    ).trials
    assert [each.id for each in slowest_first(trials, [None] * 4)] == ["d", "a", "b", "c"]


def test_results_do_not_depend_on_the_order(engine: Engine) -> None:
    plan = planned(suite([case(f"t-{number}", "x" * number) for number in range(1, 9)], samples=2))
    found = []
    for latencies in ({}, {f"t-{number}": float(number % 3) for number in range(9)}):
        world = World(room=1, stores={"fake": TimedStore(latencies)})
        evaluation = engine(world)
        evaluation.submit(plan, None, None)
        found.append(([result.observation for result in wait(evaluation, plan)], world.texts))
    (first, order), (second, other) = found
    assert first == second
    assert order != other


def test_a_file_store_remembers_the_latency_of_each_trial(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store = FileStore(path)
    assert store.latency_of("a") is None
    for number, latency in enumerate((0.25, 0.5)):
        key = StoreKey(request=f"r{number}", endpoint="fake://here")
        store.put(key, Completion(text="x", latency_s=latency), parts={"trial": "a"})
    store.close()
    later = FileStore(path)
    assert later.latency_of("a") == 0.5
    later.close()


# --- money -----------------------------------------------------------------------------------------------------------


def expensive(request: Request) -> Completion:
    return Completion(text=echo(request), served_model=PIN.name, tokens_in=0, tokens_out=1_000_000, latency_s=0.01)


def budgeted(engine: Engine, world: World, plan: Plan, budget: Budget) -> tuple[Result, ...]:
    evaluation = engine(world)
    evaluation.submit(plan, None, None)
    evaluation.survey(tick=quiet)
    evaluation.start(budget=budget)
    return wait(evaluation, plan)


TWENTY = planned(suite([case(f"t-{number:02}") for number in range(20)]))


def test_when_the_spend_reaches_the_budget_the_rest_is_skipped_and_answers_are_kept(engine: Engine) -> None:
    world = World(script=expensive, price=Price(input=0.0, output=1.0), room=8)
    results = budgeted(engine, world, TWENTY, Budget(limit_usd=5.0, guess_usd=1.0))
    assert sum(result.origin is Origin.ASKED for result in results) == 5
    assert reasons(results) == {"the budget of $5.00 was reached"}
    assert len(world.texts) == len(world.stores["fake"].answers) == 5


def test_a_guess_that_was_too_low_is_corrected_by_the_first_answers(engine: Engine) -> None:
    world = World(script=expensive, price=Price(input=0.0, output=1.0), room=2)
    results = budgeted(engine, world, TWENTY, Budget(limit_usd=6.0, guess_usd=0.001))
    assert sum(result.origin is Origin.ASKED for result in results) == 6


def test_what_fails_costs_nothing(engine: Engine) -> None:
    def script(request: Request) -> Completion | BaseException:
        return TransportFault("fake", "500") if echo(request) < "t-10" else expensive(request)

    world = World(script=script, price=Price(input=0.0, output=1.0), room=3)
    results = budgeted(engine, world, TWENTY, Budget(limit_usd=10.0, guess_usd=1.0))
    assert reasons(results) == set()
    assert len(world.texts) == 20


def test_the_answered_turns_of_a_conversation_that_breaks_are_paid(engine: Engine) -> None:
    def script(request: Request) -> Completion | BaseException:
        return TransportFault("fake", "500") if len(request.messages) > 1 else expensive(request)

    def talking(trial: Trial) -> Trial:
        return replace(trial, request=replace(trial.request, turns=("and then?",)))

    plan = replace(TWENTY, trials=tuple(map(talking, TWENTY.trials)))
    world = World(script=script, price=Price(input=0.0, output=1.0), room=1)
    results = budgeted(engine, world, plan, Budget(limit_usd=6.0, guess_usd=1.0))
    assert reasons(results) == {"the budget of $6.00 was reached"}
    assert len(world.texts) == 12


def test_a_hedged_answer_is_paid_twice(engine: Engine) -> None:
    def script(request: Request) -> Completion:
        return Completion(text=echo(request), tokens_in=0, tokens_out=1_000_000, requests=2)

    world = World(script=script, price=Price(input=0.0, output=1.0), room=1)
    results = budgeted(engine, world, TWENTY, Budget(limit_usd=6.0, guess_usd=1.0))
    assert sum(result.origin is Origin.ASKED for result in results) == 3


# --- time ------------------------------------------------------------------------------------------------------------


def test_when_the_time_is_over_nothing_more_is_started_and_what_is_under_way_is_kept(engine: Engine) -> None:
    class Late:
        def __init__(self) -> None:
            self.ending = asyncio.Event()

        async def __call__(self, request: Request) -> str:
            await asyncio.sleep(0.3)
            return echo(request)

    world = World(script=Late(), room=2)
    evaluation = engine(world)
    evaluation.submit(TWENTY, None, None)
    evaluation.survey(tick=quiet)
    evaluation.start(limit_s=0.1)
    results = wait(evaluation, TWENTY)
    assert sum(result.completion is not None for result in results) == 2
    assert reasons(results) == {"the time of 0.1 s was reached"}
    assert len(world.stores["fake"].answers) == 2


# --- refresh ---------------------------------------------------------------------------------------------------------


def file_world(path: Path, script: Callable[[Request], object] = echo, **settings: object) -> World:
    class OnDisk(World):
        def store_of(self, suite: str) -> FileStore:  # type: ignore[override]
            return FileStore(path / f"{suite}.jsonl")

    return OnDisk(script=script, **settings)  # type: ignore[arg-type]


def asked_in(engine: Engine, world: World, plan: Plan, cases: Sequence[str] | None = None, **options: bool) -> str:
    """What was asked, and what came out, as ``asked -> answers``."""
    evaluation = engine(world, **options)
    evaluation.submit(plan, cases, None)
    ids = [each.id for each in plan.suite.cases] if cases is None else cases
    results = evaluation.wait(plan.suite.name, plan.slot, ids, tick=quiet, interval=0.02)
    evaluation.close()
    texts = [result.completion.text if result.completion else "-" for result in results]
    return f"{' '.join(sorted(world.texts))} -> {' '.join(texts)}"


TWO = planned(suite([case("a"), case("b")]))


def saying(text: str) -> Callable[[Request], str]:
    return lambda _request: text


def test_a_complete_refresh_counts_in_later_runs(engine: Engine, tmp_path: Path) -> None:
    asked_in(engine, file_world(tmp_path, saying("old")), TWO)
    assert asked_in(engine, file_world(tmp_path, saying("new")), TWO, refresh=True) == "a b -> new new"
    assert asked_in(engine, file_world(tmp_path), TWO) == " -> new new"
    assert '"round_complete":"1"' in (tmp_path / "fake.jsonl").read_text()


def test_an_unfinished_refresh_leaves_the_old_answers_and_is_resumed(engine: Engine, tmp_path: Path) -> None:
    asked_in(engine, file_world(tmp_path, saying("old")), TWO)
    assert asked_in(engine, file_world(tmp_path, saying("new")), TWO, ["a"], refresh=True) == "a -> new"
    assert asked_in(engine, file_world(tmp_path), TWO) == " -> old old"
    assert asked_in(engine, file_world(tmp_path, saying("newer")), TWO, refresh=True) == "b -> new newer"
    assert asked_in(engine, file_world(tmp_path), TWO) == " -> new newer"


def test_a_refresh_after_a_refresh_is_another_round(engine: Engine, tmp_path: Path) -> None:
    for number in range(3):
        assert asked_in(engine, file_world(tmp_path, saying(f"{number}")), TWO, refresh=True).startswith("a b ->")
    assert asked_in(engine, file_world(tmp_path), TWO) == " -> 2 2"


def test_what_a_newer_round_never_asked_is_read_from_an_older_one(engine: Engine, tmp_path: Path) -> None:
    older = planned(suite([case("a", "old prompt")]))
    asked_in(engine, file_world(tmp_path), older)
    asked_in(engine, file_world(tmp_path), TWO, refresh=True)
    assert asked_in(engine, file_world(tmp_path), older) == " -> old prompt"


def test_a_refresh_with_a_failed_call_is_not_complete_and_one_with_a_refused_request_is(
    engine: Engine, tmp_path: Path
) -> None:
    def script(error: BaseException) -> Callable[[Request], str | BaseException]:
        return lambda request: error if echo(request) == "a" else "new"

    asked_in(engine, file_world(tmp_path, script(TransportFault("fake", "500"))), TWO, refresh=True)
    assert "round_complete" not in (tmp_path / "fake.jsonl").read_text()
    asked_in(engine, file_world(tmp_path, script(RequestRefused("fake", "too long"))), TWO, refresh=True)
    assert '"round_complete":"1"' in (tmp_path / "fake.jsonl").read_text()


def test_a_round_is_complete_when_all_slots_are_in(engine: Engine, tmp_path: Path) -> None:
    slots = {"old": PIN, "new": ModelPin(provider=PIN.provider, name="other-2025-02-02")}
    both = suite([case("a")], slots=slots)
    world = file_world(tmp_path)
    evaluation = engine(world, refresh=True)
    evaluation.submit(planned(both, "old"), None, None)
    evaluation.wait("fake", "old", ["a"], tick=quiet)
    assert [str(each) for each in evaluation.refreshed()] == [
        (
            "fake: 1 of 2 answers were asked anew; the earlier ones count until "
            "`pytest --prompt-refresh evals/fake.eval.yaml` has asked for the rest"
        )
    ]
    evaluation.submit(planned(both, "new"), None, None)
    evaluation.wait("fake", "new", ["a"], tick=quiet)
    assert [str(each) for each in evaluation.refreshed()] == [
        "fake: all 2 answers were asked anew; from now on these count"
    ]
    evaluation.close()
    assert '"round_complete":"1"' in (tmp_path / "fake.jsonl").read_text()


def test_without_a_refresh_nothing_is_refreshed(engine: Engine) -> None:
    evaluation = engine(World())
    evaluation.submit(TWO, None, None)
    wait(evaluation, TWO)
    assert evaluation.refreshed() == ()


def test_a_round_that_cannot_be_closed_is_told(engine: Engine) -> None:
    class Broken(FakeStore):
        complete_rounds: frozenset[str] = frozenset()

        def complete_round(self, name: str) -> None:
            raise StoreError("responses/fake.jsonl", f"round {name} cannot be written")

    evaluation = engine(World(stores={"fake": Broken()}), refresh=True)
    evaluation.submit(TWO, None, None)
    wait(evaluation, TWO)
    evaluation.close()
    assert [str(fault) for fault in evaluation.faults()] == ["responses/fake.jsonl: round 1 cannot be written"]


# --- a clock that is set back ----------------------------------------------------------------------------------------


def test_a_clock_that_is_set_back_loses_nothing_and_asks_nothing_twice(engine: Engine, tmp_path: Path) -> None:
    class Backwards(World):
        times = iter(range(1_700_000_000, 0, -86_400))

        def store_of(self, suite: str) -> FileStore:  # type: ignore[override]
            return FileStore(tmp_path / f"{suite}.jsonl", clock=lambda: float(next(self.times)))

    for refresh in (False, True, True):
        assert asked_in(engine, Backwards(), TWO, refresh=refresh) == "a b -> a b"
    assert asked_in(engine, Backwards(), TWO) == " -> a b"
    assert [result.observation.grades for result in _plain(engine, Backwards())] == [{"match": Score(value=1.0)}] * 2


def _plain(engine: Engine, world: World) -> tuple[Result, ...]:
    evaluation = engine(world)
    evaluation.submit(TWO, None, None)
    return wait(evaluation, TWO)


@pytest.mark.parametrize("refresh", [False, True])
def test_a_store_that_cannot_be_read_is_told_once(engine: Engine, tmp_path: Path, refresh: bool) -> None:
    (tmp_path / "fake.jsonl").mkdir()
    evaluation = engine(file_world(tmp_path), refresh=refresh)
    evaluation.submit(TWO, None, None)
    results = wait(evaluation, TWO)
    told = [result.observation.grades["match"] for result in results]
    assert all(isinstance(grade, Errored) for grade in told)
    assert [str(fault) for fault in evaluation.faults()] == [
        f"{tmp_path}/fake.jsonl: the response store cannot be read: Is a directory\n  Mend it or move it away."
    ]
