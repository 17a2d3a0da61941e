"""The loop's side of the engine: store first, then the account; every answer is kept before it is scored.

Longer than other files on purpose: it is the whole way of a trial, from the queue to its result.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.limits import budget_reached, time_reached
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
from pytest_promptgate.workflows.curtailing import Curtailment
from pytest_promptgate.workflows.jobs import Job, answered, unanswered, unchanged
from pytest_promptgate.workflows.judging import Bench
from pytest_promptgate.workflows.lanes import Crew, Lane, Lanes
from pytest_promptgate.workflows.left_out import LeftOut
from pytest_promptgate.workflows.permits import Permits
from pytest_promptgate.workflows.scoring import being_cancelled, grades_of
from pytest_promptgate.workflows.stops import Stop, Stops, Subject, asked_of, known, suite_of
from pytest_promptgate.workflows.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    from pytest_promptgate.core.limits import Budget
    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.core.types import Judged, ModelPin, Trial
    from pytest_promptgate.workflows.sources import Sources

# How long answers that are under way are still awaited when their account is stopped or the time granted is over:
# they may be paid for.
STOP_GRACE_S = 5.0
Routed: TypeAlias = Callable[[Sequence[Job]], None]
_PAUSED, _SURVEYED = "paused", "surveyed"
_AT_ONCE = 64  # trials looked up before the loop sees to answers again


class Answering:
    """Works through jobs until it is closed. Made in the main thread; everything else happens in the loop's.

    Args:
        sources: Accounts and stores.
        file: Keeps a result; a second result of one job has no effect.
        price_of: What a judge costs; None if that is not known.
        judged: Called with each call to a judge that ended.
        observe: Called with each answer that was asked for and is stored.
    """

    def __init__(
        self,
        sources: Sources,
        file: Callable[[Job, Result], None],
        *,
        price_of: Callable[[ModelPin], Price | None],
        judged: Callable[[Judged], None],
        observe: Callable[[Trial, Completion], None],
    ) -> None:
        self.stops = Stops()
        self.curtailment = Curtailment()
        self.faults: tuple[PromptGateError, ...] = ()  # of closing
        self._sources = sources
        self._file = file
        self._observe = observe
        self._inbox: deque[tuple[Sequence[Job], Routed]] = deque()
        self._wake = asyncio.Event()
        self._permits = Permits(lambda budget: self.end(budget_reached(budget.limit_usd)))
        self._closed = False
        self.ended = ""  # why nothing more is started
        self._lanes = Lanes(self._open, broken=self._stop_waiting)
        self._scoring = Crew(self._over)  # of trials that need no call
        self.bench = Bench(
            sources,
            self._permits,
            stops=self.stops,
            halt=self._halt,
            price_of=price_of,
            ended=lambda: self.ended,
            told=judged,
        )
        self.survey = Survey(self.bench.is_stored)

    async def run(self) -> None:
        """Take jobs as they come in, until `close`."""
        try:
            while not self._closed:
                await self._wake.wait()
                self._wake.clear()
                while self._inbox:
                    jobs, routed = self._inbox.popleft()
                    await self._dispatch(jobs)
                    routed([job for lane in self._lanes for job in lane.waiting()])
        finally:
            self._lanes.close()
            self.faults += await self._sources.close()

    # --- orders from the main thread ---------------------------------------------------------------------------------

    def add(self, jobs: Sequence[Job], routed: Routed = lambda _jobs: None) -> None:
        """Take more jobs; `routed` is called with what waits to be asked, when all of them are on their way."""
        self._inbox.append((jobs, routed))
        self._wake.set()

    def hold(self) -> None:
        """Start no call before `begin`."""
        self._permits.hold(_SURVEYED)
        self.survey.begin()

    def begin(self, budget: Budget | None, limit_s: float | None) -> None:
        """Let calls start.

        Args:
            budget: Of all calls; None: as much as it takes.
            limit_s: Seconds from now after which nothing more is started; None: as long as it takes.
        """
        if budget is not None:
            self._permits.grant(budget)
        if limit_s is not None:
            asyncio.get_running_loop().call_later(limit_s, self._expire, limit_s)
        self._permits.release(_SURVEYED)
        if held := self.survey.end():
            self.add(held)

    def pause(self) -> None:
        """Start no further call."""
        self._permits.hold(_PAUSED)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._permits.release(_PAUSED)

    def end(self, reason: str) -> None:
        """Start nothing more; what is under way goes on."""
        self.ended = self.ended or reason
        self._permits.close()
        self._skip([*self._lanes.drain(), *self.survey.end()])

    def curtail(self) -> None:
        """Start nothing more of what the curtailment stops; what is under way goes on."""
        for lane in self._lanes:
            for job in lane.drain():
                if not self._is_curtailed(job):
                    lane.push(job)

    def cancel(self) -> None:
        """Give up what is under way."""
        for crew in (self._scoring, *(lane.crew for lane in self._lanes)):
            crew.cancel()

    def complete_round(self, suite: str) -> None:
        """Let the answers of the suite's round count."""
        try:
            self._sources.complete_round(suite)
        except StoreError as error:
            self.faults += (error,)

    def close(self) -> None:
        """End, cancel, and let `run` return."""
        self.end("the run ended")
        self.cancel()
        self._closed = True
        self._wake.set()

    # --- the way of one job ------------------------------------------------------------------------------------------

    async def _dispatch(self, jobs: Sequence[Job]) -> None:
        for number, job in enumerate(self.curtailment.ordered(self._sources.ordered(jobs))):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            await self._scoring.room()
            if self.ended:
                self._skip([job])
                continue
            try:
                self._route(job)
            except BaseException as error:  # noqa: BLE001 a store that breaks its contract must not end the loop
                self._file(job, unanswered(job, Origin.NOWHERE, Errored(message=str(known(error, job)))))

    def _route(self, job: Job) -> None:
        if job.reuse is not None and job.reuse.completion is not None:
            if self.survey.holds(job, job.reuse.completion):
                return
            self._scoring.spawn(job, self._guarded(job, self._score_anew))
            return
        lane = self._lane(job)
        if lane is None:
            return
        try:
            found = self._sources.stored(job, lane.endpoint)
        except StoreError as error:
            self._file(job, unanswered(job, Origin.NOWHERE, self._halt(suite_of(job), error).grade))
            return
        if self.survey.holds(job, found):
            return
        if found is not None:
            self._scoring.spawn(job, self._guarded(job, self._score, Origin.STORED, found))
        elif self._sources.offline:
            miss = Errored(message=str(self._sources.miss(job, lane.endpoint)))
            self._file(job, unanswered(job, Origin.NOWHERE, miss))
        elif not self._is_curtailed(job):
            lane.push(job)

    def _lane(self, job: Job) -> Lane | None:
        """The lane of a job, or None if the job was stopped and filed."""
        stop = self.stops.of(job)
        if stop is None:
            try:
                return self._lanes.of(job.trial.request.pin.provider)
            except PromptGateError as error:
                stop = self._halt(asked_of(job, error), error)
        self._file(job, unanswered(job, Origin.NOWHERE, stop.grade))
        return None

    def _open(self, provider: str) -> Lane:
        account = self._sources.account(provider)
        return Lane(account, ask=self._ask, ended=self._over, permits=self._permits)

    def _stop_waiting(self, jobs: Sequence[Job], error: BaseException) -> None:
        if jobs:
            told = known(error, jobs[0])
            stop = self.stops.add(("provider", jobs[0].trial.request.pin.provider), told)
            self._tell(stop, jobs)

    def _ask(self, job: Job) -> Coroutine[Any, Any, None]:
        return self._guarded(job, self._asked)

    async def _asked(self, job: Job) -> None:
        lane = None if self._is_curtailed(job) else self._lane(job)
        if lane is None:
            return
        try:
            completion = await lane.answer(job)
        except LeftOut as left:
            self._file(job, unanswered(job, Origin.ASKED, left.grade))
        except RequestRefused as error:
            self._file(job, unanswered(job, Origin.ASKED, Unscored(reason=f"provider refused: {error.what}")))
        except (AccountStopped, ConfigError, WrongModel) as error:
            asyncio.get_running_loop().call_later(STOP_GRACE_S, lane.crew.cancel, self._is_stopped)
            self._file(job, unanswered(job, Origin.ASKED, self._halt(asked_of(job, error), error).grade))
        except CallError as error:
            self._file(job, unanswered(job, Origin.ASKED, Errored(message=str(error))))
        else:
            await self._keep(job, lane, completion)

    async def _keep(self, job: Job, lane: Lane, completion: Completion) -> None:
        try:
            self._sources.keep(job, lane.endpoint, completion)
        except StoreError as error:
            grade = self._halt(suite_of(job), error).grade
            grades = {bound.name: grade for bound in job.plan.suite.scorers}
            self._file(job, answered(job, Origin.ASKED, completion, grades))
        else:
            self._observe(job.trial, completion)
            await self._score(job, Origin.ASKED, completion)

    async def _score(self, job: Job, origin: Origin, completion: Completion) -> None:
        reuse = job.reuse
        same = reuse is not None and reuse.observation.output == output_digest(completion)
        grades = await self._grades(job, completion, reuse.grades if reuse is not None and same else {})
        self._file(job, answered(job, origin, completion, grades))

    async def _score_anew(self, job: Job) -> None:
        assert job.reuse is not None
        assert job.reuse.completion is not None
        grades = await self._grades(job, job.reuse.completion, job.reuse.grades)
        self._file(job, unchanged(job, job.reuse, grades))

    async def _grades(self, job: Job, completion: Completion, kept: Mapping[str, Grade]) -> dict[str, Grade]:
        ask = partial(self.bench.grade, suite=job.plan.suite, slot=job.plan.slot, production=job.production)
        return await grades_of(completion, job.trial.case, job.plan.suite.scorers, kept=kept, ask=ask)

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
            grade = stop.grade if stop is not None else Skipped(reason=self.ended)
            self._file(job, unanswered(job, Origin.ASKED, grade))

    def _halt(self, subject: Subject, error: PromptGateError) -> Stop:
        """Nothing more is asked of `subject`; the trials that wait for it are filed."""
        stop = self.stops.add(subject, error)
        for lane in self._lanes:
            for waiting in lane.drain():
                if self._is_stopped(waiting):
                    self._tell(stop, [waiting])
                else:
                    lane.push(waiting)
        return stop

    def _expire(self, limit_s: float) -> None:
        self.end(time_reached(limit_s))
        asyncio.get_running_loop().call_later(STOP_GRACE_S, self.cancel)

    def _is_curtailed(self, job: Job) -> bool:
        """Whether nothing more is asked for the suite and slot of `job`, which is filed then."""
        stopped = self.curtailment.stops(job)
        if stopped is not None:
            self.curtailment.skipped += 1
            self._file(job, unanswered(job, Origin.NOWHERE, Skipped(reason=stopped.why)))
        return stopped is not None

    def _is_stopped(self, job: Job) -> bool:
        return self.stops.of(job) is not None

    def _tell(self, stop: Stop, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._file(job, unanswered(job, Origin.NOWHERE, stop.grade))

    def _skip(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._file(job, unanswered(job, Origin.NOWHERE, Skipped(reason=self.ended)))
