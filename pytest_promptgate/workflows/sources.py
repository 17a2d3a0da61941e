"""Where answers come from: accounts and stores, each opened at the first trial that needs it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import request_parts
from pytest_promptgate.core.ports import Account, ExplainsMisses, HasNotes, ResponseStore, StoreKey
from pytest_promptgate.errors import AccountStopped, PromptGateError, StoreError
from pytest_promptgate.workflows.scoring import described

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_promptgate.core.types import Completion
    from pytest_promptgate.workflows.jobs import Job

CLOSE_S = 2.0  # for one account to give its connections back


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world as the engine sees it; see `Evaluation`."""

    account_of: Callable[[str], Account]
    store_of: Callable[[str], ResponseStore]
    round_of: Callable[[str], str]
    offline: bool


class Sources:
    """Opens what is needed, once; used in the loop's thread alone."""

    def __init__(self, ports: Ports) -> None:
        self.offline = ports.offline
        self._ports = ports
        self._accounts: dict[str, Account] = {}
        self._stores: dict[str, ResponseStore] = {}

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
        return self._store(job).get(self._key(job, endpoint))

    def keep(self, job: Job, endpoint: str, completion: Completion) -> None:
        """Store one answer.

        Raises:
            StoreError: It could not be written.
        """
        self._store(job).put(self._key(job, endpoint), completion, parts=_parts(job))

    def miss(self, job: Job, endpoint: str) -> StoreError:
        """What to say of a trial that has no stored answer, when nothing may be asked."""
        store, key = self._store(job), self._key(job, endpoint)
        differs = store.explain_miss(key, parts=_parts(job)) if isinstance(store, ExplainsMisses) else ""
        command = f"Ask for it with: pytest --prompt-evals {job.plan.suite.path}"
        hint = "\n".join(line for line in (differs and f"{differs[0].upper()}{differs[1:]}.", command) if line)
        return StoreError(job.name, "no answer is stored, and --prompt-offline asks nothing", hint=hint)

    def notes(self, provider: str) -> tuple[str, ...]:
        """What the account of a provider wants to have told."""
        account = self._accounts.get(provider)
        return account.notes if isinstance(account, HasNotes) else ()

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
        suite = job.plan.suite.name
        if suite not in self._stores:
            self._stores[suite] = self._ports.store_of(suite)
        return self._stores[suite]

    def _key(self, job: Job, endpoint: str) -> StoreKey:
        trial, suite = job.trial, job.plan.suite.name
        return StoreKey(
            request=trial.digest, endpoint=endpoint, ordinal=trial.ordinal, round=self._ports.round_of(suite)
        )


def _parts(job: Job) -> dict[str, str]:
    return {**request_parts(job.trial.request), "trial": job.trial.id}
