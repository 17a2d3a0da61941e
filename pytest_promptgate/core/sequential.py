"""Looking after every case: evidence that may be read at any time without crying wolf more often (GATE §7).

Cases are taken in an order that their ids decide: nobody chose it, and it knows nothing of the baseline's results.
An answer that arrives early waits for its turn, so the evidence is the same however fast the answers come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import sha256
from statistics import fmean
from typing import TYPE_CHECKING

from pytest_promptgate.core.aggregates import is_per_case
from pytest_promptgate.core.early import e_values
from pytest_promptgate.core.observables import OBSERVABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.types import MetricSpec, Suite

EPSILON = 1e-9  # floating-point dust; GATE §1
SHARE = 0.2  # of α for looking after every case; the rest is for the closing test


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """Where the evidence of a drop was strong enough."""

    cases: int  # looked at until then
    worse: int  # of them
    better: int
    alpha: float  # the chance that luck alone looks so bad at any point of a run

    def __str__(self) -> str:
        """``of the first 37 cases 12 were worse and 1 better: …``, for people."""
        runs = f"1 of {math.floor(1 / self.alpha + EPSILON):,} runs"
        looked = f"of the first {self.cases} cases {self.worse} were worse and {self.better} better"
        return f"{looked}: luck alone looks so bad at some point in fewer than {runs}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How one metric is looked at."""

    alpha: float
    margin: float = 0.0  # a mean drop up to here is no evidence; >= 0

    def after(self, pairs: Iterable[tuple[float, float]]) -> Iterator[Crossed | None]:
        """After each case: where the evidence sufficed, once it has; until then None. Reads one case at a time.

        Args:
            pairs: Old and new score per case, higher is better, in the order of `in_order`. One that is further than 1
                from 0 or from the other ends it: there is no bound then.
        """
        cases = worse = better = 0

        def read() -> Iterator[float]:
            nonlocal cases, worse, better
            for old, new in pairs:
                gain = new - old
                if max(abs(old), abs(new), abs(gain)) > 1:
                    return
                cases, worse, better = cases + 1, worse + (gain < -EPSILON), better + (gain > EPSILON)
                yield gain

        crossed: Crossed | None = None
        for evidence in e_values(read(), margin=self.margin):
            if crossed is None and evidence >= 1 / self.alpha:
                crossed = Crossed(cases=cases, worse=worse, better=better, alpha=self.alpha)
            yield crossed


def looks_of(spec: MetricSpec, suite: Suite, *, family: int) -> Looks | None:
    """How `spec` is looked at while answers come in; None if it is not.

    Args:
        family: Most hypotheses of the run; each gets the same part of the level.
    """
    gate, policy = suite.gates[spec.name], suite.policy
    if suite.rule != "significant" or policy.early_stop is None or suite.together:
        return None
    if not gate.gated or not is_per_case(spec.aggregate) or spec.source in OBSERVABLES:
        return None
    # A share of a score is at most itself: so the margin does not depend on the baseline's results.
    return Looks(alpha=SHARE * policy.alpha / max(1, family), margin=gate.tolerance.amount)


def crossed(looks: Looks, arms: Arms) -> Crossed | None:
    """Where a finished run has crossed, if it has."""
    old, new = (dict(zip(arms.cases, map(fmean, side), strict=True)) for side in (arms.before, arms.after))
    pairs = ((old[case], new[case]) for case in in_order(arms.cases))
    return next((found for found in looks.after(pairs) if found), None)


def in_order(cases: Iterable[str]) -> list[str]:
    """Case ids in the order in which they are looked at: that of their SHA-256."""
    return sorted(cases, key=lambda case: sha256(case.encode("utf-8", "surrogatepass")).digest())
