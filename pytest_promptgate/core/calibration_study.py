"""A judge's verdicts beside people's labels: every number that tells whether they agree."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from statistics import fmean, median_low
from typing import TYPE_CHECKING

from pytest_promptgate.core.agreement import cohen_kappa, kappa_interval, krippendorff_alpha
from pytest_promptgate.core.calibration import LEAST_LABELS, Calibration
from pytest_promptgate.core.intervals import cluster_se, z_of
from pytest_promptgate.core.pairs import CANDIDATE, PRODUCTION, TIE
from pytest_promptgate.core.rubrics import Range
from pytest_promptgate.core.types import Score, Unscored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.rubrics import Rubric
    from pytest_promptgate.core.types import Grade

GOOD = 0.5  # a score from which on an answer counts as good, for sensitivity and specificity
MOST_SHOWN = 10  # disagreements
DECIMALS = 6  # of what is kept: another machine may add in another order
ARMS = (PRODUCTION, CANDIDATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One verdict of a scale; choices of equal score are one level."""

    name: str
    score: float  # 0 … 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """One labelled answer."""

    name: str  # for people: the case's id
    answer: str  # untrusted
    labels: Mapping[str, float]  # by rater, "" for the only one: scores 0 … 1; at least one
    grades: tuple[Grade, ...] = ()  # the judge's, one per repeat; the first one counts
    arm: str = ""  # one of `ARMS`, or "" if nobody says

    @property
    def people(self) -> float:
        """What people think of it on average."""
        return fmean(self.labels.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """An answer that judge and people see differently."""

    name: str
    people: float
    judge: float
    reason: str  # the judge's; untrusted
    answer: str  # untrusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Everything that is told of a calibration."""

    calibration: Calibration
    levels: tuple[Level, ...]  # worst first
    confusion: tuple[tuple[int, ...], ...]  # people's level, judge's level -> answers
    disagreements: tuple[Disagreement, ...]  # worst first
    unscored: tuple[tuple[str, str], ...]  # answer's name, reason; untrusted
    raters: int
    alpha_with_judge: float | None  # Krippendorff's, ordinal, with the judge as one more rater


def levels_of(rubric: Rubric) -> tuple[Level, ...]:
    """The verdicts of a rubric, worst first; of a comparison whose answer is better."""
    if rubric.pairwise:
        return tuple(Level(name=name, score=score) for name, score in ((PRODUCTION, 0.0), (TIE, 0.5), (CANDIDATE, 1.0)))
    scale = rubric.scale
    if isinstance(scale, Range):
        return tuple(Level(name=name, score=scale.score(name)) for name in scale.menu)
    by_score: dict[float, list[str]] = {}
    for each in scale.choices:
        by_score.setdefault(each.score, []).append(each.name)
    return tuple(Level(name=" / ".join(names), score=score) for score, names in sorted(by_score.items()))


def nearest(levels: Sequence[Level], score: float) -> int:
    """The level of a score, as its index; the worse one if it stands in the middle between two."""
    return min(range(len(levels)), key=lambda at: (round(abs(levels[at].score - score), 9), at))


def too_few(count: int, *, what: str) -> str:
    """Why nothing can be said, or ""."""
    if count >= LEAST_LABELS:
        return ""
    return f"{count} {what} are too few to say whether a judge agrees with people: at least {LEAST_LABELS} are needed"


def one_class(rubric: Rubric, rated: Sequence[Rated]) -> str:
    """Why agreement cannot be told from chance, or "": all labels say the same."""
    levels = levels_of(rubric)
    seen = {_of_people(each, levels) for each in rated}
    if len(seen) != 1:
        return ""
    return (
        f"all {len(rated)} labels say {levels[seen.pop()].name!r}: with one class only, agreement cannot be told "
        "from chance"
    )


def study(rubric: Rubric, rated: Sequence[Rated], *, good: float = GOOD) -> Study:
    """Hold the judge's verdicts against people's labels.

    Args:
        rubric: That the judge judged by.
        rated: Each with as many grades as it was asked for, at least one; `Score` or `Unscored`.
        good: The score from which on an answer counts as good.

    Raises:
        ValueError: `too_few` scored answers, or `one_class` among them.
    """
    scored = [(each, found) for each in rated if isinstance(found := each.grades[0], Score)]
    items = [each for each, _ in scored]
    if problem := too_few(len(items), what="labelled answers with a verdict") or one_class(rubric, items):
        raise ValueError(problem)
    levels = levels_of(rubric)
    judge = [found.value for _, found in scored]
    pairs = [(_of_people(each, levels), nearest(levels, found.value)) for each, found in scored]
    counts = Counter(pairs)
    size = range(len(levels))
    return Study(
        calibration=_calibration(rubric, rated, items, judge, pairs, size, good),
        levels=levels,
        confusion=tuple(tuple(counts[one, two] for two in size) for one in size),
        disagreements=_worst(scored),
        unscored=tuple((each.name, found.reason) for each in rated if isinstance(found := each.grades[0], Unscored)),
        raters=len({rater for each in rated for rater in each.labels}),
        alpha_with_judge=_alpha(items, judge),
    )


def _of_people(rated: Rated, levels: Sequence[Level]) -> int:
    return median_low(nearest(levels, score) for score in rated.labels.values())


def _calibration(
    rubric: Rubric,
    rated: Sequence[Rated],
    items: Sequence[Rated],
    judge: Sequence[float],
    pairs: Sequence[tuple[int, int]],
    size: range,
    good: float,
) -> Calibration:
    people, machine = [one for one, _ in pairs], [two for _, two in pairs]
    d = [mine - each.people for mine, each in zip(judge, items, strict=True)]
    passes = [(each.people >= good, mine >= good) for mine, each in zip(judge, items, strict=True)]
    arm = _arm_bias(items, d)
    bias, interval = _mean(d)
    return Calibration(
        rubric=rubric.digest,
        labels=len(items),
        unscored=len(rated) - len(items),
        agreement=kept(fmean(one == two for one, two in pairs)),
        kappa=kept(cohen_kappa(people, machine, size)),
        weighted_kappa=kept(cohen_kappa(people, machine, size, weights="quadratic")),
        bias=bias,
        bias_interval=interval,
        sensitivity=_share([said for truth, said in passes if truth]),
        specificity=_share([not said for truth, said in passes if not truth]),
        alpha=_alpha(items),
        position_consistency=_positions(items) if rubric.pairwise else None,
        self_consistency=_repeats(items, levels_of(rubric)),
        arm_bias=arm[0] if arm else None,
        arm_bias_interval=arm[1] if arm else None,
        kappa_interval=_both(kappa_interval(people, machine, size)),
        weighted_kappa_interval=_both(kappa_interval(people, machine, size, weights="quadratic")),
    )


def kept(value: float) -> float:
    """`value` as the lockfile keeps it."""
    return round(value, DECIMALS) + 0.0  # and no -0.0


def _both(interval: tuple[float, float]) -> tuple[float, float]:
    return kept(interval[0]), kept(interval[1])


def _share(flags: Sequence[bool]) -> float | None:
    return kept(fmean(flags)) if flags else None


def _mean(d: Sequence[float]) -> tuple[float, tuple[float, float]]:
    mean, half = fmean(d), z_of(0.975) * cluster_se(d)
    return kept(mean), (kept(mean - half), kept(mean + half))


def _arm_bias(items: Sequence[Rated], d: Sequence[float]) -> tuple[float, tuple[float, float]] | None:
    """How much kinder the judge is to the candidate's answers, with its interval; None without labels of both arms."""
    old, new = ([each for item, each in zip(items, d, strict=True) if item.arm == arm] for arm in ARMS)
    if len(old) < 2 or len(new) < 2:
        return None
    gap = fmean(new) - fmean(old)
    half = z_of(0.975) * math.hypot(cluster_se(old), cluster_se(new))
    return kept(gap), (kept(gap - half), kept(gap + half))


def _alpha(items: Sequence[Rated], judge: Sequence[float] | None = None) -> float | None:
    """Krippendorff's alpha of the people, and of the judge if it is given; None if nothing was rated twice."""
    raters = sorted({rater for each in items for rater in each.labels})
    if len(raters) < 2:
        return None
    ratings: list[list[float | None]] = [[each.labels.get(rater) for each in items] for rater in raters]
    if not any(len(each.labels) > 1 for each in items):
        return None
    return kept(krippendorff_alpha([*ratings, [*judge]] if judge else ratings, level="ordinal"))


def _positions(items: Sequence[Rated]) -> float | None:
    said = [found.labels for each in items if isinstance(found := each.grades[0], Score) and found.labels]
    return _share([one == other for one, other in said])


def _repeats(items: Sequence[Rated], levels: Sequence[Level]) -> float | None:
    """An answer that one repeat gave no verdict on is not judged alike."""
    if len(items[0].grades) < 2:
        return None
    seen = [
        {nearest(levels, each.value) if isinstance(each, Score) else None for each in item.grades} for item in items
    ]
    return _share([len(each) == 1 for each in seen])


def _worst(scored: Sequence[tuple[Rated, Score]]) -> tuple[Disagreement, ...]:
    found = [
        Disagreement(name=each.name, people=each.people, judge=grade.value, reason=grade.reason, answer=each.answer)
        for each, grade in scored
        if abs(grade.value - each.people) > 1e-9
    ]
    return tuple(sorted(found, key=lambda each: -round(abs(each.judge - each.people), 9))[:MOST_SHOWN])
