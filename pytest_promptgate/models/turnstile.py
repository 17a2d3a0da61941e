"""The limiter among coroutines: who may start, and in which order the others wait."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_promptgate.models.limiter import Limiter

_Waiting: TypeAlias = "tuple[asyncio.Future[int], float]"  # for its ticket, with its tokens


class Turnstile:
    """Lets requests start when the limiter says so: those that are asked again first, then new ones as they came.

    Args:
        clock: Seconds that never run backwards; the limiter's time.
    """

    def __init__(self, limiter: Limiter, *, clock: Callable[[], float]) -> None:
        self.limiter = limiter
        self._clock = clock
        self._again: deque[_Waiting] = deque()
        self._new: deque[_Waiting] = deque()
        self._room: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, *, again: bool, tokens: float) -> int:
        """Wait for a place and take it; give the ticket back to the limiter, then call `wake`."""
        if self._again or (self._new and not again) or self._wait() > 0:
            return await self._queue(self._again if again else self._new, tokens)
        return self.limiter.start(self._clock(), tokens)

    def leave(self, ticket: int) -> None:
        """Give a ticket back that says nothing of load."""
        self.limiter.failed(ticket, self._clock())
        self.wake()

    async def room(self) -> None:
        """Wait until a new request would start at once; those that were begun by then count."""
        await asyncio.sleep(0)
        while self._again or self._new or self._wait() > 0:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._room.append(waiting)
            self.wake()
            await waiting

    def wake(self) -> None:
        """Let those go who may start now, and come back when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while queue := self._again or self._new:
            if (wait := self._wait()) > 0:
                return self._wake_later(wait)
            future, tokens = queue.popleft()
            if not future.done():
                future.set_result(self.limiter.start(self._clock(), tokens))
        if self._room and (wait := self._wait()) > 0:
            return self._wake_later(wait)
        return self.open()

    def open(self) -> None:
        """Wake everybody who waits for room."""
        for waiting in self._room:
            if not waiting.done():
                waiting.set_result(None)
        self._room.clear()

    def _wait(self) -> float:
        wait = self.limiter.wait(self._clock())
        return wait if wait > 0.0005 else 0.0  # a timer may be a hair early

    async def _queue(self, queue: deque[_Waiting], tokens: float) -> int:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        queue.append((future, tokens))
        self.wake()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.leave(future.result())
            raise

    def _wake_later(self, wait: float) -> None:
        if not math.isinf(wait):
            self._timer = asyncio.get_running_loop().call_later(wait, self.wake)
