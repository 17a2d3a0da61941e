"""The engine, as the front doors see it: submit plans, wait for cases, end early without losing a paid answer.

Longer than other files on purpose: it is the whole face of the engine.
"""

from __future__ import annotations

import threading
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_promptgate.core.pairs import production_of
from pytest_promptgate.core.types import Baseline, Grade, Judged, ModelPin, Origin, Result, Skipped, Trial
from pytest_promptgate.workflows.answering import Answering
from pytest_promptgate.workflows.background import Background
from pytest_promptgate.workflows.jobs import Job, unanswered, unchanged
from pytest_promptgate.workflows.ledger import Key, Ledger
from pytest_promptgate.workflows.refresh import Refreshed, refreshed
from pytest_promptgate.workflows.rescoring import Answer, graded
from pytest_promptgate.workflows.reuse import labelled, reuse_of
from pytest_promptgate.workflows.sources import Ports, Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence

    from pytest_promptgate.core.certainty import Stopped
    from pytest_promptgate.core.limits import Budget
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import Account, Price, ResponseStore
    from pytest_promptgate.core.types import Completion
    from pytest_promptgate.core.votes import Votes
    from pytest_promptgate.errors import PromptGateError
    from pytest_promptgate.workflows.progress import Progress
    from pytest_promptgate.workflows.watch import Watch

T = TypeVar("T")

_CANCEL_S = 2.0  # for cancelled trials to be filed
_CLOSE_S = 10.0  # for accounts and stores to be closed


