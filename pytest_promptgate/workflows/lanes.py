"""The way of trials to one provider account: a queue, and no more tasks than the account has room for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.workflows.jobs import Job

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import Account

# Trials that wait for a retry give their connection back but stay tasks; so do those whose judges are asked.
MOST_TASKS = 2_000

Work: TypeAlias = Coroutine[Any, Any, None]
Ended: TypeAlias = Callable[[Job, "asyncio.Task[None]"], None]


class Crew:
    """A bounded number of trials under way, each in a task of its own: context variables set in one stay there.

    Args:
        ended: Called when a task is over, also if it was cancelled before its first step.
    """

    def __init__(self, ended: Ended, *, most: int = MOST_TASKS) -> None:
        self._ended = ended
        self._most = most
        self._tasks: dict[asyncio.Task[None], Job] = {}
        self._left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._tasks)

    async def room(self) -> None:
        """Return when one more may start."""
        while len(self._tasks) >= self._most:
            self._left.clear()
            await self._left.wait()

    def spawn(self, job: Job, work: Work) -> None:
        """Start one."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = job
        task.add_done_callback(self._over)

    def cancel(self, which: Callable[[Job], bool] = lambda _job: True) -> None:
        """Cancel those of `which` that are under way."""
        for task, job in tuple(self._tasks.items()):
            if which(job):
                task.cancel()

    def _over(self, task: asyncio.Task[None]) -> None:
        job = self._tasks.pop(task)
        self._left.set()
        self._ended(job, task)


class Lane:
    """The queue of one account.

    Args:
        account: Asked for room before each trial.
        ask: What a trial does once there is room.
        ended: As for `Crew`.
        running: Cleared while the run is paused.
    """

    def __init__(self, account: Account, *, ask: Callable[[Job], Work], ended: Ended, running: asyncio.Event) -> None:
        self.account = account
        self.endpoint = account.endpoint
        self.crew = Crew(ended)
        self._ask = ask
        self._running = running
        self._queue: deque[Job] = deque()
        self._filled = asyncio.Event()

    def push(self, job: Job) -> None:
        """Put one trial at the end of the queue."""
        self._queue.append(job)
        self._filled.set()

    def drain(self) -> list[Job]:
        """Empty the queue."""
        jobs = list(self._queue)
        self._queue.clear()
        return jobs

    async def feed(self) -> None:
        """Start trials as room arises, for ever; raises what `Account.room` raises."""
        while True:
            while not self._queue:
                self._filled.clear()
                await self._filled.wait()
            await self.crew.room()
            await self.account.room()
            await self._running.wait()
            if self._queue:
                job = self._queue.popleft()
                self.crew.spawn(job, self._ask(job))
                # The new task takes its connection now, before the account is asked for room again.
                await asyncio.sleep(0)
