from __future__ import annotations

import random
from statistics import fmean

import pytest

from pytest_promptgate.core.calibration import Golden
from pytest_promptgate.core.corrected import corrected

PEOPLE = (1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0)
JUDGE = (1.0, 0.5, 1.0, 1.0, 0.5, 0.0, 1.0, 0.0, 0.5, 0.5)
RUN = (1.0, 1.0, 0.5, 1.0, 0.0, 0.5, 1.0, 0.5, 1.0, 1.0, 0.5, 0.0, 1.0, 0.5, 1.0)


def golden(people: tuple[float, ...], judge: tuple[float | None, ...]) -> Golden:
    return Golden(suite="triage", labels="labels.csv", digest="d", people=people, verdicts=judge, served=())


def test_the_numbers_are_those_of_numpy() -> None:
    # lambda = cov(y, f) / ((1 + n / N) var(f)), with all f's for the variance; from numpy and scipy.stats.norm
    found = corrected(golden(PEOPLE, JUDGE), RUN)

    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx(
        (0.5669642857142857, 0.32711652504227623, 0.8068120463862951), abs=1e-12
    )
    assert str(found) == (
        "human-corrected estimate 0.567 (95 %: 0.327 … 0.807), from 10 labelled answers and 15 judged cases; "
        "holds if both come from one population"
    )


def test_an_answer_without_a_verdict_corrects_nothing() -> None:
    assert corrected(golden((*PEOPLE, 1.0), (*JUDGE, None)), RUN) == corrected(golden(PEOPLE, JUDGE), RUN)


def test_a_judge_that_tells_nothing_leaves_the_labels_alone() -> None:
    found = corrected(golden((1.0, 0.0) * 10, (0.5,) * 20), [0.5] * 60)

    assert found is not None
    assert found.mean == 0.5


def test_the_interval_stays_between_the_worst_and_the_best_score() -> None:
    found = corrected(golden((1.0,) * 19 + (0.0,), (1.0,) * 20), [1.0] * 60)

    assert found is not None
    assert (found.mean, found.high) == (0.95, 1.0)


def test_of_a_single_case_nothing_is_estimated() -> None:
    assert corrected(golden(PEOPLE, JUDGE), [1.0]) is None


def test_a_judge_that_is_too_kind_is_corrected_and_the_interval_covers_the_truth() -> None:
    chance = random.Random(5)

    def drawn(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """People find 60 % good; the judge calls a third of the bad ones good, too."""
        people = tuple(float(chance.random() < 0.6) for _ in range(count))
        return people, tuple(max(each, float(chance.random() < 1 / 3)) for each in people)

    runs = [corrected(golden(*drawn(100)), drawn(300)[1]) for _ in range(400)]

    found = [each for each in runs if each is not None]
    assert fmean(each.mean for each in found) == pytest.approx(0.6, abs=0.01)
    assert 0.92 <= fmean(each.low <= 0.6 <= each.high for each in found) <= 0.97