class Evaluation:
    """Answers and scores the trials of any number of plans; results arrive one by one.

    A trial takes its scores from the baseline if nothing changed, else its answer from the store, else from the model.
    All methods belong to the main thread; users' scorers run in the engine's own.

    Args:
        account_of: Provider name -> account. Called in the engine's thread, at the first trial that the baseline does
            not settle: the store's key needs `Account.endpoint`. It opens nothing before `room` or `ask`.
        store_of: Suite name -> its store; called in the engine's thread, at the same moment.
        price_of: What a model costs; None if that is not known.
        offline: Nothing is asked: a trial that the store does not know is `Errored`.
        refresh: The baseline's lines stand for nothing, and neither do stored answers: a new round of the store is
            asked, or an unfinished one to its end.
        observe: Is told every answer that was asked for, once it is stored; in the engine's thread. It raises nothing.
    """

    def __init__(
        self,
        *,
        account_of: Callable[[str], Account],
        store_of: Callable[[str], ResponseStore],
        price_of: Callable[[ModelPin], Price | None],
        offline: bool = False,
        refresh: bool = False,
        observe: Callable[[Trial, Completion], None] = lambda _trial, _completion: None,
    ) -> None:
        self._price_of = price_of
        self._refresh = refresh
        self._ended = ""
        self._early: list[list[Job]] = []  # submitted before `start`
        self._plans: dict[tuple[str, str], Plan] = {}
        self._begun = False
        self._held = False  # since a survey
        self._terms: tuple[Budget | None, float | None] | None = None  # of the first `start`, until they are told
        self._ledger = Ledger()
        ports = Ports(account_of=account_of, store_of=store_of, offline=offline, refresh=refresh)
        self._sources = Sources(ports)
        self._answering = Answering(
            self._sources, self._answered, price_of=price_of, judged=self._ledger.judged, observe=observe
        )
        self._background = Background(self._answering.run, ended=self._ledger.wake)

    def submit(
        self,
        plan: Plan,
        cases: Collection[str] | None,
        baseline: Baseline | None,
        *,
        once: Collection[str] = (),
        watch: Watch | None = None,
        held: bool = False,
    ) -> None:
        """Have `cases` of a plan (None: all of them) answered and scored; those submitted before are left as they are.

        Trials that `baseline` settles are done when this returns. The others wait for `start`, or go at once after it.

        Args:
            once: Ids of cases of which one sample is asked; a second `submit` that does not name them asks the others.
            watch: Is told every result. When it says that a failure is certain, no further call is started for the
                suite and slot: its open trials end as `Skipped`.
            held: Also after `start` they wait, for a `survey` and the next `start`.
        """
        self._plans[plan.suite.name, plan.slot] = plan
        if watch is not None:
            self._answering.curtailment.add(plan.suite.name, plan.slot, watch)
        price, labels = cache(partial(self._price_of, plan.pin)), labelled(plan.suite)
        wanted, few = None if cases is None else frozenset(cases), frozenset(once)
        open_jobs: list[Job] = []
        for index, case in enumerate(plan.suite.cases):
            if wanted is None or case.id in wanted:
                new = self._ledger.plan(_key(plan, case.id), 1 if case.id in few else plan.suite.samples)
                trials = [each for each in plan.of_case(index) if each.sample in new]
                jobs = (self._job(plan, price, trial, baseline, labels) for trial in trials)
                open_jobs += [job for job in jobs if not self._settled(job)]
        if not open_jobs:
            return
        self._early.append(open_jobs)
        if self._begun and not held:
            self.start()

    def stopped(self, suite: str, slot: str) -> Stopped | None:
        """Why nothing more is asked for a suite and slot that is watched; None if it goes on."""
        return self._answering.curtailment.of(suite, slot)

    def submit_retrial(self, plans: Sequence[Plan], name: str, baseline: Baseline | None = None) -> None:
        """Have every trial of `plans` answered in the round `name` of the store, the plans mixed together.

        They wait for `survey` and `release`, or go at the next `wait`.

        Args:
            plans: Arms of one retrial or control, of one suite; no case of theirs is submitted otherwise.
            name: Not "", and no round that counts.
            baseline: Whose answers comparing judges hold all arms against.
        """
        jobs: list[Job] = []
        for each in plans:
            price = cache(partial(self._price_of, each.pin))
            for case in each.suite.cases:
                self._ledger.plan(_key(each, case.id), each.suite.samples)
            jobs += [
                Job(
                    plan=each,
                    price=price,
                    trial=trial,
                    reuse=None,
                    production=production_of(baseline, trial.case, trial.sample),
                    round=name,
                )
                for trial in each.trials
            ]
        self._early.append([job for job in jobs if not self._settled(job)])

    def survey(
        self, *, tick: Callable[[Progress], None], interval: float = 0.1
    ) -> Mapping[tuple[str, str], Sequence[Trial]]:
        """Look up what was submitted in the store, ask nothing yet, and tell what is to be asked, by suite and slot.

        Trials stand in the order in which they will be asked. `start` lets the calls go.

        Args:
            tick: Called about every `interval` seconds while it waits.

        Raises:
            EngineError: The engine's thread died, or this process is a fork.
        """
        waiting: dict[tuple[str, str], list[Trial]] = {}
        routed = threading.Event()

        def take(jobs: Sequence[Job]) -> None:
            for job in jobs:
                waiting.setdefault((job.plan.suite.name, job.plan.slot), []).append(job.trial)
            routed.set()

        if self._early:
            self._background.start()
            self._background.call(self._answering.hold)
            self._held = True
            self._hand_over(take)
            while not routed.wait(interval):
                self._background.check()
                tick(self._ledger.progress())
        return waiting

    def start(self, *, budget: Budget | None = None, limit_s: float | None = None) -> None:
        """Let what was submitted begin. No thread, no account and no store is opened if the baseline settled it all.

        Args:
            budget: Of all calls that a `survey` held back; None: as much as they take.
            limit_s: Seconds after which none of them is started any more; None: as long as they take.

        Raises:
            EngineError: The engine's thread died, or this process is a fork.
        """
        if not self._begun:
            self._begun = True
            self._ledger.begin()
            self._terms = budget, limit_s
        if self._early:
            self._background.start()
        if self._background.alive and (self._held or self._terms is not None):
            self._let_go()
        if self._early:
            self._hand_over(lambda _jobs: None)

    def release(self) -> None:
        """Let the calls go that a `survey` in the middle of a run held back; what was granted at `start` holds."""
        if self._background.alive:
            self._let_go()

    def _let_go(self) -> None:
        """Let calls start, on the terms of the first `start`, which may have come before the thread."""
        self._background.call(self._answering.begin, *(self._terms or (None, None)))
        self._terms, self._held = None, False

    def _hand_over(self, routed: Callable[[Sequence[Job]], None]) -> None:
        self._background.call(self._answering.add, [job for jobs in self._early for job in jobs], routed)
        self._early.clear()

    def results(self, suite: str, slot: str, case: str) -> tuple[Result, ...] | None:
        """The results of one case in sample order, or None while one of them is missing; never blocks."""
        return self._ledger.get((suite, slot, case))

    def wait(
        self, suite: str, slot: str, cases: Collection[str], *, tick: Callable[[Progress], None], interval: float = 0.1
    ) -> tuple[Result, ...]:
        """Block until all of `cases` are done; their results, in the order of `cases` and samples. Starts if need be.

        Args:
            tick: Called about every `interval` seconds while it waits.

        Raises:
            ValueError: One of them was never submitted.
            EngineError: The engine's thread died, or this process is a fork.
        """
        self.start()
        keys = [(suite, slot, case) for case in cases]
        unknown = self._ledger.unplanned(keys)
        if unknown is not None:
            raise ValueError(f"{unknown} was never submitted, so waiting for it would never end")
        self._ledger.expect(keys)
        while not self._ledger.wait(interval):
            self._background.check()
            tick(self._ledger.progress())
        return tuple(result for key in keys for result in self._ledger.get(key) or ())

    def progress(self) -> Progress:
        """Where the run stands."""
        return self._ledger.progress()

    def faults(self) -> tuple[PromptGateError, ...]:
        """What concerned more than one trial, to be told once: stopped accounts, stores that cannot be written."""
        return (*self._answering.stops.errors(), *self._answering.faults)

    @property
    def ended(self) -> str:
        """Why nothing more is asked; "" while the run goes on."""
        return self._answering.ended or self._ended

    @property
    def ends(self) -> tuple[str, ...]:
        """Why answers were not asked for: the end of the run, and of single suites."""
        curtailment = self._answering.curtailment
        whole = (self.ended,) if self.progress().skipped > curtailment.skipped else ()
        return (*whole, *curtailment.reasons())

    def refreshed(self) -> tuple[Refreshed, ...]:
        """How far each suite that is asked anew is; empty without `refresh`."""
        return refreshed(self._plans.values(), self.results) if self._refresh else ()

    def transport(self, provider: str) -> str:
        """What carries the calls of `provider`; "" if it was not needed."""
        return self._sources.transport(provider)

    def notes(self, provider: str) -> tuple[str, ...]:
        """What the account of `provider` wants to have told once, such as "served model not verifiable"."""
        return self._sources.notes(provider)

    def complaints(self) -> tuple[str, ...]:
        """Lines of response stores that were skipped, as ``file:line: why; skipped``."""
        return self._sources.complaints()

    def grade(
        self, answers: Sequence[Answer], *, tick: Callable[[Progress], None], interval: float = 0.1
    ) -> Sequence[Mapping[str, Grade]]:
        """Score answers that are at hand, in the engine's loop; only judges are asked. In the order of `answers`.

        Raises:
            EngineError: The engine's thread died, or this process is a fork.
        """
        bench = self._answering.bench
        return graded(
            self._background, answers, bench=bench, tick=lambda: tick(self._ledger.progress()), interval=interval
        )

    def foreseen(self) -> Mapping[tuple[str, str, str], Votes]:
        """What the latest `survey` found that judges will be asked, by suite, slot and scorer."""
        return self._answering.survey.votes

    def judged(self, suite: str, slot: str) -> tuple[Judged, ...]:
        """What the judges of one suite and slot were asked for."""
        return self._answering.bench.used(suite, slot)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns, run in the engine's loop, in which targets run too; blocks, and raises what it raises.

        Raises:
            EngineError: The engine's thread died or has ended, or this process is a fork.
        """
        return self._background.run(work)

    def check(self) -> None:
        """Raise if results will never come.

        Raises:
            EngineError: The engine's thread died, or this process is a fork.
        """
        self._background.check()

    def pause(self) -> None:
        """Start no further call, as while somebody debugs; answers that are under way still come in."""
        if self._background.alive:
            self._background.call(self._answering.pause)

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._background.alive:
            self._background.call(self._answering.resume)

    def interrupt(self, grace_s: float, reason: str = "the run was interrupted") -> None:
        """Start nothing more; await answers under way for up to `grace_s` seconds, so that they are stored and scored.

        All other open trials end as `Skipped`. Does nothing if nothing is open or the engine cannot work any more.
        A second Ctrl-C ends the waiting at once, as `KeyboardInterrupt`.
        """
        self._ended = self._ended or reason
        for job in [job for jobs in self._early for job in jobs]:
            self._file(job, unanswered(job, Origin.NOWHERE, Skipped(reason=self._ended)))
        self._early.clear()
        if self._background.alive:
            self._background.call(self._answering.end, self._ended)
            if self._all_in(grace_s):
                return
            self._background.call(self._answering.cancel)
            self._all_in(_CANCEL_S)

    def close(self) -> None:
        """Interrupt without grace, close accounts and stores, end the thread; idempotent. `faults` tells the rest."""
        self.interrupt(0.0, "the run ended")
        if self._background.alive:
            for each in self.refreshed():
                if each.complete:
                    self._background.call(self._answering.complete_round, each.suite)
            self._background.call(self._answering.close)
            self._background.join(_CLOSE_S)

    def _all_in(self, within_s: float) -> bool:
        self._ledger.expect(self._ledger.open_keys())
        until = time.monotonic() + within_s
        all_in = self._ledger.wait(0.0)
        while not all_in and (left := until - time.monotonic()) > 0 and self._background.alive:
            all_in = self._ledger.wait(min(left, 0.1))
        return all_in

    def _job(
        self,
        plan: Plan,
        price: Callable[[], Price | None],
        trial: Trial,
        baseline: Baseline | None,
        labels: frozenset[str],
    ) -> Job:
        anew = self._refresh or not plan.suite.storable
        reuse = None if anew else reuse_of(trial, plan.suite.scorers, baseline, labels=labels)
        production = production_of(baseline, trial.case, trial.sample)
        return Job(plan=plan, price=price, trial=trial, reuse=reuse, production=production)

    def _settled(self, job: Job) -> bool:
        if job.reuse is not None and not job.reuse.changed:
            self._file(job, unchanged(job, job.reuse, job.reuse.grades))
        elif self._ended:
            self._file(job, unanswered(job, Origin.NOWHERE, Skipped(reason=self._ended)))
        else:
            return False
        return True

    def _answered(self, job: Job, result: Result) -> None:
        """What the engine's thread has a result for."""
        if self._file(job, result):
            self._answering.curtail()

    def _file(self, job: Job, result: Result) -> bool:
        """Keep a result; whether it made a failure certain."""
        return self._ledger.file(job.key, result) and self._answering.curtailment.see(job, result)


def _key(plan: Plan, case: str) -> Key:
    return plan.suite.name, plan.slot, case
