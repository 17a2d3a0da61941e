"""What a run will ask of judges, found out before its first call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.votes import Votes, votes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.types import BoundScorer, Completion, Grade, Request
    from pytest_promptgate.workflows.jobs import Job


class Survey:
    """Open from `begin` to `end`: answers whose verdicts are still to be asked for wait in it meanwhile.

    Args:
        is_stored: Whether the store holds the verdict on a job's answer, by request and vote.
    """

    def __init__(self, is_stored: Callable[[Job, BoundScorer, Request, int], bool]) -> None:
        self.votes: Mapping[tuple[str, str, str], Votes] = {}  # by suite, slot and scorer
        self._is_stored = is_stored
        self._found: dict[tuple[str, str, str], Votes] | None = None  # None: it is not open
        self._held: list[Job] = []

    def begin(self) -> None:
        """Count from nothing."""
        self.votes = self._found = {}

    def end(self) -> list[Job]:
        """Count no more; what was held."""
        held, self._held, self._found = self._held, [], None
        return held

    def holds(self, job: Job, completion: Completion | None) -> bool:
        """Count what judges will be asked about the answer of `job`; whether it has been kept back for that.

        Args:
            job: On its way.
            completion: Its answer; None if it is still to be asked: such a job is never kept back.
        """
        if self._found is None:
            return False
        kept, waits = _kept(job, completion), False
        for bound in job.plan.suite.scorers:
            votes = None if bound.name in kept else self._votes(job, bound, completion)
            if votes is not None:
                key = job.plan.suite.name, job.plan.slot, bound.name
                self._found[key] = self._found[key] + votes if key in self._found else votes
                waits = waits or votes.asked > 0
        if completion is not None and waits:
            self._held.append(job)
        return completion is not None and waits

    def _votes(self, job: Job, bound: BoundScorer, completion: Completion | None) -> Votes | None:
        def is_stored(request: Request, vote: int) -> bool:
            return self._is_stored(job, bound, request, vote)

        return votes_of(bound, job.trial.case, completion, job.production, is_stored=is_stored)


def _kept(job: Job, completion: Completion | None) -> Mapping[str, Grade]:
    """The grades that need no scoring."""
    if job.reuse is None or completion is None:
        return {}
    return job.reuse.grades if job.reuse.observation.output == output_digest(completion) else {}
