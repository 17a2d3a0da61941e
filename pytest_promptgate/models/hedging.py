"""Asking once more what takes far too long: the first answer wins, both are paid."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.models.wire import Reply

if TYPE_CHECKING:
    from pytest_promptgate.models.bodies import Posting
    from pytest_promptgate.models.refusals import Refusal
    from pytest_promptgate.models.turnstile import Turnstile
    from pytest_promptgate.models.wire import Wire

FACTOR = 5.0  # times the 95th percentile
KNOWN = 20  # latencies that the percentile is worth something from
KEPT = 400  # latest latencies


class Patience:
    """Posts requests, and where hedging is on loses patience with the slow ones."""

    def __init__(self, turnstile: Turnstile, *, hedge: bool) -> None:
        self._turnstile = turnstile
        self._hedge = hedge
        self._latest: deque[float] = deque()
        self._sorted: list[float] = []

    @property
    def limit_s(self) -> float | None:
        """Seconds after which a request is asked once more; None: never, or not known yet."""
        if not self._hedge or len(self._sorted) < KNOWN:
            return None
        return FACTOR * self._sorted[int(0.95 * (len(self._sorted) - 1))]

    async def post(self, wire: Wire, where: str, posting: Posting, *, timeout_s: float) -> Reply | Refusal:
        """As `Wire.post`."""
        limit = self.limit_s
        if limit is None:
            got = await wire.post(where, posting, timeout_s=timeout_s)
        else:
            got = await self._impatient(wire, where, posting, timeout_s, limit)
        if self._hedge and isinstance(got, Reply):
            self._note(got.latency_s)
        return got

    async def _impatient(
        self, wire: Wire, where: str, posting: Posting, timeout_s: float, limit: float
    ) -> Reply | Refusal:
        first = asyncio.create_task(wire.post(where, posting, timeout_s=timeout_s))
        second: asyncio.Task[Reply | Refusal] | None = None
        try:
            await asyncio.wait({first}, timeout=limit)
            if first.done():
                return first.result()
            second = asyncio.create_task(self._again(wire, where, posting, timeout_s))
            got = await _first_reply(first, second)
            return replace(got, requests=2) if isinstance(got, Reply) else got
        finally:
            for task in (first, second):
                if task is not None and not task.done():
                    task.cancel()

    async def _again(self, wire: Wire, where: str, posting: Posting, timeout_s: float) -> Reply | Refusal:
        """The second request takes a place like any other; its fate says nothing of load."""
        ticket = await self._turnstile.enter(again=True, tokens=0.0)
        try:
            return await wire.post(where, posting, timeout_s=timeout_s)
        finally:
            self._turnstile.leave(ticket)

    def _note(self, latency: float) -> None:
        insort(self._sorted, latency)
        self._latest.append(latency)
        if len(self._latest) > KEPT:
            self._sorted.remove(self._latest.popleft())


async def _first_reply(first: asyncio.Task[Reply | Refusal], second: asyncio.Task[Reply | Refusal]) -> Reply | Refusal:
    """The first true reply; if there is none, what became of the first request."""
    waiting = {first, second}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if _replied(task):
                for other in waiting:
                    other.cancel()
                return task.result()
    if not second.cancelled():
        second.exception()  # seen
    return first.result()


def _replied(task: asyncio.Task[Reply | Refusal]) -> bool:
    return not task.cancelled() and task.exception() is None and isinstance(task.result(), Reply)
