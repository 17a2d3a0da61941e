"""How far a run is: counted where results are filed, read as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_promptgate.core.types import Errored, Judged, Origin, Result, Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A snapshot. Counts are trials, but for `judged`; tokens and cost are those of all calls of this run."""

    planned: int = 0
    done: int = 0
    asked: int = 0  # calls that ended, with an answer or without
    stored: int = 0
    unchanged: int = 0
    errored: int = 0  # with at least one `Errored` grade
    skipped: int = 0
    judged: int = 0  # verdicts asked of judges; their tokens count as `tokens_judged`
    tokens_judged: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0  # None: the cost of at least one answer is not known
    elapsed_s: float = 0.0  # since the engine started
    left_s: float | None = None  # at the rate of the calls so far; None before the first one ended

    @property
    def open(self) -> int:
        """Trials without a result yet."""
        return self.planned - self.done


def with_plan(progress: Progress, trials: int) -> Progress:
    """`progress` with so many more trials to do."""
    return replace(progress, planned=progress.planned + trials)


def with_result(progress: Progress, result: Result) -> Progress:
    """`progress` after one more trial."""
    seen = result.observation
    grades = seen.grades.values()
    asked = result.origin is Origin.ASKED
    answered = asked and result.completion is not None
    return replace(
        progress,
        done=progress.done + 1,
        asked=progress.asked + asked,
        stored=progress.stored + (result.origin is Origin.STORED),
        unchanged=progress.unchanged + (result.origin is Origin.UNCHANGED),
        errored=progress.errored + any(isinstance(grade, Errored) for grade in grades),
        skipped=progress.skipped + any(isinstance(grade, Skipped) and not grade.left_out for grade in grades),
        tokens_in=progress.tokens_in + (seen.tokens_in or 0) * answered,
        tokens_out=progress.tokens_out + (seen.tokens_out or 0) * answered,
        cost_usd=_sum(progress.cost_usd, seen.cost_usd) if answered else progress.cost_usd,
    )


def with_judged(progress: Progress, judged: Judged) -> Progress:
    """`progress` after calls to a judge."""
    return replace(
        progress,
        judged=progress.judged + judged.asked,
        tokens_judged=progress.tokens_judged + judged.tokens,
        cost_usd=_sum(progress.cost_usd, judged.cost_usd),
    )


def timed(progress: Progress, elapsed_s: float) -> Progress:
    """`progress` with the time it took so far and an estimate of the time left."""
    rate = progress.asked / elapsed_s if elapsed_s > 0 else 0.0
    return replace(progress, elapsed_s=elapsed_s, left_s=progress.open / rate if rate else None)


def _sum(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left + right
