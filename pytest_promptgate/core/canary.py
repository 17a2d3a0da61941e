"""Live traffic: sample-ratio mismatch, and differences that may be looked at as often as wanted (GATE §9)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def srm_chi2(counts: Sequence[int], shares: Sequence[float]) -> tuple[float, float]:
    """Chi-square statistic and p of the hypothesis that units were split by `shares`; for one single look."""
    from scipy.special import chdtrc  # the chi-square tail

    total = sum(counts)
    statistic = math.fsum(
        (count - total * share) ** 2 / (total * share) for count, share in zip(counts, shares, strict=True)
    )
    return statistic, float(chdtrc(len(counts) - 1, statistic))


def ssrm_log_e(counts: Sequence[int], shares: Sequence[float], *, k: float = 100) -> float:
    """ln E of the same hypothesis, valid at every look: stop the experiment at ln E >= ln 1000.

    Args:
        k: How firmly the alternative sticks to `shares`; the sum of its Dirichlet parameters.

    Source:
        Lindon & Malek, Anytime-Valid Inference for Multinomial Count Data (NeurIPS 2022).
    """
    pairs = list(zip(counts, shares, strict=True))
    known = math.lgamma(k) - math.lgamma(k + sum(counts))
    gained = math.fsum(math.lgamma(k * share + count) - math.lgamma(k * share) for count, share in pairs)
    return known + gained - math.fsum(count * math.log(share) for count, share in pairs)


def tuned_rho(v: float, *, alpha: float = 0.05) -> float:
    """The mixture parameter that makes the bound tightest at the planned information `v` = 1 / variance."""
    log = math.log(1 / alpha)
    return v / (2 * log + math.log(1 + 2 * log))


def nm_two_sided(v: float, rho: float, *, alpha: float = 0.05) -> float:
    """Two-sided bound of a martingale at intrinsic time `v`; divided by `v` it is the half-width of a mean.

    Source:
        Robbins (1970); Howard, Ramdas, McAuliffe & Sekhon, Annals of Statistics 49 (2021), eq. 14.
    """
    return math.sqrt((v + rho) * math.log((v + rho) / (rho * alpha**2)))


def nm_one_sided(v: float, rho: float, *, alpha: float = 0.05) -> float:
    """One-sided bound of a martingale at intrinsic time `v`, a close upper bound in closed form.

    Source:
        As `nm_two_sided`, eq. 15.
    """
    return math.sqrt(2 * (v + rho) * math.log(math.sqrt((v + rho) / rho) / (2 * alpha) + 1))
