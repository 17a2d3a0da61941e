"""Can a judge be trusted? Agreement with people, and means corrected by people's labels (GATE §8)."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean, pvariance
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_promptgate.core.intervals import z_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

Weights: TypeAlias = Literal["linear", "quadratic"]
Level: TypeAlias = Literal["nominal", "ordinal", "interval"]


def cohen_kappa(
    a: Sequence[Hashable], b: Sequence[Hashable], categories: Sequence[Hashable], *, weights: Weights | None = None
) -> float:
    """Agreement of two raters beyond chance: 1 is perfect, 0 is chance.

    Args:
        a: One rater's category per item.
        b: The other's, in the same order.
        categories: All categories, in their order, which weights go by.
        weights: How disagreement grows with the distance in that order; None counts every disagreement alike.

    Returns:
        1 if both raters use one and the same category throughout.

    Source:
        Cohen, Educational and Psychological Measurement 20 (1960); weighted: Psychological Bulletin 70 (1968).
    """
    place = {category: at for at, category in enumerate(categories)}
    pairs = [(place[one], place[two]) for one, two in zip(a, b, strict=True)]
    power = {None: 0, "linear": 1, "quadratic": 2}[weights]
    seen = math.fsum(_distance(one, two, power) for one, two in pairs) / len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(two for _, two in pairs)
    chance = (
        math.fsum(
            _distance(one, two, power) * many * more for one, many in first.items() for two, more in second.items()
        )
        / len(pairs) ** 2
    )
    return 1 - seen / chance if chance else 1.0


def kappa_interval(
    a: Sequence[Hashable],
    b: Sequence[Hashable],
    categories: Sequence[Hashable],
    *,
    weights: Weights | None = None,
    conf: float = 0.95,
) -> tuple[float, float]:
    """Large-sample interval of `cohen_kappa`, of the same arguments: (low, high), clipped to -1 … 1.

    Both raters may err. It collapses to a point where they agree throughout: that many items cannot show how rare
    disagreement is.

    Source:
        Fleiss, Cohen & Everitt, Psychological Bulletin 72 (1969): large-sample standard errors under no hypothesis.
    """
    place = {category: at for at, category in enumerate(categories)}
    pairs = Counter((place[one], place[two]) for one, two in zip(a, b, strict=True))
    n, power = pairs.total(), {None: 0, "linear": 1, "quadratic": 2}[weights]
    most = _distance(0, max(1, len(categories) - 1), power)
    first, second = Counter[int](), Counter[int]()
    for (one, two), count in pairs.items():
        first[one] += count
        second[two] += count

    def weight(one: int, two: int) -> float:
        return 1 - _distance(one, two, power) / most

    seen = math.fsum(weight(*pair) * count for pair, count in pairs.items()) / n
    of_first = {one: math.fsum(weight(one, two) * count for two, count in second.items()) / n for one in first}
    of_second = {two: math.fsum(weight(one, two) * count for one, count in first.items()) / n for two in second}
    chance = math.fsum(of_first[one] * count for one, count in first.items()) / n
    if chance >= 1:
        return 1.0, 1.0  # one and the same category throughout
    spread = math.fsum(
        count * (weight(one, two) * (1 - chance) - (of_first[one] + of_second[two]) * (1 - seen)) ** 2
        for (one, two), count in pairs.items()
    )
    variance = (spread / n - (seen * chance - 2 * chance + seen) ** 2) / (n * (1 - chance) ** 4)
    kappa, half = (seen - chance) / (1 - chance), z_of((1 + conf) / 2) * math.sqrt(max(0.0, variance))
    return max(-1.0, kappa - half), min(1.0, kappa + half)


def _distance(one: int, two: int, power: int) -> float:
    return 0.0 if one == two else float(abs(one - two) ** power)


def krippendorff_alpha(ratings: Sequence[Sequence[float | None]], *, level: Level) -> float:
    """Agreement of any number of raters beyond chance.

    Args:
        ratings: One row per rater, one column per item; None where a rater did not rate it.
        level: How ratings differ: alike or not, by rank, or by size.

    Returns:
        1 if all ratings are the same.

    Raises:
        ValueError: No item has two ratings.

    Source:
        Krippendorff, Content Analysis (4th ed., 2019), ch. 12; Computing Krippendorff's Alpha-Reliability (2011).
    """
    items = [[value for value in column if value is not None] for column in zip(*ratings, strict=True)]
    items = [item for item in items if len(item) > 1]
    if not items:
        raise ValueError("agreement needs at least one item that two raters rated")
    totals = Counter(value for item in items for value in item)
    apart = _differences(totals, level)
    seen = math.fsum(_within(Counter(item), apart) / (len(item) - 1) for item in items)
    chance = _within(totals, apart) / (totals.total() - 1)
    return 1 - seen / chance if chance else 1.0


def _within(counts: Mapping[float, int], apart: Mapping[tuple[float, float], float]) -> float:
    return math.fsum(many * more * apart[one, two] for one, many in counts.items() for two, more in counts.items())


def _differences(totals: Mapping[float, int], level: Level) -> dict[tuple[float, float], float]:
    """Squared difference of each two values."""
    values = sorted(totals)
    ranks, below = {}, 0.0
    for value in values:
        ranks[value] = below + totals[value] / 2
        below += totals[value]
    position = {"nominal": dict.fromkeys(values, 0.0), "ordinal": ranks, "interval": {each: each for each in values}}
    if level == "nominal":
        return {(one, two): float(one != two) for one in values for two in values}
    return {(one, two): (position[level][one] - position[level][two]) ** 2 for one in values for two in values}


def ppi_mean(
    human: Sequence[float],
    judge_labelled: Sequence[float],
    judge_unlabelled: Sequence[float],
    *,
    lam: float | None = None,
    conf: float = 0.95,
) -> tuple[float, float, float]:
    """What people would have given on average, from a few of their labels and many of the judge's: (mean, low, high).

    Args:
        human: People's scores of the labelled items.
        judge_labelled: The judge's scores of the same items, in the same order.
        judge_unlabelled: The judge's scores of the items that nobody labelled.
        lam: How far the judge is used, 0 … 1; None takes the value that makes the interval shortest.

    Source:
        Angelopoulos, Duchi & Zrnic, PPI++, arXiv 2311.01453.
    """
    few, many = len(human), len(judge_unlabelled)
    if lam is None:
        lam = _best_lambda(human, judge_labelled, judge_unlabelled)
    corrections = [truth - lam * judged for truth, judged in zip(human, judge_labelled, strict=True)]
    mean = lam * fmean(judge_unlabelled) + fmean(corrections)
    spread = math.sqrt(lam**2 * pvariance(judge_unlabelled) / many + pvariance(corrections) / few)
    half = z_of((1 + conf) / 2) * spread
    return mean, mean - half, mean + half


def _best_lambda(human: Sequence[float], labelled: Sequence[float], unlabelled: Sequence[float]) -> float:
    mean_truth, mean_judged = fmean(human), fmean(labelled)
    together = fmean((y - mean_truth) * (f - mean_judged) for y, f in zip(human, labelled, strict=True))
    spread = (1 + len(human) / len(unlabelled)) * pvariance([*labelled, *unlabelled])
    return min(1.0, max(0.0, together / spread)) if spread else 0.0


def rogan_gladen(share: float, *, sensitivity: float, specificity: float) -> float:
    """The true share of passes behind a judge's share, clipped to 0 … 1.

    Raises:
        ValueError: The judge is no better than a coin: sensitivity + specificity <= 1.

    Source:
        Rogan & Gladen, American Journal of Epidemiology 107 (1978).
    """
    skill = sensitivity + specificity - 1
    if skill <= 0:
        raise ValueError("sensitivity + specificity must be more than 1, or the judge tells nothing")
    return min(1.0, max(0.0, (share + specificity - 1) / skill))
