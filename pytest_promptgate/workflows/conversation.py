"""One trial, several turns: each answer is appended to the messages, then the next user turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Message
from pytest_promptgate.errors import CallError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from pytest_promptgate.core.ports import Account
    from pytest_promptgate.core.types import Completion, Request


async def conversation(account: Account, request: Request) -> AsyncIterator[Completion]:
    """The answers to all turns of `request`, each as soon as it is there: it is paid, whatever becomes of the next.

    Raises:
        CallError: As `Account.ask`, of whichever turn; or an answer in between calls a tool that nobody runs.
    """
    messages = request.messages
    answer = await account.ask(replace(request, turns=()))
    yield answer
    for number, turn in enumerate(request.turns, 1):
        if answer.tool_calls:
            called, turns = answer.tool_calls[0].name, len(request.turns) + 1
            what = f"turn {number} of {turns} was answered with a call of {called!r}"
            raise CallError(str(request.pin), what, hint="Nobody runs tools here; a `target:` can, turn by turn.")
        messages = (*messages, Message(role="assistant", content=answer.text), Message(role="user", content=turn))
        answer = await account.ask(replace(request, messages=messages, turns=()))
        yield answer


def whole(answers: Sequence[Completion]) -> Completion:
    """The last of `answers`, at least one, with the tokens and the time of all of them."""
    if len(answers) == 1:
        return answers[0]
    latencies = [each.latency_s for each in answers if each.latency_s is not None]
    return replace(
        answers[-1],
        tokens_in=_sum([each.tokens_in for each in answers]),
        tokens_out=_sum([each.tokens_out for each in answers]),
        tokens_cached=_sum([each.tokens_cached for each in answers]),
        latency_s=sum(latencies) if len(latencies) == len(answers) else None,
        requests=max(each.requests for each in answers),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    """The sum; None if one of them is not known."""
    known = [each for each in counts if each is not None]
    return sum(known) if len(known) == len(counts) else None
