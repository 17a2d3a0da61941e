"""Has a judge drifted? Its verdicts of today on a golden set beside those of its calibration (GATE §8)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from pytest_promptgate.core.swap_test import swap_test
from pytest_promptgate.core.types import Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.calibration import Golden
    from pytest_promptgate.core.types import Unscored

ALPHA = 0.01  # chance that a judge which did not drift is called drifted; half of it for each of the two tests


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What the comparison found. Means are over golden answers."""

    answers: int  # of the golden set
    flipped: int  # whose verdict has changed, or is no longer given
    before: float  # mean score, of the answers with a verdict then and now
    now: float
    p_shift: float  # that scores went up or down as far by chance; two-sided
    near_before: float  # mean of 1 - (judge - people)², 0 where there is no verdict
    near_now: float
    p_near: float  # that the judge came as much farther from people by chance
    moved: str = ""  # "answered by A, at its calibration by B"; "" if the provider names the same model

    @property
    def drifted(self) -> bool:
        """Whether another judge is at work than the one that was calibrated."""
        return bool(self.moved) or min(self.p_shift, self.p_near) <= ALPHA / 2

    @property
    def flips(self) -> str:
        """How many verdicts are not what they were, for people."""
        return f"{self.flipped} of {self.answers} golden verdicts changed"

    def __str__(self) -> str:
        verdict = "it HAS DRIFTED" if self.drifted else "no drift"
        parts = [
            self.flips,
            f"mean score {self.before:.3f} -> {self.now:.3f} (p {self.p_shift:.2g})",
            f"nearness to people {self.near_before:.3f} -> {self.near_now:.3f} (p {self.p_near:.2g})",
            *([self.moved] if self.moved else []),
        ]
        return f"{verdict} (at {ALPHA / 2:g} each): {', '.join(parts)}"


def drift_of(golden: Golden, now: Sequence[Score | Unscored], *, served: Sequence[str]) -> Drift:
    """Compare, answer by answer.

    Two exact sign-flip tests on the paired differences, each at half of `ALPHA`: whether scores moved in one direction
    (two-sided), and whether they moved away from people's (one-sided). A judge that only wavers, as judges do at any
    temperature, moves in no direction.

    Args:
        golden: What the calibration keeps.
        now: The judge's grades of today, in the order of its verdicts.
        served: Models that answered, as the provider names them, sorted.

    Source:
        Fisher, The Design of Experiments (1935), §21, for the test.
    """
    then = golden.verdicts
    scores = [each.value if isinstance(each, Score) else None for each in now]
    both = [(old, new) for old, new in zip(then, scores, strict=True) if old is not None and new is not None]
    before, after = [[old] for old, _ in both], [[new] for _, new in both]
    near_then, near_now = _near(then, golden.people), _near(scores, golden.people)
    up = swap_test(before, after, alternative="better").p if both else 1.0
    down = swap_test(before, after, alternative="worse").p if both else 1.0
    return Drift(
        answers=len(then),
        flipped=sum(old != new for old, new in zip(then, scores, strict=True)),
        before=fmean(old for old, _ in both) if both else 0.0,
        now=fmean(new for _, new in both) if both else 0.0,
        p_shift=min(1.0, 2 * min(up, down)),
        near_before=fmean(near_then),
        near_now=fmean(near_now),
        p_near=swap_test([[each] for each in near_then], [[each] for each in near_now], alternative="worse").p,
        moved=_moved(golden.served, served),
    )


def _near(scores: Sequence[float | None], people: Sequence[float]) -> list[float]:
    return [0.0 if mine is None else 1 - (mine - truth) ** 2 for mine, truth in zip(scores, people, strict=True)]


def _moved(before: Sequence[str], now: Sequence[str]) -> str:
    """A provider that does not say, then or now, tells nothing."""
    if not before or not now or tuple(before) == tuple(now):
        return ""
    return f"answered by {', '.join(now)}, at its calibration by {', '.join(before)}"
