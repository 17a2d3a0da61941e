"""The loop's side of the engine: store first, then the account; every answer is kept before it is scored."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.plan import slowness
from pytest_promptgate.core.types import Completion, Errored, Grade, Origin, Result, Skipped, Unscored
from pytest_promptgate.errors import (
    AccountStopped,
    CallError,
    ConfigError,
    PromptGateError,
    RequestRefused,
    StoreError,
    WrongModel,
)
from pytest_promptgate.workflows.jobs import Job, answered, unanswered, unchanged
from pytest_promptgate.workflows.lanes import Crew, Lane
from pytest_promptgate.workflows.scoring import being_cancelled, grades_of
from pytest_promptgate.workflows.stops import Stop, Stops, Subject, asked_of, known, suite_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from pytest_promptgate.workflows.sources import Sources

# How long answers that are under way are still awaited when their account is stopped: they may be paid for.
STOP_GRACE_S = 5.0
_AT_ONCE = 64  # trials looked up before the loop sees to answers again


class Answering:
    """Works through jobs until it is closed. Made in the main thread; everything else happens in the loop's.

    Args:
        sources: Accounts and stores.
        file: Keeps a result; a second result of one job has no effect.
    """

    def __init__(self, sources: Sources, file: Callable[[Job, Result], None]) -> None:
        self.stops = Stops()
        self.faults: tuple[PromptGateError, ...] = ()  # of closing
        self._sources = sources
        self._file = file
        self._inbox: deque[Sequence[Job]] = deque()
        self._wake = asyncio.Event()
        self._running = asyncio.Event()
        self._running.set()
        self._closed = False
        self._ended = ""  # why nothing more is started
        self._lanes: dict[str, Lane] = {}
        self._feeders: set[asyncio.Task[None]] = set()
        self._scoring = Crew(self._over)  # of trials that need no call

    async def run(self) -> None:
        """Take jobs as they come in, until `close`."""
        try:
            while not self._closed:
                await self._wake.wait()
                self._wake.clear()
                while self._inbox:
                    await self._dispatch(self._inbox.popleft())
        finally:
            for feeder in self._feeders:
                feeder.cancel()
            self.faults = await self._sources.close()

    # --- orders from the main thread ---------------------------------------------------------------------------------

    def add(self, jobs: Sequence[Job]) -> None:
        """Take more jobs."""
        self._inbox.append(jobs)
        self._wake.set()

    def pause(self) -> None:
        """Start no further call."""
        self._running.clear()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._running.set()

    def end(self, reason: str) -> None:
        """Start nothing more; what is under way goes on."""
        self._ended = self._ended or reason
        for lane in self._lanes.values():
            self._skip(lane.drain())

    def cancel(self) -> None:
        """Give up what is under way."""
        for crew in (self._scoring, *(lane.crew for lane in self._lanes.values())):
            crew.cancel()

    def close(self) -> None:
        """End, cancel, and let `run` return."""
        self.end("the run ended")
        self.cancel()
        self._closed = True
        self._wake.set()

    # --- the way of one job ------------------------------------------------------------------------------------------

    async def _dispatch(self, jobs: Sequence[Job]) -> None:
        for number, job in enumerate(sorted(jobs, key=lambda job: -slowness(job.trial))):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            await self._scoring.room()
            if self._ended:
                self._skip([job])
                continue
            try:
                self._route(job)
            except BaseException as error:  # noqa: BLE001 a store that breaks its contract must not end the loop
                self._file(job, unanswered(job, Origin.NOWHERE, Errored(message=str(known(error, job)))))

    def _route(self, job: Job) -> None:
        if job.reuse is not None and job.reuse.completion is not None:
            self._scoring.spawn(job, self._guarded(job, self._score_anew))
            return
        lane = self._lane(job)
        if lane is None:
            return
        try:
            found = self._sources.stored(job, lane.endpoint)
        except StoreError as error:
            self._file(job, unanswered(job, Origin.NOWHERE, self._halt(suite_of(job), error, job).told(job)))
            return
        if found is not None:
            self._scoring.spawn(job, self._guarded(job, self._score, Origin.STORED, found))
        elif self._sources.offline:
            miss = Errored(message=str(self._sources.miss(job, lane.endpoint)))
            self._file(job, unanswered(job, Origin.NOWHERE, miss))
        else:
            lane.push(job)

    def _lane(self, job: Job) -> Lane | None:
        """The lane of a job, or None if the job was stopped and filed."""
        provider = job.trial.request.pin.provider
        stop = self.stops.of(job)
        if stop is None and provider not in self._lanes:
            try:
                self._open(provider)
            except PromptGateError as error:
                stop = self._halt(asked_of(job, error), error, job)
        if stop is not None:
            self._file(job, unanswered(job, Origin.NOWHERE, stop.told(job)))
            return None
        return self._lanes[provider]

    def _open(self, provider: str) -> None:
        account = self._sources.account(provider)
        lane = Lane(account, ask=self._ask, ended=self._over, running=self._running)
        feeder = asyncio.get_running_loop().create_task(self._feed(lane))
        self._lanes[provider] = lane
        self._feeders.add(feeder)

    async def _feed(self, lane: Lane) -> None:
        while True:
            try:
                await lane.feed()
            except BaseException as error:  # accounts may be plugins' code
                if being_cancelled(error):
                    raise
                self._stop_waiting(lane.drain(), error)

    def _stop_waiting(self, jobs: Sequence[Job], error: BaseException) -> None:
        if jobs:
            told = known(error, jobs[0])
            stop = self.stops.add(("provider", jobs[0].trial.request.pin.provider), told, jobs[0])
            self._tell(stop, jobs)

    def _ask(self, job: Job) -> Coroutine[Any, Any, None]:
        return self._guarded(job, self._asked)

    async def _asked(self, job: Job) -> None:
        lane = self._lane(job)
        if lane is None:
            return
        try:
            completion = await lane.account.ask(job.trial.request)
        except RequestRefused as error:
            self._file(job, unanswered(job, Origin.ASKED, Unscored(reason=f"provider refused: {error.what}")))
        except (AccountStopped, ConfigError) as error:
            asyncio.get_running_loop().call_later(STOP_GRACE_S, lane.crew.cancel, self._is_stopped)
            self._file(job, unanswered(job, Origin.ASKED, self._halt(asked_of(job, error), error, job).told(job)))
        except CallError as error:
            moved = isinstance(error, WrongModel)
            self._file(job, unanswered(job, Origin.ASKED, Errored(message=str(error), moved=moved)))
        else:
            await self._keep(job, lane, completion)

    async def _keep(self, job: Job, lane: Lane, completion: Completion) -> None:
        try:
            self._sources.keep(job, lane.endpoint, completion)
        except StoreError as error:
            grade = self._halt(suite_of(job), error, job).told(job)
            grades = {bound.name: grade for bound in job.plan.suite.scorers}
            self._file(job, answered(job, Origin.ASKED, completion, grades))
        else:
            await self._score(job, Origin.ASKED, completion)

    async def _score(self, job: Job, origin: Origin, completion: Completion) -> None:
        reuse = job.reuse
        same = reuse is not None and reuse.observation.output == output_digest(completion)
        grades = await _grades(job, completion, reuse.grades if reuse is not None and same else {})
        self._file(job, answered(job, origin, completion, grades))

    async def _score_anew(self, job: Job) -> None:
        assert job.reuse is not None
        assert job.reuse.completion is not None
        grades = await _grades(job, job.reuse.completion, job.reuse.grades)
        self._file(job, unchanged(job, job.reuse, grades))

    # --- ends --------------------------------------------------------------------------------------------------------

    async def _guarded(self, job: Job, work: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> None:
        try:
            await work(job, *arguments)
        except BaseException as error:  # accounts may be plugins' code, and SystemExit would end the loop
            if being_cancelled(error):
                raise
            self._file(job, unanswered(job, Origin.ASKED, Errored(message=str(known(error, job)))))

    def _over(self, job: Job, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            stop = self.stops.of(job)
            grade = stop.told(job) if stop is not None else Skipped(reason=self._ended)
            self._file(job, unanswered(job, Origin.ASKED, grade))

    def _halt(self, subject: Subject, error: PromptGateError, job: Job) -> Stop:
        """Nothing more is asked of `subject`; the trials that wait for it are filed."""
        stop = self.stops.add(subject, error, job)
        for lane in self._lanes.values():
            for waiting in lane.drain():
                if self._is_stopped(waiting):
                    self._tell(stop, [waiting])
                else:
                    lane.push(waiting)
        return stop

    def _is_stopped(self, job: Job) -> bool:
        return self.stops.of(job) is not None

    def _tell(self, stop: Stop, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._file(job, unanswered(job, Origin.NOWHERE, stop.told(job)))

    def _skip(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._file(job, unanswered(job, Origin.NOWHERE, Skipped(reason=self._ended)))


async def _grades(job: Job, completion: Completion, kept: Mapping[str, Grade]) -> dict[str, Grade]:
    scorers = job.plan.suite.scorers
    fresh = await grades_of(completion, job.trial.case, [bound for bound in scorers if bound.name not in kept])
    return {bound.name: kept[bound.name] if bound.name in kept else fresh[bound.name] for bound in scorers}
