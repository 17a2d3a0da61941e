"""Lists without order: which item of one stands for which item of the other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

# JSON with one word for each distinct leaf, so that equality of words is the equality that was asked for.
Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
HOLE: Final = ""  # nothing stands here; no word is empty

_MOST_PAIRS = 10_000  # of items in two lists; beyond it what is left is paired by position


def aligned(wanted: Tree, given: Tree) -> Tree:
    """`given` with its lists put into the order of `wanted`: equal items first, then the most alike.

    An item of `wanted` without a partner has `HOLE` in its place; items that are too many follow at the end.
    """
    if isinstance(wanted, dict) and isinstance(given, dict):
        return {key: aligned(wanted[key], each) if key in wanted else each for key, each in given.items()}
    if isinstance(wanted, list) and isinstance(given, list):
        partner = _partners(wanted, given)
        placed = [aligned(each, given[partner[at]]) if at in partner else HOLE for at, each in enumerate(wanted)]
        taken = set(partner.values())
        return [*placed, *(each for at, each in enumerate(given) if at not in taken)]
    return given


def _partners(wanted: list[Tree], given: list[Tree]) -> dict[int, int]:
    """Index in `wanted` -> index in `given`."""
    places: dict[str, list[int]] = {}
    for at in reversed(range(len(given))):
        places.setdefault(_canonical(given[at]), []).append(at)
    partner: dict[int, int] = {}
    for at, each in enumerate(wanted):
        if same := places.get(_canonical(each)):
            partner[at] = same.pop()
    taken = set(partner.values())
    left = [at for at in range(len(wanted)) if at not in partner]
    right = [at for at in range(len(given)) if at not in taken]
    partner.update(_most_alike(wanted, given, left, right))
    return partner


def _most_alike(wanted: list[Tree], given: list[Tree], left: list[int], right: list[int]) -> dict[int, int]:
    """Pair what is left greedily by the number of common leaves, ties by position."""
    if len(left) * len(right) > _MOST_PAIRS:
        return dict(zip(left, right, strict=False))
    bags = {at: Counter(_leaves(given[at])) for at in right}
    ranked = sorted(
        (-(Counter(_leaves(wanted[here])) & bags[there]).total(), here, there) for here in left for there in right
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, here, there in ranked:
        if here not in partner and there not in taken:
            partner[here] = there
            taken.add(there)
    return partner


def _canonical(tree: Tree) -> str:
    """One text for all orders of the lists in it."""
    if isinstance(tree, dict):
        return "{" + ",".join(f"{key!r}:{_canonical(each)}" for key, each in sorted(tree.items())) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(sorted(map(_canonical, tree))) + "]"
    return tree


def _leaves(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every leaf with the keys that lead to it; positions in lists do not count."""
    if isinstance(tree, dict):
        for key, each in tree.items():
            yield from _leaves(each, (*path, key))
    elif isinstance(tree, list):
        for each in tree:
            yield from _leaves(each, (*path, "[]"))
    else:
        yield path, tree
