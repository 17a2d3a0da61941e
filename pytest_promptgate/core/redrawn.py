"""Luck that was drawn twice: a retry of a CI job that finds none of its first attempt's answers (DECISIONS 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.types import Result

# What CI systems call the number of an attempt, and what the first one's is. Others do not tell.
COUNTERS = (("GITHUB_RUN_ATTEMPT", 1), ("SYSTEM_JOBATTEMPT", 1), ("BUILDKITE_RETRY_COUNT", 0))


def attempt_of(surroundings: Mapping[str, str]) -> int:
    """Which attempt of its CI job this is, from 1; 1 also where nobody tells (GitLab, CircleCI, Jenkins)."""
    for name, first in COUNTERS:
        told = surroundings.get(name, "")
        if told.isascii() and told.isdigit():
            return max(1, int(told) - first + 1)
    return 1


def redrawn_notes(results: Sequence[Result], attempt: int) -> Iterator[str]:
    """A note if this attempt asked, and took nothing from the store.

    Whether the first attempt got as far as asking cannot be known here: the note says what is known.
    """
    asked = sum(each.origin is Origin.ASKED for each in results)
    if attempt > 1 and asked and not any(each.origin is Origin.STORED for each in results):
        yield (
            f"redrawn: attempt {attempt} of this CI job asked {asked} answers anew and found none in the store, so "
            "luck may have been drawn again; keep the store (.promptgate/) when a job fails, and restore it in the "
            "next attempt"
        )
