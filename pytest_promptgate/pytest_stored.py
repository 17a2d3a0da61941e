"""What the response store of a suite holds, before the engine is asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate import wiring
from pytest_promptgate.core.rounds import counting
from pytest_promptgate.core.targets import TARGET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_promptgate.core.ports import StoreKey
    from pytest_promptgate.core.types import Completion
    from pytest_promptgate.pytest_session import EvalSession


def endpoint_of(evals: EvalSession, provider: str) -> str:
    """Who is asked, as the store's keys say it; the engine's own account is left alone."""
    if provider == TARGET:
        return evals.account(provider).endpoint
    return wiring.account_of(provider, evals.project, evals.toolbox(), connections=1).endpoint


@contextmanager
def stored_replies(evals: EvalSession, suite: str) -> Iterator[Callable[[StoreKey], Completion | None]]:
    """Looks keys up in the rounds of the store that count, whatever round they name."""
    store = evals.store(suite)

    def reply(key: StoreKey) -> Completion | None:
        found = (store.get(replace(key, round=name)) for name in counting(store.complete_rounds))
        return next((each for each in found if each is not None), None)

    try:
        yield reply
    finally:
        store.close()
