"""Judges' questions: answered from the store, else by the judge's own account, under the run's limits and budget.

A verdict belongs to the text that it is about: whoever gives the same answer, in whichever sample, slot or retrial,
gets the verdict that the store already has. So a comparison never sees a judge disagree with itself over one text.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakValueDictionary

from pytest_promptgate.core.budget import cost_usd
from pytest_promptgate.core.fingerprint import request_digest, request_parts
from pytest_promptgate.core.ports import Inquiry, Judge, StoreKey
from pytest_promptgate.core.types import Completion, Errored, Grade, Judged, RequestKind, Skipped, Unscored
from pytest_promptgate.core.votes import ordinal_of
from pytest_promptgate.errors import (
    AccountStopped,
    CallError,
    ConfigError,
    EngineError,
    PromptGateError,
    RequestRefused,
    ScorerError,
    StoreError,
    WrongModel,
)
from pytest_promptgate.workflows.scoring import being_cancelled, described, place_in_users_code, raised
from pytest_promptgate.workflows.stops import Stop, Stops, Subject, subject_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.core.types import BoundScorer, Case, ModelPin, Request, Suite
    from pytest_promptgate.workflows.jobs import Job
    from pytest_promptgate.workflows.permits import Permits
    from pytest_promptgate.workflows.sources import Sources

Reply: TypeAlias = "Completion | Unscored | Errored | Skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One vote that is asked for."""

    suite: Suite
    slot: str
    scorer: str
    case: str
    request: Request
    digest: str
    ordinal: int  # of the vote, from 0
    fresh: bool  # it is asked although the store may have the reply, and its reply is not kept

    @property
    def of(self) -> str:
        """Who is asked, for messages."""
        return "embedding model" if self.request.kind is RequestKind.EMBEDDING else "judge"

    @property
    def missing(self) -> str:
        """What is not there if the store has no reply, for messages."""
        return "no embedding" if self.request.kind is RequestKind.EMBEDDING else "no verdict"

    @property
    def name(self) -> str:
        """``suite::t-017 (tone)``, for messages."""
        return f"{self.suite.name}::{self.case} ({self.scorer})"

    @property
    def parts(self) -> dict[str, str]:
        """As `ResponseStore.put` takes them."""
        return {**request_parts(self.request), "trial": f"{self.scorer}({self.case})"}

    def key(self, endpoint: str, round: str) -> StoreKey:  # noqa: A002 the key's own word
        """Under which the store keeps the reply."""
        return StoreKey(request=self.digest, endpoint=endpoint, role="judge", ordinal=self.ordinal, round=round)


def question_of(
    request: Request, vote: int, *, suite: Suite, slot: str, scorer: str, case: str, fresh: bool = False
) -> Question:
    """One request of an inquiry about an answer to `case`; `vote` is its place among them."""
    return Question(
        suite=suite,
        slot=slot,
        scorer=scorer,
        case=case,
        request=request,
        digest=request_digest(request),
        ordinal=ordinal_of(request, vote),
        fresh=fresh,
    )


