"""A retry of a CI job that finds none of its answers is marked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_world import observations, results

from pytest_promptgate.core.redrawn import attempt_of, redrawn_notes
from pytest_promptgate.core.types import Origin

ASKED = results(observations({"a": [1.0], "b": [0.0]}))


@pytest.mark.parametrize(
    ("surroundings", "attempt"),
    [
        ({}, 1),
        ({"CI": "true"}, 1),
        ({"GITHUB_RUN_ATTEMPT": "1"}, 1),
        ({"GITHUB_RUN_ATTEMPT": "3"}, 3),
        ({"GITHUB_RUN_ATTEMPT": "many"}, 1),
        ({"SYSTEM_JOBATTEMPT": "2"}, 2),
        ({"BUILDKITE_RETRY_COUNT": "0"}, 1),
        ({"BUILDKITE_RETRY_COUNT": "1"}, 2),
    ],
)
def test_the_attempt_is_what_the_ci_system_tells(surroundings: dict[str, str], attempt: int) -> None:
    assert attempt_of(surroundings) == attempt


def test_a_retry_that_asked_everything_anew_is_marked() -> None:
    assert [*redrawn_notes(ASKED, 2)] == [
        "redrawn: attempt 2 of this CI job asked 2 answers anew and found none in the store, so luck may have been "
        "drawn again; keep the store (.promptgate/) when a job fails, and restore it in the next attempt"
    ]


def test_a_first_attempt_and_one_that_found_stored_answers_are_not() -> None:
    stored = [replace(ASKED[0], origin=Origin.STORED), ASKED[1]]
    unchanged = [replace(each, origin=Origin.UNCHANGED) for each in ASKED]

    assert not [*redrawn_notes(ASKED, 1)]
    assert not [*redrawn_notes(stored, 2)]
    assert not [*redrawn_notes(unchanged, 2)]
