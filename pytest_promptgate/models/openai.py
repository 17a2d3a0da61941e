"""An account of OpenAI, of a compatible endpoint, or of Azure: limits, retries and checks around one wire."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.pins import ServedModel, compare_served
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.types import RequestKind
from pytest_promptgate.errors import AccountStopped, CallError, TransportFault, WrongModel
from pytest_promptgate.models.bodies import estimated_tokens, posting_of
from pytest_promptgate.models.embedding_replies import read_embedding
from pytest_promptgate.models.endpoints import address_of, endpoint_of, shown_url
from pytest_promptgate.models.hedging import Patience
from pytest_promptgate.models.limiter import Limiter
from pytest_promptgate.models.refusals import Refusal, error_of, hints_of
from pytest_promptgate.models.replies import read_reply
from pytest_promptgate.models.retries import RetryPolicy
from pytest_promptgate.models.turnstile import Turnstile
from pytest_promptgate.models.wire import Unreachable, Wire, transport_name

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Completion, ModelPin, Request
    from pytest_promptgate.models.bodies import Posting
    from pytest_promptgate.models.wire import Reply

GIVEN_UP = 10  # requests in a row that ran out of tries: the account is stopped


class OpenAIAccount:
    """An `Account`. It makes no connection, and imports no client, before the first request.

    Args:
        spec: Its entry in promptgate.yaml.
        most_connections: Requests under way at most.
        policy: Bounds of the retries; None: the usual ones, within `retry_for_s` of the entry.
        seed: Of the jitter; None draws it from the system.
    """

    def __init__(
        self, spec: ProviderSpec, most_connections: int, *, policy: RetryPolicy | None = None, seed: int | None = None
    ) -> None:
        self.endpoint = shown_url(address_of(spec))
        self.transport = transport_name()
        self._spec = spec
        self._most = most_connections
        self._policy = policy or RetryPolicy(total_s=spec.retry_for_s)
        self._draw = random.Random(seed)  # noqa: S311  jitter; its own, for pytest plugins reseed the common one
        self._clock = time.monotonic
        limiter = Limiter(
            most=most_connections,
            requests_per_minute=spec.requests_per_minute,
            tokens_per_minute=spec.tokens_per_minute,
        )
        self._turnstile = Turnstile(limiter, clock=self._clock)
        self._patience = Patience(self._turnstile, hedge=spec.hedge)
        self._wire: Wire | None = None
        self._stopped: dict[str, AccountStopped] = {}  # by model; "" is all of them
        self._first_call: float | None = None
        self._reached = False
        self._given_up = 0
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report should say once, such as "served model not verifiable"."""
        return tuple(self._notes)

    @property
    def limit(self) -> int:
        """Requests that may be under way at present: where the next run can begin."""
        return int(self._turnstile.limiter.limit)

    def begin_at(self, limit: int) -> None:
        """Begin where the last run ended; before the first request."""
        self._turnstile.limiter.limit = float(max(1, min(limit, self._most)))

    async def room(self) -> None:
        """Return when a further request could start at once, or when none ever will."""
        if "" not in self._stopped:
            await self._turnstile.room()

    async def ask(self, request: Request) -> Completion:
        """Answer; see `Account.ask`."""
        call = _Call(where=str(request.pin), request=request, posting=posting_of(request, self._spec))
        while True:
            self._refuse_if_stopped(request.pin)
            try:
                return self._checked(request.pin, await self._try(call))
            except AccountStopped as stop:
                raise self._stop(request.pin, stop) from None
            except TransportFault as fault:
                wait = self._wait_after(call, fault)
            await asyncio.sleep(wait)

    async def close(self) -> None:
        """Give connections back; idempotent."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def _try(self, call: _Call) -> Completion:
        left = self._policy.total_s - (self._clock() - call.began) if call.tries else None
        try:
            async with asyncio.timeout(left):
                ticket = await self._turnstile.enter(again=call.tries > 0, tokens=call.tokens)
        except TimeoutError:
            assert call.last is not None
            raise self._given_up_on(call, call.last) from call.last
        now = self._clock()
        call.began = call.began if call.tries else now
        call.tries += 1
        self._first_call = now if self._first_call is None else self._first_call
        try:
            return await self._once(call, ticket, min(self._spec.timeout_s, left or self._spec.timeout_s))
        finally:
            self._turnstile.wake()

    async def _once(self, call: _Call, ticket: int, timeout_s: float) -> Completion:
        """One post, and its outcome told to the limiter."""
        limiter = self._turnstile.limiter
        ended = False
        try:
            wire = self._connected()
            got = await self._patience.post(wire, call.where, call.posting, timeout_s=timeout_s)
            self._reached = True
            self._heed(got)
            if isinstance(got, Refusal):
                error = error_of(call.where, call.request.pin.name, got, wire.endpoint, wanted=call.posting.wanted)
                if isinstance(error, TransportFault) and error.overloaded:
                    ended = True
                    limiter.refused(ticket, self._clock(), error.retry_after)
                raise error
            read = read_embedding if call.request.kind is RequestKind.EMBEDDING else read_reply
            completion = read(call.where, got.content, latency_s=got.latency_s, requests=got.requests)
            ended = True
            limiter.accepted(ticket, self._clock(), got.latency_s)
            if completion.tokens_in is not None and completion.tokens_out is not None:
                limiter.allowance.correct_tokens(completion.tokens_in + completion.tokens_out - call.tokens)
            return completion
        finally:
            if not ended:
                limiter.failed(ticket, self._clock())

    def _connected(self) -> Wire:
        if self._wire is None:
            self._wire = Wire(endpoint_of(self._spec), most=self._most)
        return self._wire

    def _heed(self, got: Reply | Refusal) -> None:
        for unit in ("requests", "tokens"):
            hints = hints_of(got.headers, unit=unit)
            if hints is not None:
                limiter = self._turnstile.limiter
                limiter.allowance.hint(self._clock(), hints, tokens=unit == "tokens", under_way=limiter.under_way)

    def _checked(self, pin: ModelPin, completion: Completion) -> Completion:
        """The answer, if the model that was asked gave it."""
        self._given_up = 0
        same = compare_served(pin, self._spec.family, completion.served_model)
        if same is ServedModel.OTHER:
            raise WrongModel(
                str(pin),
                f"asked for {pin.name}, answered by {one_line(completion.served_model, width=100)}",
                hint="The provider moved this name, or a deployment serves another model. Pin the one that answers.",
            )
        if same is ServedModel.FORMAT_ONLY:
            self._notes[f"{pin}: the provider spells it {one_line(completion.served_model, width=100)}"] = None
        elif same is ServedModel.NOT_VERIFIABLE:
            self._notes[f"{pin}: served model not verifiable"] = None
        return completion

    def _refuse_if_stopped(self, pin: ModelPin) -> None:
        stop = self._stopped.get("") or self._stopped.get(pin.name)
        if stop is not None:
            raise stop

    def _stop(self, pin: ModelPin, stop: AccountStopped) -> AccountStopped:
        """Remember it: for the model that it names, else for the whole account."""
        scope = pin.name if stop.where == str(pin) else ""
        told = self._stopped.setdefault(scope, stop)
        if not scope:
            self._turnstile.open()
        return told

    def _wait_after(self, call: _Call, fault: TransportFault) -> float:
        """Seconds until the next try.

        Raises:
            TransportFault: There is none.
            AccountStopped: There is none for any request.
        """
        call.last = fault
        now = self._clock()
        chance = self._turnstile.limiter.noise > 0
        wait = self._policy.wait(
            fault, tries=call.tries, elapsed=now - call.began, draw=self._draw, by_chance=chance and fault.overloaded
        )
        if isinstance(fault, Unreachable) and not self._reached:
            since = now - (self._first_call or now)
            if wait is None or since + wait > self._policy.unreachable_s:
                raise self._stop(call.request.pin, AccountStopped(self._spec.name, fault.what, hint=fault.hint))
        if wait is None:
            raise self._given_up_on(call, fault)
        return wait

    def _given_up_on(self, call: _Call, fault: TransportFault) -> CallError:
        self._given_up += 1
        if self._given_up >= GIVEN_UP:
            what = f"{GIVEN_UP} requests in a row were not answered; the last: {fault.what}"
            return self._stop(call.request.pin, AccountStopped(self._spec.name, what, hint=fault.hint))
        tries = f"gave up after {call.tries} tr{'y' if call.tries == 1 else 'ies'}"
        if fault.retry_after is not None and fault.retry_after >= self._policy.total_s:
            tries += (
                f", for it wants {fault.retry_after:.0f} s of patience and {self._policy.total_s:.0f} s are granted"
            )
        hint = fault.hint or "What was answered is stored: run again, and only what is missing is asked."
        return TransportFault(fault.where, f"{fault.what}; {tries}", hint=hint, overloaded=fault.overloaded)


@dataclass(slots=True, kw_only=True)
class _Call:
    """One request on its way."""

    where: str
    request: Request
    posting: Posting
    tries: int = 0
    began: float = 0.0  # when the first try did
    last: TransportFault | None = None

    @property
    def tokens(self) -> float:
        return estimated_tokens(self.request)


def openai_account(spec: ProviderSpec, most_connections: int) -> OpenAIAccount:
    """The factory behind the kinds ``openai`` and ``azure``."""
    return OpenAIAccount(spec, most_connections)