class Bench:
    """All judges of a run; used in the loop's thread alone.

    Args:
        sources: Accounts and stores.
        permits: Asked before each call.
        stops: Of the run.
        halt: Ends everything that a fault concerns.
        price_of: What a model costs; None if that is not known.
        ended: Why nothing more is asked; "" while the run goes on.
        told: Called with each call that ended.
    """

    def __init__(
        self,
        sources: Sources,
        permits: Permits,
        *,
        stops: Stops,
        halt: Callable[[Subject, PromptGateError], Stop],
        price_of: Callable[[ModelPin], Price | None],
        ended: Callable[[], str],
        told: Callable[[Judged], None],
    ) -> None:
        self._sources = sources
        self._permits = permits
        self._stops = stops
        self._halt = halt
        self._price_of = price_of
        self._ended = ended
        self._told = told
        self._prices: dict[str, Price | None] = {}
        self._turns: WeakValueDictionary[StoreKey, asyncio.Lock] = WeakValueDictionary()
        self._failed: dict[StoreKey, CallError] = {}  # for this run: a request that ran out of tries
        self._used: dict[tuple[str, str, str], Judged] = {}

    def used(self, suite: str, slot: str) -> tuple[Judged, ...]:
        """What the judges of one suite and slot were asked for."""
        return tuple(each for (name, of, _), each in self._used.items() if (name, of) == (suite, slot))

    def is_stored(self, job: Job, bound: BoundScorer, request: Request, vote: int) -> bool:
        """Whether a verdict on the answer of `job` is at hand; False as well if nobody can say."""
        suite, slot, case = job.plan.suite, job.plan.slot, job.trial.case.id
        question = question_of(request, vote, suite=suite, slot=slot, scorer=bound.name, case=case)
        try:
            endpoint = self._sources.account(request.pin.provider).endpoint
            return self._sources.verdict(question, endpoint) is not None
        except PromptGateError:  # told when the verdict is needed
            return False

    async def grade(
        self,
        bound: BoundScorer,
        completion: Completion,
        case: Case,
        *,
        suite: Suite,
        slot: str,
        production: Completion | Unscored | None = None,
        fresh: bool = False,
    ) -> Grade:
        """The judge's grade of one answer; a call that failed is an `Errored`, one that nobody made a `Skipped`."""
        assert isinstance(bound.scorer, Judge)
        try:
            inquiry = bound.scorer.inquire(completion, case, production)
            if not isinstance(inquiry, Inquiry):
                return inquiry
            asked = [
                question_of(request, vote, suite=suite, slot=slot, scorer=bound.name, case=case.id, fresh=fresh)
                for vote, request in enumerate(inquiry.requests)
            ]
            replies = await asyncio.gather(*map(self._reply, asked))
            failed = [each for each in replies if isinstance(each, Errored | Skipped)]
            if failed:
                return next((each for each in failed if isinstance(each, Errored)), failed[0])
            return inquiry.grade([each for each in replies if isinstance(each, Completion | Unscored)])
        except BaseException as error:  # judges may be plugins' code
            if being_cancelled(error):
                raise
            return raised(bound, error)

    async def _reply(self, question: Question) -> Reply:
        pin = question.request.pin
        stop = self._stops.about(pin, question.suite.name)
        if stop is not None:
            return _stopped(stop)
        try:
            endpoint = self._sources.account(pin.provider).endpoint
            key = question.key(endpoint, "")
            found = self._stored(question, endpoint)
            if found is not None:
                return found
            if self._sources.offline:
                return Errored(message=str(self._sources.no_verdict(question, endpoint)))
            async with self._turns.setdefault(key, asyncio.Lock()):
                return self._stored(question, endpoint) or await self._asked(question, endpoint, key)
        except StoreError as error:
            return _stopped(self._halt(("suite", question.suite.name), error))
        except PromptGateError as error:
            return _stopped(self._halt(subject_of(pin, error), error))

    def _stored(self, question: Question, endpoint: str) -> Completion | None:
        found = None if question.fresh else self._sources.verdict(question, endpoint)
        if found is not None:
            request = question.request
            self._note(question, Judged(scorer=question.scorer, model=str(request.pin), kind=request.kind, stored=1))
        return found

    async def _asked(self, question: Question, endpoint: str, key: StoreKey) -> Reply:
        if key in self._failed:
            return _not_answered(question, self._failed[key])
        await self._permits.wait()
        if ended := self._ended():
            return Skipped(reason=ended)
        pin = question.request.pin
        try:
            completion = await self._call(question)
        except RequestRefused as error:
            return Unscored(reason=f"the {question.of}'s provider refused the request: {error.what}")
        except (AccountStopped, ConfigError, WrongModel) as error:
            return _stopped(self._halt(subject_of(pin, error), error))
        except CallError as error:
            self._failed[key] = error
            return _not_answered(question, error)
        except Exception as error:  # noqa: BLE001 accounts may be plugins' code
            where = place_in_users_code(error.__traceback__)
            what = f"the {question.of}'s account failed unexpectedly with {described(error)}"
            return Errored(message=str(EngineError(question.name, what, hint=where and f"at {where}")))
        if not question.fresh:
            self._sources.keep_verdict(question, endpoint, completion)
        return completion

    async def _call(self, question: Question) -> Completion:
        account, pin = self._sources.account(question.request.pin.provider), question.request.pin
        self._permits.started()
        try:
            completion = await account.ask(question.request)
        except BaseException:
            self._permits.failed()
            raise
        price = self._price(pin)
        cost = cost_usd(price, completion.tokens_in, completion.tokens_out, completion.tokens_cached)
        paid = None if cost is None else cost * completion.requests
        self._permits.answered(paid)
        one = Judged(
            scorer=question.scorer,
            model=str(pin),
            kind=question.request.kind,
            asked=1,
            tokens=(completion.tokens_in or 0) + (completion.tokens_out or 0),
            cost_usd=paid,
        )
        self._note(question, one)
        self._told(one)
        return completion

    def _price(self, pin: ModelPin) -> Price | None:
        if str(pin) not in self._prices:
            self._prices[str(pin)] = self._price_of(pin)
        return self._prices[str(pin)]

    def _note(self, question: Question, one: Judged) -> None:
        key = question.suite.name, question.slot, question.scorer
        self._used[key] = self._used[key] + one if key in self._used else one


def _stopped(stop: Stop) -> Errored:
    """Unlike a subject that moved, a judge that did leaves the metrics of other scorers as they are."""
    return Errored(message=str(stop.error))


def _not_answered(question: Question, error: CallError) -> Errored:
    told = ScorerError(
        question.scorer, f"the {question.of} did not answer: {error.where}: {error.what}", hint=error.hint
    )
    return Errored(message=str(told))
