"""Users' callables behind the engine's port, and what of them counts as an answer."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_promptgate.core.targets import arguments_of, call_messages
from pytest_promptgate.core.types import Completion, ModelPin, Request, Target
from pytest_promptgate.errors import TargetError
from pytest_promptgate.workflows.targets import TargetAccount

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE = "app:answer"
ACCEPTED = 'Return text, a Completion, or (text, {"tokens_in": 12, "tokens_out": 3}).'


@dataclass(frozen=True)
class Usage:
    """As client libraries have it."""

    prompt_tokens: int = 12
    completion_tokens: int = 3


def request(**arguments: Any) -> Request:
    pin = ModelPin(provider="target", name=REFERENCE)
    return Request(pin=pin, messages=call_messages(arguments), parameters={"version": "1"})


def account(call: Callable[..., Any], *, timeout_s: float = 20.0, most: int = 4) -> TargetAccount:
    target = Target(reference=REFERENCE, version="1", timeout_s=timeout_s, call=call)
    return TargetAccount({REFERENCE: target}, most=most)


def asked(call: Callable[..., Any], **arguments: Any) -> Completion:
    async def main() -> Completion:
        return await account(call).ask(request(**arguments))

    return asyncio.run(main())


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(TargetError) as caught:
        asked(call, **arguments)
    return str(caught.value)


def test_arguments_come_back_as_they_were() -> None:
    given = {"text": "ä\ud800", "rows": [1, 1.0, None, {"deep": True}]}

    assert arguments_of(request(**given)) == given
    assert arguments_of(request(**given)) is not given


def test_a_coroutine_function_runs_in_the_loop_and_a_function_in_a_thread() -> None:
    async def slow(who: str) -> str:
        await asyncio.sleep(0)
        return f"{who} {threading.current_thread() is threading.main_thread()}"

    def plain(who: str) -> str:
        return f"{who} {threading.current_thread() is threading.main_thread()}"

    assert asked(slow, who="a").text == "a True"
    assert asked(plain, who="a").text == "a False"


def test_an_instance_and_a_function_that_returns_an_awaitable_are_awaited() -> None:
    class Agent:
        async def __call__(self, who: str) -> str:
            return who

    def later(who: str) -> object:
        return Agent()(who)

    assert asked(Agent(), who="a").text == "a"
    assert asked(later, who="b").text == "b"


def test_sync_calls_overlap_but_no_more_than_the_bound() -> None:
    gate, seen = threading.Barrier(2, timeout=20), []

    def meet(who: int) -> str:
        seen.append(who)
        gate.wait()
        return str(who)

    async def main() -> list[str]:
        found: list[asyncio.Task[Completion]] = []
        one = account(meet, most=2)
        for who in range(4):
            await one.room()
            found.append(asyncio.create_task(one.ask(request(who=who))))
            await asyncio.sleep(0)
            assert one._under_way <= 2
        return [(await each).text for each in found]

    assert asyncio.run(main()) == ["0", "1", "2", "3"]
    assert sorted(seen) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("returned", "tokens"),
    [
        ("yes", (None, None, None)),
        (("yes", None), (None, None, None)),
        (("yes", {"tokens_in": 12, "tokens_out": 3, "tokens_cached": 0}), (12, 3, 0)),
        (("yes", {"input_tokens": 12, "output_tokens": 3}), (12, 3, None)),
        (("yes", Usage()), (12, 3, None)),
        (Completion(text="yes", tokens_in=1), (1, None, None)),
    ],
)
def test_these_are_answers(returned: object, tokens: tuple[int | None, ...]) -> None:
    completion = asked(lambda: returned)

    assert completion.text == "yes"
    assert (completion.tokens_in, completion.tokens_out, completion.tokens_cached) == tokens
    assert completion.latency_s is not None


def test_a_latency_that_the_target_tells_is_kept() -> None:
    assert asked(lambda: Completion(text="yes", latency_s=7.5)).latency_s == 7.5


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (None, "None"),
        (3, "3"),
        ({"text": "yes"}, "a dict"),
        (b"yes", "a bytes"),
        (("yes",), "a tuple"),
        (["yes", {}], "a list"),
        ((1, {}), "a tuple"),
        (("yes", {"total": 3}), "text and a dict, which counts no tokens"),
        (("yes", {"tokens_in": "3"}), "a str as a count of tokens"),
        (("yes", {"tokens_in": -3}), "-3 as a count of tokens"),
        (Completion(text=None), "a Completion"),  # type: ignore[arg-type]
    ],
)
def test_anything_else_is_an_error_of_its_case(returned: object, told: str) -> None:
    assert refused(lambda: returned) == f"app:answer: the target returned {told}\n  {ACCEPTED}"


@pytest.mark.parametrize("error", [ValueError("no\nkey"), SystemExit(3), asyncio.CancelledError()])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_a_target_raises_names_the_users_line(error: BaseException, kind: str) -> None:
    def fail() -> str:
        raise error  # the users' line

    async def fail_later() -> str:
        return fail()

    line = fail.__code__.co_firstlineno + 1
    said = refused(fail if kind == "sync" else fail_later)

    assert said.startswith("app:answer: the target raised ")
    assert said.endswith(f"\n  at {'tests/workflows/test_targets.py'}:{line}")
    assert type(error).__name__ in said


def test_a_stop_iteration_is_told_like_any_other_error() -> None:
    def fail() -> object:
        return next(iter(()))

    assert refused(fail).startswith("app:answer: the target raised RuntimeError: StopIteration:\n  at ")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_call_that_takes_too_long_is_an_error_of_its_case(kind: str) -> None:
    never = threading.Event()

    async def hang() -> str:
        await asyncio.sleep(60)
        return ""

    async def main() -> None:
        await account(hang if kind == "async" else never.wait, timeout_s=0.01).ask(request())

    with pytest.raises(TargetError) as caught:
        asyncio.run(main())
    never.set()

    assert str(caught.value) == (
        "app:answer: the target took longer than 0.01 s\n"
        "  Write `timeout_s` beside its `call:`, or in the marker, to grant it more."
    )


def test_a_timeout_of_the_targets_own_is_told_as_its_own() -> None:
    def fail() -> str:
        raise TimeoutError("of a client")

    assert refused(fail).startswith("app:answer: the target raised TimeoutError: of a client\n  at ")
