"""How many calls early stopping saves, and that it never changes a verdict: the shipped watch beside the shipped gate."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pytest_promptgate.core.types import GatePolicy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as for the tests, which share what follows

from gate_world import given
from stopping_worlds import Stop, in_two_orders, watched, world

from .populations import Change, answers, population

# What is watched: rule, samples, policy. `max_drop` is off, so that the tests are seen.
KINDS: Mapping[str, tuple[str, int, GatePolicy]] = {
    "strict": ("strict", 1, GatePolicy()),
    "significant": ("significant", 1, GatePolicy(max_drop=None)),
    "significant, 5 samples": ("significant", 5, GatePolicy(max_drop=None)),
    "significant, e": ("significant", 1, GatePolicy(max_drop=None, early_stop="e")),
}


def stopping_run(kind: str, n: int, change: Change, chance: np.random.Generator) -> Stop:
    """One run of `n` cases that stops as soon as its failure is certain, beside the same run in full."""
    rule, samples, policy = KINDS[kind]
    rates = population(n, chance)
    old, new = answers(rates, samples, chance), answers(change(rates, chance), samples, chance)
    full = given(*({f"c-{at:04}": list(case) for at, case in enumerate(side)} for side in (old, new)))
    return watched(replace(full, suite=replace(full.suite, rule=rule, policy=policy)))


def random_runs(count: int, seed: int) -> Iterator[Stop]:
    """As many runs of random suites, each in two orders."""
    chance = random.Random(seed)
    for _ in range(count // 2):
        yield from in_two_orders(world(chance), chance)
