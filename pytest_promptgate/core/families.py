"""Several hypotheses in one run: p-values adjusted so that the whole run keeps its level."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(p: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """Adjusted p-values: rejecting those <= α errs anywhere in at most a share α of runs, whatever their dependence.

    Args:
        p: Raw p-values.
        weights: How much of the level each hypothesis gets, > 0; equal if not given.

    Source:
        Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scand. J. Statist. 6 (1979), with weights §4.
    """
    shares = [1.0] * len(p) if weights is None else list(weights)
    ranked = sorted(range(len(p)), key=lambda at: p[at] / shares[at])
    left, highest = sum(shares), 0.0
    adjusted = [0.0] * len(p)
    for at in ranked:
        highest = max(highest, min(1.0, p[at] / shares[at] * left))
        adjusted[at] = highest
        left -= shares[at]
    return adjusted


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p-values: of those <= α, a share of at most α is expected to be wrong. Shown, never gated upon.

    Source:
        Benjamini & Hochberg, J. R. Statist. Soc. B 57 (1995).
    """
    lowest = 1.0
    adjusted = [0.0] * len(p)
    for rank, at in sorted(enumerate(sorted(range(len(p)), key=lambda at: p[at]), start=1), reverse=True):
        lowest = min(lowest, p[at] * len(p) / rank)
        adjusted[at] = lowest
    return adjusted
