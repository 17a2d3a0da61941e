"""Several turns in one trial."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from fakes import PIN, FakeAccount, completion

from pytest_promptgate.core.types import Completion, Message, Request, ToolCall
from pytest_promptgate.errors import CallError, TransportFault
from pytest_promptgate.workflows.conversation import conversation, whole

if TYPE_CHECKING:
    from fakes import Script

REQUEST = Request(pin=PIN, messages=(Message(role="user", content="one"),), parameters={}, turns=("two", "three"))
CALL = Completion(text="", tool_calls=(ToolCall(name="look_up", arguments="{}"),))


def played(script: Script) -> tuple[Completion, FakeAccount]:
    account = FakeAccount(script)

    async def all_turns() -> list[Completion]:
        return [each async for each in conversation(account, REQUEST)]

    return whole(asyncio.run(all_turns())), account


def test_each_answer_is_appended_before_the_next_turn() -> None:
    answer, account = played(lambda request: f"to {request.messages[-1].content}")

    assert answer.text == "to three"
    assert [each.turns for each in account.asked] == [(), (), ()]
    assert [(each.role, each.content) for each in account.asked[-1].messages] == [
        ("user", "one"),
        ("assistant", "to one"),
        ("user", "two"),
        ("assistant", "to two"),
        ("user", "three"),
    ]


def test_tokens_and_time_of_all_turns_are_counted() -> None:
    answer, _ = played(lambda _: completion("abcd"))

    assert (answer.tokens_in, answer.tokens_out, answer.tokens_cached) == (30, 12, None)
    assert answer.latency_s == pytest.approx(0.03)


def test_a_count_that_one_turn_lacks_is_not_known() -> None:
    answer, _ = played(lambda request: Completion(text="a", tokens_in=None if len(request.messages) > 1 else 5))

    assert (answer.tokens_in, answer.latency_s) == (None, None)


def test_a_fault_of_any_turn_is_the_trials() -> None:
    fault = TransportFault("fake/m", "gone")

    with pytest.raises(TransportFault, match="gone"):
        played(lambda request: fault if len(request.messages) == 3 else "fine")


def test_an_answer_in_between_that_calls_a_tool_is_an_error() -> None:
    with pytest.raises(CallError) as caught:
        played(lambda request: CALL if len(request.messages) == 3 else "fine")

    assert str(caught.value) == (
        "fake/model-2025-01-01: turn 2 of 3 was answered with a call of 'look_up'\n"
        "  Nobody runs tools here; a `target:` can, turn by turn."
    )


def test_a_tool_call_at_the_end_is_an_answer() -> None:
    answer, _ = played(lambda request: CALL if len(request.messages) == 5 else "fine")

    assert answer.tool_calls == CALL.tool_calls
