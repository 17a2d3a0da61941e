"""What the judges of a suite would be asked, from the baseline and the store alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.batches import PRICE_SHARE, custom_id
from pytest_promptgate.core.estimate import answer_tokens, prompt_tokens
from pytest_promptgate.core.fingerprint import request_digest
from pytest_promptgate.core.pairs import production_of
from pytest_promptgate.core.ports import Inquiry, Judge, StoreKey
from pytest_promptgate.core.types import RequestKind
from pytest_promptgate.core.votes import Votes, estimate_of, ordinal_of, votes_of
from pytest_promptgate.workflows.batching import Order, Wanted
from pytest_promptgate.workflows.judging import question_of
from pytest_promptgate.workflows.reuse import labelled, reuse_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.core.estimate import Estimate
    from pytest_promptgate.core.types import BoundScorer, Completion, Request, Trial
    from pytest_promptgate.pytest_run import Run


def foresee_verdicts(project: Project, run: Run) -> list[Estimate]:
    """One estimate per judge that has something to ask; answers that are still to come count with all their votes."""
    found: dict[str, Votes] = {}

    def is_stored(request: Request, vote: int) -> bool:
        return _is_stored(project, run, request, vote)

    for bound, trial, completion in _open(project, run):
        production = production_of(run.baseline, trial.case, trial.sample)
        votes = votes_of(bound, trial.case, completion, production, is_stored=is_stored)
        if votes is not None:
            found[bound.name] = found[bound.name] + votes if bound.name in found else votes
    return [
        estimate_of(votes, suite=run.suite.name, slot=f"{run.slot}: {name}", price=project.evals.price(votes.pin))
        for name, votes in found.items()
    ]


def verdict_orders(project: Project, run: Run) -> Iterator[Order]:
    """Per judge the verdicts on answers that are at hand, as far as they are not stored."""
    found: dict[str, dict[str, Wanted]] = {}
    judges: dict[str, Judge] = {}
    for bound, trial, completion in _open(project, run):
        if completion is not None and isinstance(bound.scorer, Judge):
            judges[bound.name] = bound.scorer
            found.setdefault(bound.name, {}).update(
                (each.name, each) for each in _wanted(project, run, bound, bound.scorer, trial, completion)
            )
    for name, requests in found.items():
        if requests:
            pin = judges[name].pin
            yield Order(
                suite=run.suite.name,
                slot=f"{run.slot}: {name}",
                pin=pin,
                endpoint=project.endpoint_of(pin.provider),
                round=project.round(run),
                requests=tuple(requests.values()),
            )


def order_estimate(project: Project, order: Order, requests: Sequence[Wanted]) -> Estimate:
    """What `requests` of an order take, at the price of a batch."""
    votes = Votes(
        pin=order.pin,
        asked=len(requests),
        tokens_in=sum(prompt_tokens(each.request) for each in requests),
        tokens_out=sum(answer_tokens(each.request) for each in requests),
    )
    price = project.evals.price(order.pin)
    return estimate_of(votes, suite=order.suite, slot=order.slot, price=price, share=PRICE_SHARE)


def _open(project: Project, run: Run) -> Iterator[tuple[BoundScorer, Trial, Completion | None]]:
    """The judges of every trial that the baseline does not settle, with its answer if that is at hand."""
    labels = labelled(run.suite)
    judges = [bound for bound in run.suite.scorers if isinstance(bound.scorer, Judge)]
    for trial in run.plan.trials if judges else ():
        reuse = reuse_of(trial, run.suite.scorers, run.baseline, labels=labels)
        if reuse is not None and not reuse.changed:
            continue
        old = None if reuse is None else reuse.completion
        completion = old or project.stored(run, trial)
        for bound in judges:
            if old is None or reuse is None or bound.name not in reuse.grades:
                yield bound, trial, completion


def _wanted(
    project: Project, run: Run, bound: BoundScorer, judge: Judge, trial: Trial, completion: Completion
) -> Iterator[Wanted]:
    inquiry = judge.inquire(completion, trial.case, production_of(run.baseline, trial.case, trial.sample))
    for vote, request in enumerate(inquiry.requests if isinstance(inquiry, Inquiry) else ()):
        # A batch is of one endpoint, and embeddings have another than verdicts; they are asked in the run.
        if request.kind is RequestKind.CHAT and not _is_stored(project, run, request, vote):
            asked = question_of(request, vote, suite=run.suite, slot=run.slot, scorer=bound.name, case=trial.case.id)
            name = custom_id(request=asked.digest, ordinal=vote, role="judge")
            yield Wanted(name=name, request=request, parts=asked.parts)


def _is_stored(project: Project, run: Run, request: Request, vote: int) -> bool:
    endpoint = project.endpoint_of(request.pin.provider)
    ordinal = ordinal_of(request, vote)
    key = StoreKey(request=request_digest(request), endpoint=endpoint, role="judge", ordinal=ordinal)
    return project.reply(run, key) is not None
