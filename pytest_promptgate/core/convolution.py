"""The distribution of a sum of independent whole numbers, and how much of it lies at or below a mark."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_SUPPORT = 200_000  # distinct sums
MOST_STEPS = 20_000_000  # multiplications; about 0.7 s
NEGLIGIBLE = 1e-19  # probability of a sum at the rim that is dropped
LEAST = 1e-15  # what is reported where only dropped sums lie

Outcomes: TypeAlias = "Mapping[int, int]"  # value -> ways; at least two values


def lower_tail(parts: Sequence[Outcomes], mark: int) -> float | None:
    """P(sum of `parts` <= mark), to about 12 digits; None if the sum has too many values to be worked out.

    Args:
        parts: One distribution per summand; each value weighs by its number of ways.
    """
    if not parts:
        return float(mark >= 0)
    lows = sum(min(part) for part in parts)
    groups = Counter(_from_zero(part) for part in parts)
    step = math.gcd(*(value for group in groups for value, _ in group))
    span = sum(group[-1][0] * count for group, count in groups.items()) // step + 1
    reached = (mark - lows) // step
    if span <= MOST_SUPPORT and _effort(groups, step) <= MOST_STEPS:
        return _dense_tail(groups, step, reached)
    if math.prod(len(group) ** count for group, count in groups.items()) <= MOST_SUPPORT:
        return _sparse_tail(groups, mark - lows)
    return None


_Group: TypeAlias = tuple[tuple[int, int], ...]  # (value, ways), from 0 upwards


def _from_zero(part: Outcomes) -> _Group:
    low = min(part)
    return tuple(sorted((value - low, ways) for value, ways in part.items()))


@dataclass(frozen=True, slots=True)
class _Dense:
    """Probabilities of `start`, `start` + 1, …"""

    start: int
    chances: list[float]

    def trimmed(self) -> _Dense:
        chances = self.chances
        if len(chances) < 64:
            return self
        first = next(at for at, chance in enumerate(chances) if chance > NEGLIGIBLE)
        last = next(at for at in range(len(chances), 0, -1) if chances[at - 1] > NEGLIGIBLE)
        return _Dense(self.start + first, chances[first:last])

    def plus(self, other: _Dense, stride: int) -> _Dense:
        """The distribution of this sum plus `stride` times the other."""
        if stride == 1 and len(other.chances) > len(self.chances):
            return other.plus(self, 1)
        length = len(self.chances)
        out = [0.0] * (length + (len(other.chances) - 1) * stride)
        for at, weight in enumerate(other.chances):
            if weight:
                start = at * stride
                window = out[start : start + length]
                out[start : start + length] = [x + weight * y for x, y in zip(window, self.chances, strict=True)]
        return _Dense(self.start + other.start * stride, out).trimmed()


def _dense_tail(groups: Mapping[_Group, int], step: int, reached: int) -> float:
    close: list[_Dense] = []
    apart: list[tuple[_Dense, int]] = []
    for group, count in sorted(groups.items()):
        stride = math.gcd(*(value for value, _ in group)) // step
        power = _power(_dense(group, stride * step), count)
        close.extend([power] * (stride == 1))
        apart.extend([(power, stride)] * (stride > 1))
    total = _sum_of(close)
    for power, stride in apart:
        total = total.plus(power, stride)
    kept = total.chances[: max(0, reached - total.start + 1)]
    return min(1.0, max(math.fsum(kept), LEAST))


def _sum_of(summands: Sequence[_Dense]) -> _Dense:
    """Narrow ones first, two by two: far fewer steps than one after the other."""
    queue = sorted(summands, key=lambda each: len(each.chances))
    while len(queue) > 1:
        pairs = zip(queue[::2], queue[1::2], strict=False)
        queue = [one.plus(two, 1) for one, two in pairs] + queue[len(queue) // 2 * 2 :]
    return queue[0] if queue else _Dense(0, [1.0])


def _dense(group: _Group, stride: int) -> _Dense:
    ways = dict(group)
    every = sum(ways.values())
    return _Dense(0, [ways.get(value, 0) / every for value in range(0, group[-1][0] + 1, stride)])


def _power(one: _Dense, count: int) -> _Dense:
    """The sum of `count` independent copies, by squaring."""
    total = _Dense(0, [1.0])
    while count:
        if count & 1:
            total = total.plus(one, 1)
        count >>= 1
        if count:
            one = one.plus(one, 1)
    return total


def _effort(groups: Mapping[_Group, int], step: int) -> float:
    """Roughly how many multiplications the dense way needs: summands times the width of what is not negligible."""
    spread = sum(count * _variance(group) for group, count in groups.items()) / step**2
    apart = [group for group in groups if math.gcd(*(value for value, _ in group)) > step]
    close = len(groups) - len(apart)
    summands = sum(len(group) - 1 + 18 * math.sqrt(groups[group]) for group in apart)
    return 160 * spread * math.log2(close + 1) + 18 * math.sqrt(spread) * summands


def _variance(group: _Group) -> float:
    every = sum(ways for _, ways in group)
    mean = sum(value * ways for value, ways in group) / every
    return sum(ways * (value - mean) ** 2 for value, ways in group) / every


def _sparse_tail(groups: Mapping[_Group, int], mark: int) -> float:
    ways = {0: 1}
    for group, count in sorted(groups.items()):
        for _ in range(count):
            longer: Counter[int] = Counter()
            for total, known in ways.items():
                for value, more in group:
                    longer[total + value] += known * more
            ways = longer
    return sum(known for total, known in ways.items() if total <= mark) / sum(ways.values())
