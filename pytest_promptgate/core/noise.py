"""How much one metric varies when nothing has changed, and where that is known from (GATE §7)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from statistics import variance
from typing import TYPE_CHECKING

from pytest_promptgate.core.detectable import guessed_flip_rate
from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.observables import grade
from pytest_promptgate.core.types import Score

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import CaseRecord, MetricSpec

GRID = 1e-9  # scores that differ by less are the same: floating-point dust
ASSUMED_LEVEL = 0.8  # of a metric of which nothing is known at all


class Source(StrEnum):
    """Where a flip rate is known from."""

    GIVEN = "given"  # --flip-rate
    MEASURED = "measured"  # --prompt-aa
    STORED = "stored"  # repeated answers in the baseline
    GUESSED = "guessed"  # from the baseline's level
    ASSUMED = "assumed"  # from nothing
    STEADY = "steady"  # the model answers alike every time


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How much one metric varies.

    The standard error of the difference of two runs of n cases with K answers each is spread / √(n·K). For a score
    of 0 or 1, `spread` is the root of `flip_rate`.
    """

    flip_rate: float  # 0 … 1: the chance that two answers to a case score differently, mean over cases
    spread: float  # >= 0, in the metric's unit
    binary: bool  # a mean of scores that are all 0 or 1
    source: Source
    level: float | None = None  # of the metric when this was measured; None: not known
    about: str = ""  # what was measured, for people: "triage@v3, 100 cases"

    def error(self, n: int, samples: int) -> float:
        """The standard error of the difference of two runs of `n` cases with so many answers each."""
        return self.spread / math.sqrt(n * samples)


def noise_key(plan: Plan, spec: MetricSpec) -> str:
    """What a measured noise belongs to: model, parameters, metric and scorer. A prompt's wording changes it little."""
    scorers = {bound.name: bound.fingerprint for bound in plan.suite.scorers}
    pin, parameters = plan.pin, plan.trials[0].request.parameters
    part = spec.part.name if spec.part else ""
    return digest((pin.provider, pin.name, parameters, spec.expression, part, scorers.get(spec.source)))


def given_noise(rate: float, *, level: float | None = None, binary: bool = True) -> Noise:
    """The noise of scores of 0 or 1 with this flip rate; the most that other scores of 0 to 1 may vary with it."""
    return Noise(flip_rate=rate, spread=math.sqrt(rate), binary=binary, source=Source.GIVEN, level=level)


def steady_noise(level: float | None) -> Noise:
    """The noise of a model that answers alike every time."""
    return Noise(flip_rate=0.0, spread=0.0, binary=True, source=Source.STEADY, level=level)


def guessed_noise(level: float | None, *, binary: bool = True) -> Noise:
    """The most that scores of 0 to 1 may vary at this level; at `ASSUMED_LEVEL` if that is not known either."""
    rate = guessed_flip_rate(ASSUMED_LEVEL if level is None else level)
    source = Source.ASSUMED if level is None else Source.GUESSED
    return Noise(flip_rate=rate, spread=math.sqrt(rate), binary=binary, source=source, level=level)


def stored_noise(spec: MetricSpec, cases: Mapping[str, CaseRecord], *, level: float | None) -> Noise | None:
    """What the repeated answers of a baseline tell; None if it holds one of each case, or the metric is no mean.

    Args:
        cases: By id; cases with fewer than two scored samples are left out.
        level: Of the metric.
    """
    found = [arms.before for each in cases.values() if (arms := alone(spec, [each])) is not None]
    repeated = [side[0] for side in found if len(side[0]) > 1]
    if not repeated:
        return None
    return Noise(
        flip_rate=mean_flips(repeated),
        spread=math.sqrt(2 * math.fsum(map(variance, repeated)) / len(repeated)),
        binary=is_binary(repeated),
        source=Source.STORED,
        level=level,
        about=f"{len(repeated)} cases",
    )


def alone(spec: MetricSpec, cases: Sequence[CaseRecord]) -> Arms | None:
    """The scored samples of one side, as both arms; None if there are none, or the metric is no mean over cases."""
    scored = [(each.id, tuple(o for o in each.observations if isinstance(grade(spec, o), Score))) for each in cases]
    sides = [Sides(case=case, before=seen, after=seen) for case, seen in scored if seen]
    arms = arms_of(spec, sides) if sides else None
    return None if arms is None or arms.statistic is not None else arms


def is_binary(samples: Sequence[Sequence[float]]) -> bool:
    """Whether every score is 0 or 1, or 0 or -1 where less is better."""
    return all(abs(each) in (0, 1) for side in samples for each in side)


def mean_flips(samples: Sequence[Sequence[Hashable]]) -> float:
    """The chance that two answers to a case differ: over all pairs of a case's answers, then over cases.

    Args:
        samples: Per case its answers' scores (or labels); at least two each.
    """
    return math.fsum(map(flips, samples)) / len(samples)


def flips(samples: Sequence[Hashable]) -> float:
    """The share of the pairs of answers that differ."""
    values = [round(each / GRID) if isinstance(each, int | float) else each for each in samples]
    pairs = [one != other for one, other in combinations(values, 2)]
    return sum(pairs) / len(pairs)
