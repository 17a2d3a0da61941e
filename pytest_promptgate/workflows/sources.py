"""Where answers come from: accounts and stores, each opened at the first trial that needs it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import request_parts
from pytest_promptgate.core.plan import slowest_first
from pytest_promptgate.core.ports import (
    Account,
    ExplainsMisses,
    HasNotes,
    HasRounds,
    RemembersLatency,
    ResponseStore,
    SkipsLines,
    StoreKey,
)
from pytest_promptgate.core.rounds import CONTROL, SELF, counting, following
from pytest_promptgate.errors import AccountStopped, PromptGateError, StoreError
from pytest_promptgate.workflows.mixing import mixed
from pytest_promptgate.workflows.scoring import described

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_promptgate.core.types import Completion
    from pytest_promptgate.workflows.jobs import Job
    from pytest_promptgate.workflows.judging import Question

CLOSE_S = 2.0  # for one account to give its connections back


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world as the engine sees it; see `Evaluation`."""

    account_of: Callable[[str], Account]
    store_of: Callable[[str], ResponseStore]
    offline: bool
    refresh: bool


class Sources:
    """Opens what is needed, once; used in the loop's thread alone."""

    def __init__(self, ports: Ports) -> None:
        self.offline = ports.offline
        self._ports = ports
        self._accounts: dict[str, Account] = {}
        self._stores: dict[str, ResponseStore] = {}
        self._unreadable: set[str] = set()  # suites
        self._rounds: dict[str, tuple[str, ...]] = {}  # by suite: those that are read; the first is written

    def account(self, provider: str) -> Account:
        """The account of a provider.

        Raises:
            PromptGateError: It could not be opened.
        """
        if provider not in self._accounts:
            try:
                self._accounts[provider] = self._ports.account_of(provider)
            except PromptGateError:
                raise
            except Exception as error:
                what = f"the account could not be opened: {described(error)}"
                raise AccountStopped(provider, what) from error
        return self._accounts[provider]

    def stored(self, job: Job, endpoint: str) -> Completion | None:
        """The answer that the store has.

        Raises:
            StoreError: The store cannot be read.
        """
        if not job.plan.suite.storable:
            return None
        store = self._store(job)
        for name in self._rounds_of(job, store):
            found = store.get(_key(job, endpoint, name))
            if found is not None:
                return found
        return None

    def keep(self, job: Job, endpoint: str, completion: Completion) -> None:
        """Store one answer, unless its suite's answers are not to be kept.

        Raises:
            StoreError: It could not be written.
        """
        if not job.plan.suite.storable:
            return
        store = self._store(job)
        name = self._rounds_of(job, store)[0]
        store.put(_key(job, endpoint, name), completion, parts=_parts(job))

    def miss(self, job: Job, endpoint: str) -> StoreError:
        """What to say of a trial that has no stored answer, when nothing may be asked."""
        if not job.plan.suite.storable:
            what = "answers of a target without a version are not stored, and --prompt-offline asks nothing"
            hint = 'Write `version: "1"` beside its `call:` (`version="1"` in the marker), and raise it with its code.'
            return StoreError(job.name, what, hint=hint)
        store = self._store(job)
        key = _key(job, endpoint, self._rounds_of(job, store)[0])
        differs = store.explain_miss(key, parts=_parts(job)) if isinstance(store, ExplainsMisses) else ""
        option = "--prompt-control " if key.round.startswith(CONTROL) else ""
        option = "--prompt-aa " if key.round == SELF else option
        hint = _miss_hint(differs, f"{option}{job.plan.suite.path}")
        return StoreError(job.name, "no answer is stored, and --prompt-offline asks nothing", hint=hint)

    def verdict(self, question: Question, endpoint: str) -> Completion | None:
        """The reply of a judge that the store has; retrials have no verdicts of their own.

        Raises:
            StoreError: The store cannot be read.
        """
        suite = question.suite.name
        store = self._store_of(suite)
        found = (store.get(question.key(endpoint, name)) for name in self._counting(suite, store))
        return next((each for each in found if each is not None), None)

    def keep_verdict(self, question: Question, endpoint: str, completion: Completion) -> None:
        """Store one reply of a judge.

        Raises:
            StoreError: It could not be written.
        """
        suite = question.suite.name
        store = self._store_of(suite)
        store.put(question.key(endpoint, self._counting(suite, store)[0]), completion, parts=question.parts)

    def no_verdict(self, question: Question, endpoint: str) -> StoreError:
        """What to say of a verdict that is not stored, when nothing may be asked."""
        suite = question.suite.name
        store = self._store_of(suite)
        key = question.key(endpoint, self._counting(suite, store)[0])
        differs = store.explain_miss(key, parts=question.parts) if isinstance(store, ExplainsMisses) else ""
        hint = _miss_hint(differs, question.suite.path)
        return StoreError(question.name, f"{question.missing} is stored, and --prompt-offline asks nothing", hint=hint)

    def ordered(self, jobs: Sequence[Job]) -> list[Job]:
        """`jobs` in the order in which to ask them: the slowest first, by what earlier answers of each trial took.

        The arms of a retrial or a control come last, and mixed.
        """
        single = [job for job in jobs if not job.round]
        of_trial = {id(job.trial): job for job in single}
        order = slowest_first([job.trial for job in single], [self._latency(job) for job in single])
        return [*(of_trial[id(trial)] for trial in order), *mixed(job for job in jobs if job.round)]

    def _latency(self, job: Job) -> float | None:
        if job.plan.suite.name in self._unreadable or (job.reuse is not None and job.reuse.completion is not None):
            return None
        try:
            store = self._store(job)
            return store.latency_of(job.trial.id) if isinstance(store, RemembersLatency) else None
        except StoreError:  # told when the answer is looked for
            self._unreadable.add(job.plan.suite.name)
            return None

    def complete_round(self, suite: str) -> None:
        """Let the answers that were asked anew count.

        Raises:
            StoreError: It could not be written.
        """
        store: object = self._stores.get(suite)
        if isinstance(store, HasRounds):
            store.complete_round(self._counting(suite, store)[0])

    def transport(self, provider: str) -> str:
        """What carries the calls of a provider; "" if it was not needed."""
        account = self._accounts.get(provider)
        return "" if account is None else account.transport

    def notes(self, provider: str) -> tuple[str, ...]:
        """What the account of a provider wants to have told."""
        account = self._accounts.get(provider)
        return account.notes if isinstance(account, HasNotes) else ()

    def complaints(self) -> tuple[str, ...]:
        """What the stores that were read had to skip."""
        found: list[str] = []
        for store in tuple(self._stores.values()):
            with suppress(StoreError):  # told by the trials that could not be looked up
                found += store.complaints if isinstance(store, SkipsLines) else ()
        return tuple(found)

    async def close(self) -> tuple[PromptGateError, ...]:
        """Close everything; what went wrong."""
        faults: list[PromptGateError] = []
        for provider, account in self._accounts.items():
            try:
                await asyncio.wait_for(account.close(), CLOSE_S)
            except Exception as error:  # noqa: BLE001 accounts may be plugins' code, and the others want closing too
                faults.append(AccountStopped(provider, f"the account could not be closed: {described(error)}"))
        for store in self._stores.values():
            try:
                store.close()
            except StoreError as error:
                faults.append(error)
        return tuple(faults)

    def _store(self, job: Job) -> ResponseStore:
        return self._store_of(job.plan.suite.name)

    def _store_of(self, suite: str) -> ResponseStore:
        if suite not in self._stores:
            self._stores[suite] = self._ports.store_of(suite)
        return self._stores[suite]

    def _rounds_of(self, job: Job, store: object) -> tuple[str, ...]:
        return (job.round,) if job.round else self._counting(job.plan.suite.name, store)

    def _counting(self, suite: str, store: object) -> tuple[str, ...]:
        if suite not in self._rounds:
            complete = store.complete_rounds if isinstance(store, HasRounds) else ()
            self._rounds[suite] = (following(complete),) if self._ports.refresh else counting(complete)
        return self._rounds[suite]


def _miss_hint(differs: str, path: str) -> str:
    command = f"Ask for it with: pytest --prompt-evals {path}"
    return "\n".join(line for line in (differs and f"{differs[0].upper()}{differs[1:]}.", command) if line)


def _key(job: Job, endpoint: str, name: str) -> StoreKey:
    return StoreKey(request=job.trial.digest, endpoint=endpoint, ordinal=job.trial.ordinal, round=name)


def _parts(job: Job) -> dict[str, str]:
    return {**request_parts(job.trial.request), "trial": job.trial.id}
