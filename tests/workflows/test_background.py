"""The background loop: it ends, it dies with a message, it never hangs."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from pytest_promptgate.errors import EngineError
from pytest_promptgate.workflows.background import Background

WAIT_S = 10.0


def died_of(error: BaseException) -> Background:
    ended = threading.Event()

    async def main() -> None:
        raise error

    background = Background(main, ended=ended.set)
    background.start()
    assert ended.wait(WAIT_S)
    background.join(WAIT_S)
    return background


def test_it_calls_functions_in_its_own_thread_and_ends() -> None:
    seen: list[str] = []
    done = asyncio.Event()

    async def main() -> None:
        await done.wait()

    background = Background(main, ended=lambda: seen.append("ended"))
    background.start()
    background.start()
    background.call(lambda: seen.append(threading.current_thread().name))
    background.call(done.set)
    background.join(WAIT_S)
    assert seen == ["promptgate", "ended"]
    assert not background.alive


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit("broken"), KeyboardInterrupt("broken")])
def test_a_loop_that_died_is_told_with_its_last_words(error: BaseException) -> None:
    background = died_of(error)
    with pytest.raises(EngineError) as caught:
        background.check()
    assert str(caught.value) == (
        f"promptgate: the engine's thread died of {type(error).__name__}: broken\n"
        "  Stored answers are safe; the next run goes on from them. Please report this with the traceback."
    )
    assert caught.value.__cause__ is error


def test_a_dead_loop_takes_no_calls() -> None:
    background = died_of(ValueError("broken"))
    with pytest.raises(EngineError):
        background.call(print)


def test_an_ended_loop_is_told() -> None:
    async def main() -> None:
        return

    background = Background(main, ended=lambda: None)
    background.start()
    background.join(WAIT_S)
    with pytest.raises(EngineError) as caught:
        background.check()
    assert str(caught.value) == "promptgate: the engine has ended"


def test_a_loop_that_was_not_started_takes_no_calls() -> None:
    async def main() -> None:
        return

    background = Background(main, ended=lambda: None)
    with pytest.raises(EngineError) as caught:
        background.call(print)
    assert str(caught.value) == "promptgate: the engine was not started"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking beside threads, from Python 3.12 on
def test_a_fork_is_told_instead_of_waiting_for_a_thread_that_is_not_there() -> None:
    done = asyncio.Event()

    async def main() -> None:
        await done.wait()

    background = Background(main, ended=lambda: None)
    background.start()
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            background.check()
        except EngineError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        message = told.read()
    os.wait()
    background.call(done.set)
    background.join(WAIT_S)
    assert message == (
        "promptgate: this process was forked from the one that runs the engine, and threads do not survive a fork\n"
        "  Run evals without --forked: `-m prompt_eval` and `-m 'not prompt_eval'` part the two kinds."
    )
