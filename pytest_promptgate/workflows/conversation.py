"""One trial, several turns: each answer is appended to the messages, then the next user turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Message
from pytest_promptgate.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.ports import Account
    from pytest_promptgate.core.types import Completion, Request


async def conversed(account: Account, request: Request) -> Completion:
    """The answer to the last turn of `request`, with the tokens and the time of all turns.

    Raises:
        CallError: As `Account.ask`, of whichever turn; or an answer in between calls a tool that nobody runs.
    """
    if not request.turns:
        return await account.ask(request)
    messages = request.messages
    answers = [await account.ask(replace(request, turns=()))]
    for number, turn in enumerate(request.turns, 1):
        answer = answers[-1]
        if answer.tool_calls:
            called, turns = answer.tool_calls[0].name, len(request.turns) + 1
            what = f"turn {number} of {turns} was answered with a call of {called!r}"
            raise CallError(str(request.pin), what, hint="Nobody runs tools here; a `target:` can, turn by turn.")
        messages = (*messages, Message(role="assistant", content=answer.text), Message(role="user", content=turn))
        answers.append(await account.ask(replace(request, messages=messages, turns=())))
    return _whole(answers)


def _whole(answers: Sequence[Completion]) -> Completion:
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
