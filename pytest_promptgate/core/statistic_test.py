"""The swap test for metrics that are no means: F1, percentiles, any plugin's aggregate (GATE §3, last rows).

The same swaps as in `swap_test`, and the metric computed anew after each. Cases that look alike on both sides are
swapped together: an F1 over a hundred changed cases has few kinds of change, so all its swaps can be counted.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Generic, TypeVar

from pytest_promptgate.core.resampling import DRAWS, octets, orders, seed_of
from pytest_promptgate.core.swap_test import Alternative, Swap

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

MOST_UNITS = 16  # changed cases of one sample that are swapped in all ways, whatever that costs
MOST_SWAPS = 10_000  # different outcomes that are all worked out otherwise: no dearer than drawing

S = TypeVar("S")  # a sample: a number, or an (answered, expected) pair of labels


def statistic_test(
    before: Sequence[Sequence[S]],
    after: Sequence[Sequence[S]],
    statistic: Callable[[Sequence[S]], float],
    *,
    alternative: Alternative = "worse",
    clusters: Sequence[Hashable] | None = None,
) -> Swap:
    """Test that a statistic over all trials is not worse (or not better) than before.

    Args:
        before: The samples of each case: numbers, texts, or tuples of them.
        after: Those of the same cases in the same order.
        statistic: Of all samples of one side; higher is better; it must not depend on their order.
        clusters: As in `swap_test.swap_test`.

    Returns:
        Exact with at most `MOST_UNITS` swaps or `MOST_SWAPS` different outcomes, else from seeded draws.
    """
    if alternative == "better":
        before, after = after, before
    world = _World.of(before, after, statistic, clusters)
    if world.is_small:
        return Swap(p=_all_swaps(world), p_min=world.p_min, exact=True)
    return Swap(p=_drawn(world), p_min=world.p_min, exact=False)


@dataclass(frozen=True, slots=True)
class _Unit(Generic[S]):
    """What is swapped as one: two sides as a whole, or one case's pooled samples dealt out anew."""

    old: tuple[S, ...]
    new: tuple[S, ...]
    whole: bool

    def outcomes(self, copies: int) -> int:
        """Different results of swapping that many copies of this unit."""
        return copies + 1 if self.whole else math.comb(len(self.old + self.new), len(self.new)) ** copies

    def dealt(self, chosen: Sequence[int]) -> tuple[list[S], list[S]]:
        """The two sides if the samples at `chosen` are the new ones."""
        pool, taken = self.old + self.new, set(chosen)
        return [pool[at] for at in range(len(pool)) if at not in taken], [pool[at] for at in chosen]


@dataclass(frozen=True, slots=True)
class _World(Generic[S]):
    fixed: tuple[list[S], list[S]]  # samples that no swap can change
    units: list[tuple[_Unit[S], int]]  # with the number of cases that look alike
    statistic: Callable[[Sequence[S]], float]
    mark: float
    seed: bytes

    @classmethod
    def of(
        cls,
        before: Sequence[Sequence[S]],
        after: Sequence[Sequence[S]],
        statistic: Callable[[Sequence[S]], float],
        clusters: Sequence[Hashable] | None,
    ) -> _World[S]:
        sides = _joined(before, after, clusters)
        fixed: tuple[list[S], list[S]] = ([], [])
        alike: Counter[_Unit[S]] = Counter()
        for old, new in sides:
            if len(set(old + new)) == 1 or (clusters is not None and old == new):
                fixed[0].extend(old)
                fixed[1].extend(new)
                continue
            whole = clusters is not None or len(old) == len(new) == 1
            turned = whole and repr(new) < repr(old)
            alike[_Unit(*((new, old) if turned else (old, new)), whole)] += 1
        units = sorted(alike.items(), key=lambda each: repr(each[0]))
        mark = statistic([s for _, new in sides for s in new]) - statistic([s for old, _ in sides for s in old])
        seed = seed_of([sorted(map(repr, fixed[0])), [(repr(unit), copies) for unit, copies in units]])
        return cls(fixed, units, statistic, mark, seed)

    @property
    def is_small(self) -> bool:
        if not self.pools and sum(self.copies) <= MOST_UNITS:
            return True
        return math.prod(unit.outcomes(copies) for unit, copies in self.units) <= MOST_SWAPS

    @property
    def p_min(self) -> float:
        return math.prod(0.5**copies if unit.whole else 1 / unit.outcomes(copies) for unit, copies in self.units)

    def is_as_bad(self, dealt: Iterator[tuple[Sequence[S], Sequence[S]]]) -> bool:
        old, new = list(self.fixed[0]), list(self.fixed[1])
        for more_old, more_new in dealt:
            old.extend(more_old)
            new.extend(more_new)
        return self.statistic(new) - self.statistic(old) <= self.mark + 1e-9

    def parted(self, swapped: Sequence[int]) -> Iterator[tuple[Sequence[S], Sequence[S]]]:
        """The whole units, with so many copies of each the other way round."""
        wholes = [(unit, copies) for unit, copies in self.units if unit.whole]
        for (unit, copies), turned in zip(wholes, swapped, strict=True):
            stay = copies - turned
            yield unit.old * stay + unit.new * turned, unit.new * stay + unit.old * turned

    @property
    def copies(self) -> list[int]:
        return [copies for unit, copies in self.units if unit.whole]

    @property
    def pools(self) -> list[_Unit[S]]:
        return [unit for unit, copies in self.units if not unit.whole for _ in range(copies)]


