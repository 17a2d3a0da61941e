"""Seeded chance: the same data draw the same numbers on every machine and in every version of Python.

The numbers are SHAKE-256 of the seed, so nothing depends on the random module, on word size or on byte order.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from hashlib import shake_256
from itertools import accumulate, combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DRAWS = 9_999  # p is at least 1 / 10 000
MOST_SPLITS = 20_000  # of one case that are listed one by one; 8 + 8 samples have 12 870


def seed_of(data: object) -> bytes:
    """A seed from plain JSON-like data (numbers, texts, lists, tuples)."""
    return json.dumps(data, separators=(",", ":")).encode()


def words(seed: bytes, stream: object, count: int) -> list[int]:
    """`count` independent numbers of 32 bits; each `stream` of a seed is another sequence."""
    raw = shake_256(seed + f"/{stream}".encode()).digest(4 * count)
    return [
        a | b << 8 | c << 16 | d << 24 for a, b, c, d in zip(raw[::4], raw[1::4], raw[2::4], raw[3::4], strict=True)
    ]


def octets(seed: bytes, stream: object, count: int) -> bytes:
    """`count` independent numbers of 8 bits."""
    return shake_256(seed + f"/{stream}".encode()).digest(count)


def drawn_share(parts: Sequence[Mapping[int, int] | Pool], mark: int, seed: bytes, *, draws: int = DRAWS) -> float:
    """(1 + draws whose sum is <= mark) / (1 + draws).

    Args:
        parts: One summand each: values with their number of ways, or a pool to choose from.
    """
    totals = [0] * draws
    coins = [tuple(part) for part in parts if not isinstance(part, Pool) and _is_coin(part)]
    for at in range(0, len(coins), 8):
        table = _sums_of_coins(coins[at : at + 8])
        totals = [t + table[byte] for t, byte in zip(totals, octets(seed, f"coins{at}", draws), strict=True)]
    for at, part in enumerate(parts):
        if isinstance(part, Pool):
            totals = [t + value for t, value in zip(totals, part.drawn(seed, at, draws), strict=True)]
        elif not _is_coin(part):
            drawn = _drawn_of(part, words(seed, at, draws))
            totals = [t + value for t, value in zip(totals, drawn, strict=True)]
    return (1 + sum(total <= mark for total in totals)) / (1 + draws)


class Pool:
    """One case's samples with too many splits for a table; a split's value is `scale` * sum(chosen) + `shift`."""

    __slots__ = ("scale", "shift", "taken", "values")

    def __init__(self, values: Sequence[int], taken: int, *, scale: int, shift: int) -> None:
        self.values = tuple(sorted(values))
        self.taken = taken
        self.scale = scale
        self.shift = shift

    @property
    def splits(self) -> int:
        """How many splits there are."""
        return math.comb(len(self.values), self.taken)

    def listed(self) -> list[int]:
        """The value of every split."""
        return [self.scale * total + self.shift for total in map(sum, combinations(self.values, self.taken))]

    def drawn(self, seed: bytes, stream: object, draws: int) -> list[int]:
        """The values of `draws` random splits."""
        if self.splits <= MOST_SPLITS:
            every, sides = self.listed(), self.splits
            return [every[word * sides >> 32] for word in words(seed, stream, draws)]
        chosen = orders(seed, stream, len(self.values), draws)
        return [self.scale * sum(self.values[at] for at in order[: self.taken]) + self.shift for order in chosen]


def orders(seed: bytes, stream: object, size: int, draws: int) -> Iterator[list[int]]:
    """`draws` random orders of the numbers 0 … size - 1."""
    keys = words(seed, stream, size * draws)
    for start in range(0, len(keys), size):
        yield sorted(range(size), key=keys[start : start + size].__getitem__)


def _drawn_of(part: Mapping[int, int], numbers: Sequence[int]) -> list[int]:
    values = sorted(part)
    upto = list(accumulate(part[value] for value in values))
    return [values[bisect_right(upto, number * upto[-1] >> 32)] for number in numbers]


def _is_coin(part: Mapping[int, int]) -> bool:
    return len(part) == 2 and len(set(part.values())) == 1


def _sums_of_coins(coins: Sequence[tuple[int, ...]]) -> list[int]:
    """The sum for each byte: its bit k shows the side of coin k; bits without a coin do not matter."""
    table = [0]
    for low, high in coins:
        table = [total + low for total in table] + [total + high for total in table]
    return table * (256 // len(table))
