"""What case items say of their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Score, Skipped
from pytest_promptgate.reports.text import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pytest

    from pytest_promptgate.core.types import Result

FAILING_SHOWN = 50  # texts of failing cases that a folded suite shows


def not_asked(results: Sequence[Result]) -> str:
    """Why nobody asked for (one of) these answers: the run ended before, as when its budget is spent."""
    missing = (each for each in results if each.completion is None)
    skipped = (grade for each in missing for grade in each.observation.grades.values() if isinstance(grade, Skipped))
    return next((grade.reason for grade in skipped), "")


def described(item: pytest.Item, result: Result) -> None:
    """Say in the item's properties, which JUnit shows, where an answer came from and what it scored."""
    item.user_properties.append(("promptgate_origin", str(result.origin)))
    for name, grade in result.observation.grades.items():
        if isinstance(grade, Score):
            item.user_properties.append((f"promptgate_score_{name}", grade.value))


def listed(problems: Mapping[str, str]) -> Iterator[str]:
    """One text per problem, with the cases that share it."""
    shared: dict[str, list[str]] = {}
    for problem in problems.values():
        case, _, what = problem.partition(" ")
        shared.setdefault(what, []).append(case)
    for what, cases in [*shared.items()][:FAILING_SHOWN]:
        yield f"{cases[0]} {what}"
        if len(cases) > 1:
            yield f"  the same: {names(cases[1:])}"
    if len(shared) > FAILING_SHOWN:
        yield f"… and {len(shared) - FAILING_SHOWN} more"
