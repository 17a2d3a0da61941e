"""The limiter among coroutines: who may start, and in which order the others wait."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_promptgate.models.limiter import Limiter


class Turnstile:
    """Lets requests start when the limiter says so: those that are asked again first, then new ones as they came.

    Args:
        clock: Seconds that never run backwards; the limiter's time.
    """

    def __init__(self, limiter: Limiter, *, clock: Callable[[], float]) -> None:
        self.limiter = limiter
        self._clock = clock
        self._again: deque[asyncio.Future[None]] = deque()
        self._new: deque[asyncio.Future[None]] = deque()
        self._room: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, *, again: bool, tokens: float) -> int:
        """Wait for a place and take it; the ticket has to be given back to the limiter, and then `leave` called."""
        if self._again or (self._new and not again) or self._wait() > 0:
            await self._queue(self._again if again else self._new)
        return self.limiter.start(self._clock(), tokens)

    def leave(self) -> None:
        """A place is free, or the limiter has changed its mind."""
        self._wake()

    async def room(self) -> None:
        """Wait until a new request would start at once; those that were begun by then count."""
        await asyncio.sleep(0)
        while self._again or self._new or self._wait() > 0:
            await self._queue(self._room)

    def open(self) -> None:
        """Let everybody through who waits for room: nothing more is going to start."""
        for waiting in self._room:
            _let(waiting)
        self._room.clear()

    def _wait(self) -> float:
        wait = self.limiter.wait(self._clock())
        # A timer that is a hair early would ask again at once.
        return wait if wait > 0.0005 else 0.0

    async def _queue(self, queue: deque[asyncio.Future[None]]) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(waiting)
        self._wake()
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting in queue:
                queue.remove(waiting)
            self._wake()
            raise

    def _wake(self) -> None:
        """Let the first in line go if it may start now, else come back when it may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        queue = next((queue for queue in (self._again, self._new, self._room) if queue), None)
        if queue is None:
            return
        wait = self._wait()
        if wait == 0.0:
            _let(queue.popleft())
        elif not math.isinf(wait):
            self._timer = asyncio.get_running_loop().call_later(wait, self._wake)


def _let(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
