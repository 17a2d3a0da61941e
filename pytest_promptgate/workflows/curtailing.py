"""Which suites and slots are watched, in which order they are asked, and which are asked nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.certainty import Stopped
    from pytest_promptgate.core.types import Result
    from pytest_promptgate.workflows.jobs import Job
    from pytest_promptgate.workflows.watch import Watch


class Curtailment:
    """All watches of a run. Retrials have slots of their own, so they are never watched."""

    def __init__(self) -> None:
        self._watches: dict[tuple[str, str], Watch] = {}
        self.skipped = 0  # trials

    def add(self, suite: str, slot: str, watch: Watch) -> None:
        """Watch one suite and slot from now on."""
        self._watches[suite, slot] = watch

    def of(self, suite: str, slot: str) -> Stopped | None:
        """Why nothing more is asked for it; None if it goes on."""
        watch = self._watches.get((suite, slot))
        return None if watch is None else watch.stopped

    def stops(self, job: Job) -> Stopped | None:
        """Why `job` is not to be asked; None if it may be."""
        return self.of(job.plan.suite.name, job.plan.slot)

    def see(self, job: Job, result: Result) -> bool:
        """Take a result that was filed; whether it was the one that made a failure certain."""
        watch = self._watches.get((job.plan.suite.name, job.plan.slot))
        if watch is None or watch.stopped is not None:
            return False
        watch.see(result)
        return watch.stopped is not None

    def ordered(self, jobs: Sequence[Job]) -> list[Job]:
        """`jobs`, those of a watched suite in the order of its watch; others keep their places among each other."""
        ranks = {key: watch.ranks for key, watch in self._watches.items()} if jobs else {}
        if not ranks or jobs[0].round:
            return [*jobs]
        return sorted(jobs, key=lambda job: ranks.get((job.plan.suite.name, job.plan.slot), {}).get(job.key[2], 0.0))

    def reasons(self) -> tuple[str, ...]:
        """Per suite and slot that was stopped: ``triage: accuracy is certain to fail, after 41 of 100 cases``."""
        found = ((key, watch.stopped) for key, watch in self._watches.items())
        return tuple(f"{suite}: {stopped.why}" for (suite, _), stopped in found if stopped is not None)