def _joined(
    before: Sequence[Sequence[S]], after: Sequence[Sequence[S]], clusters: Sequence[Hashable] | None
) -> list[tuple[tuple[S, ...], tuple[S, ...]]]:
    """The two sides of each case, or of each cluster."""
    pairs = [(tuple(old), tuple(new)) for old, new in zip(before, after, strict=True)]
    if clusters is None:
        return pairs
    joined: dict[Hashable, tuple[tuple[S, ...], tuple[S, ...]]] = {}
    for (old, new), cluster in zip(pairs, clusters, strict=True):
        known = joined.get(cluster, ((), ()))
        joined[cluster] = (known[0] + old, known[1] + new)
    return list(joined.values())


def _all_swaps(world: _World[S]) -> float:
    as_bad = every = 0
    pools = world.pools
    deals = [list(combinations(range(len(unit.old + unit.new)), len(unit.new))) for unit in pools]
    for swapped in product(*(range(count + 1) for count in world.copies)):
        ways = math.prod(math.comb(count, turned) for count, turned in zip(world.copies, swapped, strict=True))
        for chosen in product(*deals):
            dealt = [unit.dealt(each) for unit, each in zip(pools, chosen, strict=True)]
            every += ways
            as_bad += ways * world.is_as_bad(iter([*world.parted(swapped), *dealt]))
    return as_bad / every


def _drawn(world: _World[S]) -> float:
    coins = [_heads(world.seed, f"coins{at}", count) for at, count in enumerate(world.copies)]
    swaps = list(zip(*coins, strict=True)) if coins else [()] * DRAWS
    pools = world.pools
    deals = [orders(world.seed, at, len(unit.old + unit.new), DRAWS) for at, unit in enumerate(pools)]
    known: Counter[tuple[int, ...]] = Counter()
    if not pools:
        known.update(swaps)
        return (1 + sum(times * world.is_as_bad(world.parted(each)) for each, times in known.items())) / (1 + DRAWS)
    as_bad = 0
    for swapped, *dealt_orders in zip(swaps, *deals, strict=True):
        dealt = [unit.dealt(order[: len(unit.new)]) for unit, order in zip(pools, dealt_orders, strict=True)]
        as_bad += world.is_as_bad(iter([*world.parted(swapped), *dealt]))
    return (1 + as_bad) / (1 + DRAWS)


def _heads(seed: bytes, stream: str, coins: int) -> list[int]:
    """How many of `coins` fair coins show heads, `DRAWS` times."""
    size = (coins + 7) // 8
    raw, mask = octets(seed, stream, size * DRAWS), (1 << coins) - 1
    return [(int.from_bytes(raw[at : at + size], "little") & mask).bit_count() for at in range(0, len(raw), size)]
