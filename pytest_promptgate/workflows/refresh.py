"""``--prompt-refresh``: whether all answers of a suite are in, so that they count from now on (DECISIONS 21)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Origin, Unscored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """How far the new round of one suite is."""

    suite: str
    path: str
    answered: int  # trials, of all slots
    planned: int  # of the whole suite, whatever was selected

    @property
    def complete(self) -> bool:
        """Nothing is missing."""
        return self.answered == self.planned

    def __str__(self) -> str:
        if self.complete:
            return f"{self.suite}: all {self.planned} answers were asked anew; from now on these count"
        return (
            f"{self.suite}: {self.answered} of {self.planned} answers were asked anew; the earlier ones count until "
            f"`pytest --prompt-refresh {self.path}` has asked for the rest"
        )


def refreshed(
    plans: Iterable[Plan], results: Callable[[str, str, str], tuple[Result, ...] | None]
) -> tuple[Refreshed, ...]:
    """How far each suite is.

    Args:
        plans: What was submitted, of each suite any number of slots.
        results: Of one case, by suite, slot and case id; None while one is missing.
    """
    by_suite: dict[str, list[Plan]] = {}
    for plan in plans:
        by_suite.setdefault(plan.suite.name, []).append(plan)
    return tuple(_refreshed(each, results) for each in by_suite.values())


def _refreshed(plans: list[Plan], results: Callable[[str, str, str], tuple[Result, ...] | None]) -> Refreshed:
    suite = plans[0].suite
    found = (results(suite.name, plan.slot, case.id) or () for plan in plans for case in suite.cases)
    return Refreshed(
        suite=suite.name,
        path=suite.path,
        answered=sum(_is_answered(result) for each in found for result in each),
        planned=len(suite.slots) * len(suite.cases) * suite.samples,
    )


def _is_answered(result: Result) -> bool:
    if result.completion is not None:
        return True
    # A request that the provider refuses is refused every time: it would keep the round open for ever.
    grades = result.observation.grades.values()
    return result.origin is Origin.ASKED and all(isinstance(grade, Unscored) for grade in grades)
