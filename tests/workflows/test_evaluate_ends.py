"""How a run ends: interrupted, closed, paused, or with a dead loop; no paid answer is lost and nothing hangs."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from fakes import FakeAccount, World, bound, case, echo, planned, suite

from pytest_promptgate.core.types import Case, Completion, Errored, Origin, Request, Result, Skipped
from pytest_promptgate.errors import AccountStopped, EngineError, StoreError
from pytest_promptgate.workflows.evaluate import Evaluation

if TYPE_CHECKING:
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.workflows.progress import Progress

Engine = Callable[..., Evaluation]
GRACE_S = 20.0
PLAN = planned(suite([case(f"t-{number}") for number in range(6)]))
CASES = [each.id for each in PLAN.suite.cases]


def quiet(_progress: Progress) -> None:
    """A tick that shows nothing."""


class Gated:
    """A script that holds every answer back until `open`; `begun` tells that so many were asked."""

    def __init__(self, held: int) -> None:
        self.begun = threading.Event()
        self._held = held
        self._asked = 0
        self._open = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, request: Request) -> str:
        self._loop = asyncio.get_running_loop()
        self._asked += 1
        if self._asked == self._held:
            self.begun.set()
        await self._open.wait()
        return echo(request)

    def open(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._open.set)


def begun(evaluation: Evaluation, gate: Gated, plan: Plan = PLAN) -> None:
    evaluation.submit(plan, None, None)
    evaluation.start()
    assert gate.begun.wait(GRACE_S)


def results(evaluation: Evaluation) -> list[Result]:
    return [result for name in CASES for result in evaluation.results("fake", "default", name) or ()]


def skipped(found: Sequence[Result]) -> list[Result]:
    return [result for result in found if isinstance(result.observation.grades["match"], Skipped)]


def test_an_interrupt_awaits_and_stores_what_is_under_way_and_asks_no_more(engine: Engine) -> None:
    gate = Gated(2)
    world = World(script=gate, room=2)
    evaluation = engine(world)
    begun(evaluation, gate)
    timer = threading.Timer(0.05, gate.open)
    timer.start()
    evaluation.interrupt(GRACE_S)
    timer.join()
    found = results(evaluation)
    assert len(found) == 6
    assert len(skipped(found)) == 4
    assert {result.origin for result in skipped(found)} == {Origin.NOWHERE}
    assert skipped(found)[0].observation.grades == {"match": Skipped(reason="the run was interrupted")}
    assert len(world.texts) == len(world.stores["fake"].answers) == 2


def test_after_the_grace_the_rest_is_skipped(engine: Engine) -> None:
    gate = Gated(2)
    world = World(script=gate, room=2)
    evaluation = engine(world)
    begun(evaluation, gate)
    evaluation.interrupt(0.02, "Ctrl-C")
    assert {result.observation.grades["match"] for result in results(evaluation)} == {Skipped(reason="Ctrl-C")}
    assert len(skipped(results(evaluation))) == 6
    assert world.stores["fake"].answers == {}


def test_an_answer_that_came_before_its_judge_was_cut_off_is_kept(engine: Engine) -> None:
    judging = threading.Event()

    async def judge(_completion: Completion, _case: Case) -> bool:
        judging.set()
        await asyncio.Event().wait()
        return True

    world = World()
    evaluation = engine(world)
    evaluation.submit(planned(suite([case("t-0")], scorers=[bound("match", judge)])), None, None)
    evaluation.start()
    assert judging.wait(GRACE_S)
    evaluation.interrupt(0.02)
    assert len(skipped(results(evaluation))) == 1
    assert len(world.stores["fake"].answers) == 1


def test_what_is_submitted_after_an_interrupt_is_skipped(engine: Engine) -> None:
    world = World()
    evaluation = engine(world)
    evaluation.interrupt(GRACE_S)
    evaluation.submit(PLAN, None, None)
    assert len(evaluation.wait("fake", "default", CASES, tick=quiet)) == len(skipped(results(evaluation))) == 6
    assert world.accounts == {}


def test_what_was_submitted_and_not_started_is_skipped_by_an_interrupt(engine: Engine) -> None:
    evaluation = engine(World())
    evaluation.submit(PLAN, None, None)
    evaluation.interrupt(GRACE_S)
    assert len(skipped(results(evaluation))) == 6


def test_closing_closes_accounts_and_stores_once_and_ends_the_thread(engine: Engine) -> None:
    world = World()
    evaluation = engine(world)
    evaluation.submit(PLAN, None, None)
    evaluation.wait("fake", "default", CASES, tick=quiet)
    evaluation.close()
    evaluation.close()
    assert (world.account.closed, world.stores["fake"].closed) == (1, 1)
    assert "promptgate" not in {thread.name for thread in threading.enumerate()}
    assert evaluation.faults() == ()
    assert len(results(evaluation)) == 6


def test_what_cannot_be_closed_is_told(engine: Engine) -> None:
    async def close() -> None:
        raise ValueError("still busy")

    def unwritten() -> None:
        raise StoreError("responses/fake.jsonl", "cannot be written: No space left on device")

    world = World()
    evaluation = engine(world)
    evaluation.submit(PLAN, None, None)
    evaluation.wait("fake", "default", CASES, tick=quiet)
    world.account.close = close  # type: ignore[method-assign]
    world.stores["fake"].close = unwritten  # type: ignore[method-assign]
    evaluation.close()
    assert [str(fault) for fault in evaluation.faults()] == [
        "fake: the account could not be closed: ValueError: still busy",
        "responses/fake.jsonl: cannot be written: No space left on device",
    ]


def test_a_paused_run_starts_nothing_until_it_is_resumed(engine: Engine) -> None:
    gate = Gated(1)
    world = World(script=gate, room=1)
    evaluation = engine(world)
    begun(evaluation, gate)
    evaluation.pause()
    gate.open()
    first = next(text for text in world.texts)
    evaluation.wait("fake", "default", [first], tick=quiet)
    assert len(world.texts) == 1
    evaluation.resume()
    assert len(evaluation.wait("fake", "default", CASES, tick=quiet)) == 6


def test_waiting_ticks(engine: Engine) -> None:
    gate = Gated(6)
    seen: list[Progress] = []

    def tick(progress: Progress) -> None:
        seen.append(progress)
        gate.open()

    evaluation = engine(World(script=gate))
    begun(evaluation, gate)
    evaluation.wait("fake", "default", CASES, tick=tick, interval=0.01)
    assert (seen[0].planned, seen[0].done) == (6, 0)


def test_a_keyboard_interrupt_reaches_whoever_waits(engine: Engine) -> None:
    gate = Gated(6)

    def tick(_progress: Progress) -> None:
        raise KeyboardInterrupt

    evaluation = engine(World(script=gate))
    begun(evaluation, gate)
    with pytest.raises(KeyboardInterrupt):
        evaluation.wait("fake", "default", CASES, tick=tick, interval=0.01)


def test_a_loop_that_dies_is_an_error_and_no_hang(engine: Engine) -> None:
    async def deadly(_request: Request) -> str:
        asyncio.get_running_loop().call_soon(sys.exit, "gone")
        await asyncio.Event().wait()
        return ""

    evaluation = engine(World(script=deadly))
    evaluation.submit(PLAN, None, None)
    with pytest.raises(EngineError, match="the engine's thread died of SystemExit: gone"):
        evaluation.wait("fake", "default", CASES, tick=quiet, interval=0.02)
    evaluation.interrupt(GRACE_S)
    evaluation.pause()
    evaluation.resume()
    evaluation.close()


def test_a_store_that_breaks_its_contract_is_an_error_of_its_trials(engine: Engine) -> None:
    def broken(_key: object) -> Completion | None:
        raise ZeroDivisionError("in the store")

    world = World()
    world.store_of("fake").get = broken  # type: ignore[method-assign,assignment]
    evaluation = engine(world)
    evaluation.submit(PLAN, None, None)
    found = evaluation.wait("fake", "default", CASES, tick=quiet)
    assert "failed unexpectedly with ZeroDivisionError: in the store" in str(found[0].observation.grades["match"])


def test_answers_under_way_when_their_account_stops_are_kept(engine: Engine) -> None:
    gate = Gated(1)

    def script(request: Request) -> object:
        return gate(request) if request.messages[-1].content == "first" else AccountStopped("fake", "quota exhausted")

    world = World(script=script, room=2)  # type: ignore[arg-type]
    evaluation = engine(world)
    plan = planned(suite([case("a", "first"), case("b"), case("c")]))
    begun(evaluation, gate, plan)
    evaluation.wait("fake", "default", ["b", "c"], tick=quiet)
    gate.open()
    (kept,) = evaluation.wait("fake", "default", ["a"], tick=quiet)
    assert kept.completion is not None
    assert len(world.texts) == 2


def test_an_answer_that_never_came_when_its_account_stopped_is_told_like_the_others(engine: Engine) -> None:
    gate = Gated(1)

    def script(request: Request) -> object:
        return gate(request) if request.messages[-1].content == "first" else AccountStopped("fake", "quota exhausted")

    evaluation = engine(World(script=script, room=2))  # type: ignore[arg-type]
    plan = planned(suite([case("a", "first"), case("b")]))
    begun(evaluation, gate, plan)
    evaluation.wait("fake", "default", ["b"], tick=quiet)
    evaluation.interrupt(0.02)
    (cut,) = evaluation.wait("fake", "default", ["a"], tick=quiet)
    assert cut.observation.grades == {"match": Errored(message="fake: quota exhausted")}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking beside threads, from Python 3.12 on
def test_a_fork_is_told_instead_of_waiting(engine: Engine) -> None:
    gate = Gated(6)
    evaluation = engine(World(script=gate))
    begun(evaluation, gate)
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            evaluation.wait("fake", "default", CASES, tick=quiet, interval=0.02)
        except EngineError as error:
            os.write(writing, str(error.what).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert told.read().startswith("this process was forked")
    os.wait()


def test_a_fake_account_keeps_to_its_room() -> None:
    async def full() -> bool:
        account = FakeAccount(room=0)
        try:
            await asyncio.wait_for(account.room(), 0.01)
        except TimeoutError:
            return True
        return False

    assert asyncio.run(full())
