"""The order in which the arms of a retrial or a control are asked: neither has the provider's better minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_promptgate.workflows.jobs import Job


def mixed(jobs: Iterable[Job]) -> list[Job]:
    """`jobs` in random order, the arms of one trial side by side and in random order too; drawn by digests.

    A minute in which the provider is slow or weak falls on every arm alike, whatever comes before and after it.
    """
    return sorted(jobs, key=lambda job: (_trial(job), digest((job.round, job.trial.digest, job.trial.ordinal))))


def _trial(job: Job) -> str:
    return digest((job.round, job.trial.case.id, job.trial.sample))
