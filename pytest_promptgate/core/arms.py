"""Two arms of one metric on the cases they share: what every rule of the gate decides upon."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.core.broken_case import BrokenCase, broken_case
from pytest_promptgate.core.statistic_test import statistic_test
from pytest_promptgate.core.swap_test import Swap, swap_test

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_promptgate.core.swap_test import Alternative

JUST_MOVED = 1e-6  # what a move is worth that leaves the case's own score where it was

Side: TypeAlias = "tuple[tuple[float, ...], ...]"  # per case its samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A metric that is no mean over cases: it is computed of all trials of an arm at once."""

    before: tuple[tuple[Any, ...], ...]  # per case its samples: numbers, or (answered, expected) labels
    after: tuple[tuple[Any, ...], ...]
    of: Callable[[Sequence[Any]], float]  # turned like `Arms`: higher is better

    @property
    def levels(self) -> tuple[float, float]:
        """Its value before and after."""
        old, new = [s for each in self.before for s in each], [s for each in self.after for s in each]
        return self.of(old), self.of(new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """One metric on the cases that two arms share, turned so that higher is better."""

    cases: tuple[str, ...]  # ids; in any order, but each once
    before: Side  # at least one sample of every case
    after: Side
    clusters: tuple[str, ...] | None = None  # per case; None: every case is one
    together: bool = False  # the answers to a cluster's cases share their randomness
    statistic: Statistic | None = None  # None: the mean over cases of means
    scale: float = 1.0  # of that mean: a total over n trials is n times the mean

    @property
    def levels(self) -> tuple[float, float]:
        """The metric before and after."""
        if self.statistic is not None:
            return self.statistic.levels
        return self.scale * mean(self.before), self.scale * mean(self.after)

    @property
    def gain(self) -> float:
        """GATE's Δ: after minus before; less than 0 is worse."""
        old, new = self.levels
        return new - old

    @property
    def case_gains(self) -> list[float]:
        """GATE's d_i, in the order of `cases`."""
        return [
            math.fsum(new) / len(new) - math.fsum(old) / len(old)
            for old, new in zip(self.before, self.after, strict=True)
        ]

    @property
    def moves(self) -> list[float]:
        """How far each case moved, >= 0 and 0 only if nothing that the metric reads differs.

        A wrong label that gave way to another wrong one moves an F1, though the case is as wrong as before.
        """
        gains = [abs(gain) for gain in self.case_gains]
        if self.statistic is None:
            return gains
        sides = zip(self.statistic.before, self.statistic.after, strict=True)
        differ = [sorted(old) != sorted(new) for old, new in sides]
        return [max(gain, JUST_MOVED * other) for gain, other in zip(gains, differ, strict=False)]

    @property
    def samples(self) -> int:
        """The fewest samples that any case has on either side; 0 without cases."""
        return min((len(side) for side in (*self.before, *self.after)), default=0)

    @property
    def is_finite(self) -> bool:
        """Whether every score is a number."""
        return all(math.isfinite(each) for side in (*self.before, *self.after) for each in side)

    @property
    def is_deterministic(self) -> bool:
        """Whether repeated answers were shown to agree: at least two samples everywhere, and no case varies."""
        return self.samples >= 2 and all(len(set(side)) == 1 for side in (*self.before, *self.after))

    @property
    def is_binary_once(self) -> bool:
        """Whether every case passed or failed once on each side."""
        sides = (*self.before, *self.after)
        return self.statistic is None and all(len(side) == 1 and side[0] in (0, 1) for side in sides)

    def swap(self, alternative: Alternative = "worse") -> Swap:
        """The swap test of the metric itself; whole clusters are swapped if their answers share their randomness."""
        if self.together and self.clusters is not None:
            return self._swapped_whole(self.clusters, alternative)
        if self.statistic is None:
            return swap_test(self.before, self.after, alternative=alternative)
        found = self.statistic
        return statistic_test(found.before, found.after, found.of, alternative=alternative)

    def _swapped_whole(self, clusters: tuple[str, ...], alternative: Alternative) -> Swap:
        found = self.statistic
        if found is None:
            before, after = _evened(self.before, self.after)
            return swap_test(before, after, alternative=alternative, clusters=clusters)
        # Beyond the cases in question stand those that are the same in both arms: swapping them changes nothing.
        names = (*clusters, *range(len(found.before) - len(clusters)))
        before, after = _evened(found.before, found.after)
        return statistic_test(before, after, found.of, alternative=alternative, clusters=names)

    def broken(self) -> BrokenCase:
        """The broken-case test."""
        return broken_case(self.before, self.after)


def _evened(before: Sequence[tuple[Any, ...]], after: Sequence[tuple[Any, ...]]) -> tuple[Any, Any]:
    """The first samples of each case, equally many on both sides: whole clusters can be swapped only then."""
    counts = [min(len(old), len(new)) for old, new in zip(before, after, strict=True)]
    old, new = (tuple(side[:count] for side, count in zip(arm, counts, strict=True)) for arm in (before, after))
    return old, new


def mean(side: Side) -> float:
    """The mean over cases of the means over their samples."""
    return math.fsum(math.fsum(samples) / len(samples) for samples in side) / len(side)
