"""Whether a further call may start: not while the run is held or paused, nor beyond its budget."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_promptgate.core.limits import Budget


class Permits:
    """One for all accounts; used in the loop's thread alone.

    Args:
        exhausted: Called when the budget allows no further call; it is to see to it that none waits any more.
    """

    def __init__(self, exhausted: Callable[[Budget], None]) -> None:
        self._exhausted = exhausted
        self._budget: Budget | None = None
        self._reasons: set[str] = set()  # why nothing may start
        self._open = asyncio.Event()
        self._open.set()
        self._ended = asyncio.Event()  # a call did
        self._closed = False

    def hold(self, reason: str) -> None:
        """Let no further call start until `release` is called with the same reason."""
        self._reasons.add(reason)
        self._open.clear()

    def release(self, reason: str) -> None:
        """Go on after `hold`."""
        self._reasons.discard(reason)
        if not self._reasons:
            self._open.set()

    def close(self) -> None:
        """Let nobody wait any more: the run has ended, and whoever asks for a permit is to look."""
        self._closed = True
        self._open.set()
        self._ended.set()

    def grant(self, budget: Budget) -> None:
        """Spend no more than that; called before the first call."""
        self._budget = budget

    async def wait(self) -> None:
        """Return when one more call may start, or when none ever will."""
        while not self._closed:
            await self._open.wait()
            if self._closed or self._budget is None or self._budget.allows():
                return
            if self._budget.exhausted:
                self._exhausted(self._budget)
                return
            self._ended.clear()
            await self._ended.wait()

    def started(self) -> None:
        """A call is under way."""
        if self._budget is not None:
            self._budget = self._budget.started()

    def answered(self, cost_usd: float | None) -> None:
        """It was answered; `cost_usd` is None if nobody knows."""
        if self._budget is not None:
            self._budget = self._budget.answered(cost_usd)
            self._ended.set()

    def failed(self) -> None:
        """It was not answered."""
        if self._budget is not None:
            self._budget = self._budget.failed()
            self._ended.set()
