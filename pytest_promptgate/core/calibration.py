"""How well a judge agrees with people, as the lockfile keeps it, and what its metrics may do for it (GATE §8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_promptgate.core.pairs import TRUSTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_promptgate.core.rubrics import Rubric

LEAST_LABELS = 20  # answers, below which nothing can be said
USUAL_LABELS = 100  # answers that are recommended
GATES = 0.6  # quadratically weighted kappa from which a judge may gate
SHOWS = 0.4  # and below which its metrics are shown only
ARM_TOLERANCE = 0.02  # how much kinder a judge may be to one arm than to the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """The labelled answers of a calibration, as far as a later look for drift needs them."""

    suite: str  # whose rows and answers the labels name
    labels: str  # path of the file, relative to the root directory, with "/"
    digest: str  # of rows, answers and labels: other ones cannot be compared
    people: tuple[float, ...]  # their mean scores, in the order of the labels
    verdicts: tuple[float | None, ...]  # the judge's scores, in the same order; None: it gave no verdict
    served: tuple[str, ...]  # models that answered, as the provider names them, sorted; empty if it does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One rubric held against people's labels. Scores are 0 … 1, intervals are (low, high) at 95 %."""

    rubric: str  # its digest: of another rubric this tells nothing
    labels: int  # answers with labels and a verdict
    unscored: int  # answers without a verdict
    agreement: float  # share of answers with the same verdict
    kappa: float  # Cohen's
    weighted_kappa: float  # quadratically
    bias: float  # mean of judge - people
    bias_interval: tuple[float, float]
    sensitivity: float | None  # share of the good answers that the judge calls good; None: there are none
    specificity: float | None  # share of the bad answers that the judge calls bad
    alpha: float | None = None  # Krippendorff's, ordinal, of the people alone; None: one rater
    position_consistency: float | None = None  # share of pairs on which both orders agree; None: nothing is compared
    self_consistency: float | None = None  # share of answers with one verdict in all repeats; None: asked once
    arm_bias: float | None = None  # bias on candidate's answers - on production's; None: not both arms are labelled
    arm_bias_interval: tuple[float, float] | None = None
    kappa_interval: tuple[float, float] | None = None  # None, as that of the weighted one: of an older version
    weighted_kappa_interval: tuple[float, float] | None = None
    golden: Golden | None = None  # None: of an older version


class Trust(StrEnum):
    """What the metrics of a judge may do."""

    GATES = "gates"
    WARNS = "warns"  # gates, and the run says that nobody should rely on it
    SHOWS = "shows"  # is shown only


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """How far a judge is trusted."""

    trust: Trust
    why: str = ""  # continues "the judge of evals/rubrics/tone.yaml …"; "" if it gates


def opinion(rubric: Rubric, known: Iterable[Mapping[str, Calibration]]) -> Opinion:
    """How far the judge of `rubric` is trusted.

    Args:
        rubric: As it is now.
        known: Calibrations by the rubric's path; of those that are of this very rubric the first counts.
    """
    calibrations = tuple(known)
    if not any(rubric.path in each for each in calibrations):
        return Opinion(trust=Trust.WARNS, why="was never held against people's labels")
    found = calibration_of(rubric, calibrations)
    if found is None:
        return Opinion(trust=Trust.WARNS, why="has changed since it was held against people's labels")
    return opinion_of(found)


def calibration_of(rubric: Rubric, known: Iterable[Mapping[str, Calibration]]) -> Calibration | None:
    """The first calibration that is of this very rubric; arguments as for `opinion`."""
    of_path = (each[rubric.path] for each in known if rubric.path in each)
    return next((each for each in of_path if each.rubric == rubric.digest), None)


def opinion_of(found: Calibration) -> Opinion:
    """How far the judge of a rubric that did not change since is trusted."""
    kappa = f"{found.weighted_kappa:.2f}"
    if found.weighted_kappa < SHOWS:
        return Opinion(trust=Trust.SHOWS, why=f"agrees too little with people: weighted kappa {kappa}, below {SHOWS}")
    if found.position_consistency is not None and found.position_consistency < TRUSTED:
        share = f"{found.position_consistency:.2f}"
        return Opinion(trust=Trust.SHOWS, why=f"goes by position: both orders agree on {share} of it, below {TRUSTED}")
    if found.weighted_kappa < GATES:
        return Opinion(trust=Trust.WARNS, why=f"agrees little with people: weighted kappa {kappa}, below {GATES}")
    if found.arm_bias_interval is not None and not within(found.arm_bias_interval):
        low, high = found.arm_bias_interval
        told = f"{low:+.3f} … {high:+.3f}, not within {ARM_TOLERANCE}"
        return Opinion(trust=Trust.WARNS, why=f"may be kinder to one prompt than to the other: {told}")
    return Opinion(trust=Trust.GATES)


def within(interval: tuple[float, float]) -> bool:
    """Whether a difference of the arms' biases is certain to be small."""
    return interval[0] >= -ARM_TOLERANCE and interval[1] <= ARM_TOLERANCE
