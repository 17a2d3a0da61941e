"""Judges in a pytest run: what they will be asked, what of the baseline they judge anew, what their accounts say."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from pytest_promptgate.core.estimate import headline
from pytest_promptgate.core.fingerprint import request_digest
from pytest_promptgate.core.ports import Judge, StoreKey
from pytest_promptgate.core.votes import estimate_of, ordinal_of, votes_of
from pytest_promptgate.pytest_stored import endpoint_of, stored_replies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.estimate import Estimate
    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import Grade, Request
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
        what = f"{', '.join(judged)} has changed: {count} of the baseline are judged anew"
        evals.progress.say(f"prompt evals: {what}: {headline(_rejudging(evals, answers))}")
    return evals.evaluation().grade(answers, tick=evals.progress.tick)


def _rejudging(evals: EvalSession, answers: Sequence[Answer]) -> list[Estimate]:
    """What is to be asked about `answers`, which are of one suite and slot."""
    suite, slot = answers[0].suite.name, answers[0].slot
    endpoint = cache(partial(endpoint_of, evals))
    found: dict[tuple[str, str, str], Votes] = {}
    with stored_replies(evals, suite) as reply:

        def is_stored(request: Request, vote: int) -> bool:
            where, ordinal = endpoint(request.pin.provider), ordinal_of(request, vote)
            key = StoreKey(request=request_digest(request), endpoint=where, role="judge", ordinal=ordinal)
            return reply(key) is not None

        for answer in answers:
            for bound in answer.scorers:
                votes = votes_of(bound, answer.case, answer.completion, None, is_stored=is_stored)
                key = suite, slot, bound.name
                if votes is not None:
                    found[key] = found[key] + votes if key in found else votes
    return judge_estimates(evals, found)


def account_notes(evals: EvalSession, plan: Plan) -> tuple[str, ...]:
    """What the accounts of the subject and of its judges want to have told, each once."""
    judges = (bound.scorer.pin.provider for bound in plan.suite.scorers if isinstance(bound.scorer, Judge))
    providers = dict.fromkeys((plan.pin.provider, *judges))
    return tuple(dict.fromkeys(note for provider in providers for note in evals.evaluation().notes(provider)))
