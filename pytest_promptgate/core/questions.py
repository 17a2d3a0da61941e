"""What the gate is asked about one metric, and what it answers: the values of `core.decision`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Outcome, Tolerance

if TYPE_CHECKING:
    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.non_inferiority import Bounds
    from pytest_promptgate.core.sequential import Crossed


class Why(StrEnum):
    """The reason of a decision, for machines; `findings` says it to people."""

    COVERAGE = "coverage"
    NOT_FINITE = "not_finite"
    EQUAL = "equal"
    HIGHER = "higher"
    LOWER = "lower"
    TOLERANCE = "tolerance"
    DETERMINISTIC_DROP = "deterministic_drop"
    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    SIGNIFICANT = "significant"
    BROKEN_CASE = "broken_case"
    MAX_DROP = "max_drop"
    SEQUENTIAL = "sequential"
    UNDERPOWERED = "underpowered"
    NOT_SIGNIFICANT = "not_significant"
    NO_MARGIN = "no_margin"
    TOO_FEW_CASES = "too_few_cases"
    NON_INFERIOR = "non_inferior"
    BELOW_MARGIN = "below_margin"
    MARGIN_NOT_EXCLUDED = "margin_not_excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How one metric is decided."""

    rule: str  # strict, confirm, significant, non_inferior
    tolerance: Tolerance = field(default_factory=Tolerance)
    alpha: float = 0.05  # of the whole run
    max_drop: float | None = 0.10  # under `significant`: a drop as large as this needs no proof; None: no such limit
    min_coverage: float = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One metric against one reference."""

    arms: Arms  # as stored and as run
    policy: Policy
    expected: int | None = None  # cases of the reference that the run should have; None: those of `arms`
    fresh: Arms | None = None  # under `confirm`: both prompts asked again; None: that was not possible
    crossed: Crossed | None = None  # under `significant`: looked at case by case, the evidence sufficed


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """The hypotheses of one question: p-values before any adjustment."""

    mean: float
    mean_min: float  # the smallest p that these answers could have given
    case: float | None  # of the broken-case test; None: too few samples for it
    broken: str | None  # id of the case that fell furthest, if any fell
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is decided of one question."""

    outcome: Outcome
    why: Why
    p: float | None = None  # of the test that decided; under `confirm` twice the smaller one (Holm of its two)
    adjusted: float | None = None  # the same within the run's family; rejected iff <= α
    tested: Tested | None = None
    bounds: Bounds | None = None  # under `non_inferior`
    crossed: Crossed | None = None

    @property
    def fails(self) -> bool:
        """Whether a gated metric with this decision makes the run red."""
        return self.outcome in (Outcome.REGRESSED, Outcome.INCONCLUSIVE)
