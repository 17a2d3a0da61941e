"""Answers held against production's: what production itself scores, and what the two orders of asking tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.intervals import wilson
from pytest_promptgate.core.ports import Judge
from pytest_promptgate.core.types import Completion, Score, Unscored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_promptgate.core.types import Baseline, Case, CaseRecord, Observation, Suite

PAR = Score(value=0.5)  # an answer against itself
CANDIDATE, PRODUCTION, TIE = "candidate", "production", "tie"  # labels of a score: what each order said
ENOUGH = 10  # answers asked in both orders, from which on their agreement tells something
TRUSTED = 0.8  # share of answers on which the orders agree, below which a judge is not to be trusted (GATE §8)


def comparers(suite: Suite) -> frozenset[str]:
    """The scorers of `suite` that hold answers against production's."""
    return frozenset(each.name for each in suite.scorers if isinstance(each.scorer, Judge) and each.scorer.compares)


def production_of(baseline: Baseline | None, case: Case, sample: int) -> Completion | Unscored | None:
    """The baseline's answer to a case: of the same sample, else the first one's.

    Returns:
        None if the baseline does not know the row as it is now; `Unscored` if its answer is not at hand.
    """
    record = baseline.cases.get(case.id) if baseline is not None else None
    if baseline is None or record is None or record.row != case.digest:
        return None
    found = baseline.outputs.get((case.id, sample)) or baseline.outputs.get((case.id, 1))
    return found or Unscored(reason="production's answer is not at hand to be compared with")


def at_par(cases: Mapping[str, CaseRecord], names: Collection[str]) -> dict[str, CaseRecord]:
    """The same lines, in which the scorers of `names` find every answer as good as itself."""
    if not names:
        return dict(cases)
    par = dict.fromkeys(names, PAR)
    return {
        case: replace(
            record,
            observations=tuple(
                replace(each, grades={**each.grades, **{name: par[name] for name in par if name in each.grades}})
                for each in record.observations
            ),
        )
        for case, record in cases.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What one comparing scorer found."""

    won: int = 0  # both orders prefer the candidate
    tied: int = 0  # both call it a tie, or they disagree
    lost: int = 0
    asked: int = 0  # answers that differ from production's, so that both orders were asked
    agreed: int = 0  # of them: both orders said the same
    first: int = 0  # of the others: both orders preferred the answer that stood first
    second: int = 0

    @property
    def positional(self) -> str:
        """Why nobody should go by this judge; "" if it does not go by position, or too little was asked to say."""
        if self.asked < ENOUGH or self.agreed >= TRUSTED * self.asked:
            return ""
        return (
            f"its judge goes by position: both orders agree on {self.agreed} of {self.asked} answers, below {TRUSTED}"
        )

    @property
    def rate(self) -> float:
        """Win rate, a tie counting as a half; there is at least one."""
        return (self.won + self.tied / 2) / (self.won + self.tied + self.lost)

    @property
    def interval(self) -> tuple[float, float]:
        """Of the win rate, at 95 %: Wilson's, with ties as halves, which makes it rather too wide than too narrow."""
        return wilson(self.won + self.tied / 2, self.won + self.tied + self.lost)


def pairs_of(observations: Iterable[Observation], name: str) -> Pairs | None:
    """What the scorer `name` found; None if it scored nothing."""
    scores = [each for seen in observations if isinstance(each := seen.grades.get(name), Score)]
    if not scores:
        return None
    values = Counter(each.value for each in scores)
    said = [each.labels for each in scores if each.labels is not None]
    both = Counter(said)
    return Pairs(
        won=values[1.0],
        tied=len(scores) - values[1.0] - values[0.0],
        lost=values[0.0],
        asked=len(said),
        agreed=sum(one == other for one, other in said),
        first=both[CANDIDATE, PRODUCTION],
        second=both[PRODUCTION, CANDIDATE],
    )


def positional(suite: Suite, observations: Sequence[Observation]) -> dict[str, str]:
    """The scorers of `suite` whose judge goes by position in this very run, and why that is said (GATE §8)."""
    found = {name: pairs_of(observations, name) for name in comparers(suite)}
    return {name: pairs.positional for name, pairs in found.items() if pairs is not None and pairs.positional}
