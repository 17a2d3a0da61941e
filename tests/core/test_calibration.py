"""How far a judge is trusted, and what that does to a suite's gates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from calibration_values import CALIBRATION
from rubric_values import rubric

from pytest_promptgate.core.calibration import Opinion, Trust, opinion, opinion_of

RUBRIC = rubric()
OWN = replace(CALIBRATION, rubric=RUBRIC.digest)


@pytest.mark.parametrize(
    ("changes", "trust", "why"),
    [
        ({"weighted_kappa": 0.6}, Trust.GATES, ""),
        (
            {"weighted_kappa": 0.59},
            Trust.WARNS,
            "agrees little with people: weighted kappa 0.59, below 0.6",
        ),
        ({"weighted_kappa": 0.4}, Trust.WARNS, "agrees little with people: weighted kappa 0.40, below 0.6"),
        (
            {"weighted_kappa": 0.39},
            Trust.SHOWS,
            "agrees too little with people: weighted kappa 0.39, below 0.4",
        ),
        ({"position_consistency": 0.8}, Trust.GATES, ""),
        (
            {"position_consistency": 0.79},
            Trust.SHOWS,
            "goes by position: both orders agree on 0.79 of it, below 0.8",
        ),
        ({"arm_bias": 0.0, "arm_bias_interval": (-0.02, 0.02)}, Trust.GATES, ""),
        (
            {"arm_bias": 0.05, "arm_bias_interval": (-0.01, 0.11)},
            Trust.WARNS,
            "may be kinder to one prompt than to the other: -0.010 … +0.110, not within 0.02",
        ),
    ],
)
def test_a_judge_is_trusted_as_far_as_it_agrees(changes: dict[str, Any], trust: Trust, why: str) -> None:
    assert opinion_of(replace(CALIBRATION, **changes)) == Opinion(trust=trust, why=why)


def test_a_rubric_without_calibration_or_with_that_of_an_older_one_warns() -> None:
    old = {RUBRIC.path: replace(OWN, rubric="older")}

    assert opinion(RUBRIC, [{}, {"other.yaml": OWN}]).why == "was never held against people's labels"
    assert opinion(RUBRIC, [old]) == Opinion(
        trust=Trust.WARNS, why="has changed since it was held against people's labels"
    )


def test_the_first_calibration_of_this_very_rubric_counts() -> None:
    old, good = {RUBRIC.path: replace(OWN, rubric="older")}, {RUBRIC.path: OWN}
    bad = {RUBRIC.path: replace(OWN, weighted_kappa=0.1)}

    assert opinion(RUBRIC, [old, good]).trust is Trust.GATES
    assert opinion(RUBRIC, [bad, good]).trust is Trust.SHOWS  # the ref's counts, not the work tree's
