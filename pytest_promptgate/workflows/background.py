"""One event loop in a daemon thread, for the whole pytest run.

The main thread waits on conditions with a time-out, so Ctrl-C reaches it, and asks `Background.check` each time, so
a dead loop is an error and never a hang. Users' blocking code never goes to `asyncio.to_thread` or an executor:
their threads are joined when the interpreter exits, and Ctrl-C would wait for them.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pytest_promptgate.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


T = TypeVar("T")


async def _settled(work: Coroutine[Any, Any, T]) -> tuple[T | None, BaseException | None]:
    """What `work` came to; nothing that users' code raises is to end the loop."""
    try:
        return await work, None
    except BaseException as error:  # noqa: BLE001 raised again where the caller is
        return None, error


class Background:
    """Runs one coroutine, `main`, until it returns.

    Args:
        main: Called in the loop's thread; what it returns ends the loop, what it raises is told by `check`.
        ended: Called in the loop's thread when it is over, whatever the reason, to wake whoever waits.
    """

    def __init__(self, main: Callable[[], Coroutine[Any, Any, None]], *, ended: Callable[[], None]) -> None:
        self._main = main
        self._ended = ended
        self._owner = os.getpid()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="promptgate", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the loop can be asked for something: started, not over, and in this process."""
        return os.getpid() == self._owner and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; a second call does nothing."""
        self.check()
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread.start()

    def call(self, function: Callable[..., None], *arguments: object) -> None:
        """Have `function` called in the loop's thread, soon.

        Raises:
            EngineError: As `check`.
        """
        self.check()
        if self._loop is None:
            raise EngineError("promptgate", "the engine was not started")
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # closed between the check and the call
            self._thread.join()
            raise self._dead() from self._failure

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns, run in the loop; blocks, and starts the thread if need be. Raises what it raises.

        Raises:
            EngineError: As `check`.
        """
        self.start()
        assert self._loop is not None
        if threading.current_thread() is self._thread:
            work.close()
            raise EngineError(
                "promptgate", "this is the engine's loop, which cannot wait for itself", hint="Use await."
            )
        done = asyncio.run_coroutine_threadsafe(_settled(work), self._loop)
        while not done.done():
            self.check()
            concurrent.futures.wait([done], timeout=0.1)
        returned, error = done.result()
        if error is not None:
            raise error
        return cast("T", returned)

    def check(self) -> None:
        """Raise if the loop cannot work any more.

        Raises:
            EngineError: Its thread died, or this process is a fork, which threads do not survive.
        """
        if os.getpid() != self._owner:
            raise EngineError(
                "promptgate",
                "this process was forked from the one that runs the engine, and threads do not survive a fork",
                hint="Run evals without --forked: `-m prompt_eval` and `-m 'not prompt_eval'` part the two kinds.",
            )
        if self._loop is not None and not self._thread.is_alive():
            raise self._dead() from self._failure

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the thread, for at most `timeout_s` seconds."""
        if self.alive:
            self._thread.join(timeout_s)

    def _dead(self) -> EngineError:
        if self._failure is None:
            return EngineError("promptgate", "the engine has ended")
        return EngineError(
            "promptgate",
            f"the engine's thread died of {type(self._failure).__name__}: {self._failure}",
            hint="Stored answers are safe; the next run goes on from them. Please report this with the traceback.",
        )

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._made_loop) as runner:
                runner.run(self._main())
        except BaseException as error:  # noqa: BLE001 the thread's last words, told by `check` in the main thread
            self._failure = error
        finally:
            self._ended()

    def _made_loop(self) -> asyncio.AbstractEventLoop:
        assert self._loop is not None
        return self._loop
