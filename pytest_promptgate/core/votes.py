"""What judges will be asked, and about what that costs, before anything is asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.budget import cost_usd
from pytest_promptgate.core.estimate import USUAL_ANSWER, Estimate, Source, answer_tokens, prompt_tokens
from pytest_promptgate.core.nesting import leaves
from pytest_promptgate.core.ports import Inquiry, Judge
from pytest_promptgate.core.types import Completion, RequestKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.core.types import BoundScorer, Case, ModelPin, Request, Unscored

_STAND_IN = Completion(text="?")  # for an answer that is still to come: some scorers ask nothing about an empty one


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """Verdicts of one judge that a run needs."""

    pin: ModelPin
    asked: int = 0
    stored: int = 0
    tokens_in: int = 0  # of what is asked, guessed from the length
    tokens_out: int = 0

    def __add__(self, other: Votes) -> Votes:
        return Votes(
            pin=self.pin,
            asked=self.asked + other.asked,
            stored=self.stored + other.stored,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
        )


def ordinal_of(request: Request, vote: int) -> int:
    """Where the store keeps the reply to a scorer's request, by its place among them from 0.

    Votes are several replies to much the same question; a text has one vector, whoever asks for it.
    """
    return 0 if request.kind is RequestKind.EMBEDDING else vote


def votes_of(
    bound: BoundScorer,
    case: Case,
    completion: Completion | None,
    production: Completion | Unscored | None,
    *,
    is_stored: Callable[[Request, int], bool],
) -> Votes | None:
    """What the judge `bound` will be asked about one answer; None if it is no judge, or needs to ask nothing.

    Args:
        bound: Any scorer.
        case: Of the answer.
        completion: The answer; None if it is still to come: it is then taken for one of the usual length.
        production: As for `Judge.inquire`.
        is_stored: Whether the store holds the reply to a request, by its vote from 0. Not asked for unknown answers.
    """
    if not isinstance(bound.scorer, Judge):
        return None
    # An answer that is still to come holds nothing that could be extracted.
    judge: Any = bound.scorer if completion is not None else next(leaves(bound.scorer))
    try:
        inquiry = judge.inquire(completion or _STAND_IN, case, production)
    except Exception:  # noqa: BLE001 judges may be plugins' code; what they raise is told when they are needed
        return None
    if not isinstance(inquiry, Inquiry):
        return None
    found = Votes(pin=bound.scorer.pin)
    for vote, request in enumerate(inquiry.requests):
        if completion is not None and is_stored(request, vote):
            found += Votes(pin=found.pin, stored=1)
        else:
            longer = USUAL_ANSWER if completion is None else 0
            tokens_in = prompt_tokens(request) + longer
            found += Votes(pin=found.pin, asked=1, tokens_in=tokens_in, tokens_out=answer_tokens(request))
    return found


def together(found: Iterable[Votes | None]) -> Votes | None:
    """What one judge needs for several answers; None if it needs to ask nothing."""
    known = [each for each in found if each is not None]
    return reduce(add, known) if known else None


def estimate_of(votes: Votes, *, suite: str, slot: str, price: Price | None, share: float = 1.0) -> Estimate:
    """The votes as an `Estimate`, in which trials are verdicts.

    Args:
        votes: Of one judge.
        suite: Name of the suite.
        slot: The model slot, with the scorer's name.
        price: Of the judge's model; None if it is not known.
        share: As for `core.estimate.estimate`.
    """
    cost = cost_usd(price, votes.tokens_in, votes.tokens_out) if votes.asked else 0.0
    return Estimate(
        suite=suite,
        slot=slot,
        model=str(votes.pin),
        cases=votes.asked + votes.stored,
        trials=votes.asked + votes.stored,
        unchanged=0,
        stored=votes.stored,
        asked=votes.asked,
        tokens_in=votes.tokens_in,
        tokens_out=votes.tokens_out,
        source=Source.LENGTH if votes.asked else None,
        cost_usd=None if cost is None else cost * share,
    )
