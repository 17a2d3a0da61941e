"""Cases that were left out on purpose: the run counts as one of a dataset without their rows.

So they are outside of every n; and a case of the baseline that is left out is told as a row that is gone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Result, Suite


def left_out(results: Sequence[Result]) -> dict[str, Skipped]:
    """The cases of which a trial was left out, and why."""
    return {
        result.trial.case.id: grade
        for result in results
        for grade in result.observation.grades.values()
        if isinstance(grade, Skipped) and grade.left_out
    }


def missed(suite: Suite, results: Sequence[Result]) -> dict[str, str]:
    """What is wrong with the cases that were left out although they must pass, in one line each."""
    bound = {case for rule in suite.must_pass for case in rule.cases}
    gone = left_out(results)
    return {case: f"{case} must pass, but was left out by {gone[case].left_out}" for case in gone if case in bound}


def without(plan: Plan, results: Sequence[Result]) -> tuple[Plan, tuple[Result, ...]]:
    """Plan and results without the cases that were left out; as they are if nothing would be left."""
    gone = left_out(results)
    if not gone or all(case.id in gone for case in plan.suite.cases):
        return plan, tuple(results)
    kept = tuple(case for case in plan.suite.cases if case.id not in gone)
    trials = tuple(trial for trial in plan.trials if trial.case.id not in gone)
    found = tuple(result for result in results if result.trial.case.id not in gone)
    return replace(plan, suite=replace(plan.suite, cases=kept), trials=trials), found


def left_out_notes(plan: Plan, results: Sequence[Result]) -> tuple[str, ...]:
    """What a report says of them."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for case, grade in left_out(results).items():
        reasons.setdefault((grade.left_out, grade.reason), []).append(case)
    total = len(plan.suite.cases)
    return tuple(
        f"left out by {how}: {len(cases)} of {total} cases ({', '.join(cases[:_NAMED])}{_more(cases)}): {reason}"
        for (how, reason), cases in reasons.items()
    )


_NAMED = 10


def _more(cases: Sequence[str]) -> str:
    return f", … and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
