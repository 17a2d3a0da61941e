"""The way of trials to one provider account: a queue, and no more tasks than the account has room for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.workflows.conversation import conversation, whole
from pytest_promptgate.workflows.jobs import Job, paid_usd
from pytest_promptgate.workflows.scoring import being_cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.ports import Account
    from pytest_promptgate.core.types import Completion
    from pytest_promptgate.workflows.permits import Permits

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
        permits: Asked as well.
    """

    def __init__(self, account: Account, *, ask: Callable[[Job], Work], ended: Ended, permits: Permits) -> None:
        self.account = account
        self.endpoint = account.endpoint
        self.crew = Crew(ended)
        self._ask = ask
        self._permits = permits
        self._queue: deque[Job] = deque()
        self._filled = asyncio.Event()

    def push(self, job: Job) -> None:
        """Put one trial at the end of the queue."""
        self._queue.append(job)
        self._filled.set()

    def drain(self) -> list[Job]:
        """Empty the queue."""
        jobs = self.waiting()
        self._queue.clear()
        return jobs

    def waiting(self) -> list[Job]:
        """What is in the queue."""
        return list(self._queue)

    async def answer(self, job: Job) -> Completion:
        """Ask; raises what `Account.ask` raises, and counts what the turns before that have cost."""
        self._permits.started()
        answers: list[Completion] = []
        try:
            async for each in conversation(self.account, job.trial.request):
                answers.append(each)  # noqa: PERF401 those before a failure are wanted
        except BaseException:
            if answers:
                self._permits.answered(paid_usd(job, whole(answers)))
            else:
                self._permits.failed()
            raise
        completion = whole(answers)
        self._permits.answered(paid_usd(job, completion))
        return completion

    async def feed(self) -> None:
        """Start trials as room arises, for ever; raises what `Account.room` raises."""
        while True:
            while not self._queue:
                self._filled.clear()
                await self._filled.wait()
            await self.crew.room()
            await self.account.room()
            await self._permits.wait()
            if self._queue:
                job = self._queue.popleft()
                self.crew.spawn(job, self._ask(job))
                # The new task takes its connection now, before the account is asked for room again.
                await asyncio.sleep(0)


class Lanes:
    """The lanes of a run, by provider.

    Args:
        make: The lane of a provider; may raise.
        broken: Called with the waiting trials of a lane whose account raised something when it was asked for room.
    """

    def __init__(self, make: Callable[[str], Lane], *, broken: Callable[[Sequence[Job], BaseException], None]) -> None:
        self._make = make
        self._broken = broken
        self._lanes: dict[str, Lane] = {}
        self._feeders: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Lane]:
        return iter(tuple(self._lanes.values()))

    def of(self, provider: str) -> Lane:
        """The lane of a provider, opened at its first trial; raises what `make` raises."""
        if provider not in self._lanes:
            lane = self._make(provider)
            self._lanes[provider] = lane
            self._feeders.add(asyncio.get_running_loop().create_task(self._feed(lane)))
        return self._lanes[provider]

    def drain(self) -> list[Job]:
        """Empty all queues."""
        return [job for lane in self for job in lane.drain()]

    def close(self) -> None:
        """Feed no more."""
        for feeder in self._feeders:
            feeder.cancel()

    async def _feed(self, lane: Lane) -> None:
        while True:
            try:
                await lane.feed()
            except BaseException as error:  # accounts may be plugins' code
                if being_cancelled(error):
                    raise
                self._broken(lane.drain(), error)
