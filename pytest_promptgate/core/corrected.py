"""What people would have given on average: a judge's mean, corrected by the labels of its calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.agreement import ppi_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.calibration import Golden

LEAST_CASES = 2  # with a score of the judge, below which nothing is estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A human-corrected mean with its interval at 95 %, clipped to 0 … 1."""

    mean: float
    low: float
    high: float
    labels: int  # answers with a label and a verdict
    cases: int  # that the judge alone has seen

    def __str__(self) -> str:
        return (
            f"human-corrected estimate {self.mean:.3f} (95 %: {self.low:.3f} … {self.high:.3f}), from {self.labels} "
            f"labelled answers and {self.cases} judged cases; holds if both come from one population"
        )


def corrected(golden: Golden, scores: Sequence[float]) -> Corrected | None:
    """The mean that people would have given to the cases of a run.

    It is unbiased whatever the judge is worth, as long as labelled answers and judged cases are independent draws from
    one population; a poor judge makes the interval no wider than the labels alone would (asymptotically).

    Args:
        golden: Of the judge's calibration.
        scores: The judge's, 0 … 1, one per case of the run.

    Returns:
        None if there are fewer than `LEAST_CASES`.

    Source:
        Angelopoulos, Bates, Fannjiang, Jordan & Zrnic, Prediction-powered inference, Science 382 (2023); with the
        weight of PPI++ (arXiv 2311.01453), see `core.agreement.ppi_mean`.
    """
    if len(scores) < LEAST_CASES:
        return None
    pairs = [(truth, mine) for truth, mine in zip(golden.people, golden.verdicts, strict=True) if mine is not None]
    mean, low, high = ppi_mean([truth for truth, _ in pairs], [mine for _, mine in pairs], scores)
    return Corrected(mean=_clipped(mean), low=_clipped(low), high=_clipped(high), labels=len(pairs), cases=len(scores))


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))
