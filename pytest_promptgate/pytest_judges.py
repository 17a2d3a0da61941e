"""Judges in a pytest run: what they will be asked, what of the baseline they judge anew, what their accounts say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.ports import Judge
from pytest_promptgate.core.votes import estimate_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.estimate import Estimate
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Grade
    from pytest_promptgate.core.votes import Votes
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.workflows.rescoring import Answer


def judge_estimates(evals: EvalSession, votes: Mapping[tuple[str, str, str], Votes]) -> list[Estimate]:
    """One per judge that has something to ask.

    Args:
        evals: Of the run.
        votes: By suite, slot and scorer.
    """
    return [
        estimate_of(each, suite=suite, slot=f"{slot}: {scorer}", price=evals.price(each.pin))
        for (suite, slot, scorer), each in votes.items()
        if each.asked
    ]


def grade_baseline(evals: EvalSession, answers: Sequence[Answer]) -> Sequence[Mapping[str, Grade]]:
    """Score the baseline's stored answers with the present scorers; says so beforehand if a judge is to be asked."""
    judged = {bound.name: None for answer in answers for bound in answer.scorers if isinstance(bound.scorer, Judge)}
    if judged:
        count = f"{len(answers)} answer{'s' if len(answers) != 1 else ''}"
        names = ", ".join(judged)
        evals.progress.say(f"prompt evals: {names} has changed: {count} of the baseline are judged anew")
    return evals.evaluation().grade(answers, tick=evals.progress.tick)


def account_notes(evals: EvalSession, plan: Plan) -> tuple[str, ...]:
    """What the accounts of the subject and of its judges want to have told, each once."""
    judges = (bound.scorer.pin.provider for bound in plan.suite.scorers if isinstance(bound.scorer, Judge))
    providers = dict.fromkeys((plan.pin.provider, *judges))
    return tuple(dict.fromkeys(note for provider in providers for note in evals.evaluation().notes(provider)))
