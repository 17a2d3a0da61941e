"""How large a drop a gate can see, said beside its verdict (GATE §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.detectable import expected_se, in_words, mde, power_at
from pytest_promptgate.core.intervals import cluster_se
from pytest_promptgate.core.noise import Source, guessed_noise
from pytest_promptgate.core.power import chance, detectable_drop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.decision import Question
    from pytest_promptgate.core.gate import Standing
    from pytest_promptgate.core.noise import Noise

SMALL = 0.02  # a drop worth naming beside the detectable one


def what_it_sees(standing: Standing, question: Question, family: int, noise: Noise | None = None) -> str:
    """``a drop of about 4.4 points is caught in 4 of 5 runs, one of 2 points in about 1 of 3``; "" if nobody knows.

    Points are hundredths of a metric on 0 … 1. Under ``confirm`` the one-sample value is a lower bound: the retrial
    sees more (GATE §10).

    Args:
        standing: The metric on its pairs.
        question: What was decided of it.
        family: Gated metrics of the run, which share its level.
        noise: What ``--prompt-aa`` measured of it; None: it is guessed, unless this run's own repeats tell.
    """
    seen, policy = _by_test(standing, question, family, noise), question.policy
    most = policy.max_drop if policy.rule == "significant" else None
    if not seen or most is None or policy.tolerance.allowance(standing.before) >= most:
        return seen
    return f"{seen}; one that shows as {100 * most:g} points or more always fails (max_drop)"


def _by_test(standing: Standing, question: Question, family: int, noise: Noise | None) -> str:
    arms, policy = question.arms, question.policy
    if policy.rule == "strict" or not 0 <= min(standing.before, standing.after) <= 1:
        return ""
    alpha, n = policy.alpha / family, len(arms.cases)
    least = "at least " if policy.rule == "confirm" else ""
    if arms.together and arms.clusters is not None:
        return _together(arms, arms.clusters, alpha, least)
    se = None if arms.statistic is not None else expected_se(arms.before, arms.after)
    if se is not None:
        return _told(mde(se, alpha=alpha, n=n), power_at(SMALL, se, alpha=alpha, n=n), least)
    known = _noise(standing, arms, noise)
    if known is None:
        return ""
    if known.spread == 0 and policy.rule == "confirm":
        known_from = "none did in --prompt-aa" if known.source is Source.MEASURED else "--prompt-aa measures that"
        return f"any drop is seen, as long as no answer varies: {known_from}"
    found = detectable_drop(known, n, arms.samples, alpha=alpha)
    if found is None:
        return f"{n} cases with one sample each: no drop would be caught in 4 of 5 runs without asking again"
    line = _told(found, chance(known, SMALL, n, arms.samples, alpha=alpha), least)
    return f"{line} (measured flip rate: {100 * known.flip_rate:.1f} %)" if known.source is Source.MEASURED else line


def _together(arms: Arms, clusters: Sequence[str], alpha: float, least: str) -> str:
    """Cases that are answered together count as one; how far whole clusters spread, this run tells, or nobody."""
    n = len(set(clusters))
    se = cluster_se(arms.case_gains, clusters) if n >= 2 and arms.statistic is None else 0.0
    return _told(mde(se, alpha=alpha, n=n), power_at(SMALL, se, alpha=alpha, n=n), least) if se else ""


def _noise(standing: Standing, arms: Arms, noise: Noise | None) -> Noise | None:
    if noise is not None and arms.scale == 1:
        return noise
    return guessed_noise(standing.before) if arms.is_binary_once and arms.scale == 1 else None


def _told(drop: float, small: float, least: str) -> str:
    line = f"a drop of about {100 * drop:.1f} points is caught in {least}4 of 5 runs"
    chance = in_words(small)
    return line if drop <= SMALL else f"{line}, one of 2 points in {'about ' * chance[0].isdigit()}{chance}"
