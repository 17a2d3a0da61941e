"""Users' callables behind the engine's port: each call is one answer, whatever happens inside."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.targets import arguments_of
from pytest_promptgate.core.types import Completion
from pytest_promptgate.errors import TargetError
from pytest_promptgate.workflows.left_out import LeftOut
from pytest_promptgate.workflows.returned import completion_of
from pytest_promptgate.workflows.scoring import being_cancelled, described, place_in_users_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.types import Request, Target


class TargetAccount:
    """All targets of a run. Coroutine functions run in the engine's loop, all others in threads.

    Args:
        targets: By reference, as in ``Request.pin.name``.
        most: Calls that may be under way, and so threads.
    """

    endpoint = "target"
    transport = "python"

    def __init__(self, targets: Mapping[str, Target], *, most: int) -> None:
        self._targets = targets
        self._most = most
        self._under_way = 0
        self._left = asyncio.Event()

    async def room(self) -> None:
        """Return when one more may start."""
        await asyncio.sleep(0)  # those that were let in before get as far as `ask`
        while self._under_way >= self._most:
            self._left.clear()
            await self._left.wait()

    async def ask(self, request: Request) -> Completion:
        """Call the target; `latency_s` is the time that it took, unless it says another.

        Raises:
            TargetError: It raised, took longer than its suite allows, or returned what is no answer.
        """
        target = self._targets[request.pin.name]
        self._under_way += 1
        started = time.perf_counter()
        try:
            async with asyncio.timeout(target.timeout_s) as limit:
                returned = await called(target.call, arguments_of(request))
        except BaseException as error:
            if being_cancelled(error) or isinstance(error, LeftOut | TargetError):
                raise
            raise _fault(target, error, expired=limit.expired()) from error
        finally:
            self._under_way -= 1
            self._left.set()
        completion = completion_of(target.reference, returned)
        took = time.perf_counter() - started
        return completion if completion.latency_s is not None else replace(completion, latency_s=took)

    async def close(self) -> None:
        """Nothing is open; a thread that is still busy ends with the process."""


def _fault(target: Target, error: BaseException, *, expired: bool) -> TargetError:
    if expired and isinstance(error, TimeoutError):
        what = f"the target took longer than {target.timeout_s:g} s"
        return TargetError(
            target.reference, what, hint="Write `timeout_s` beside its `call:`, or in the marker, to grant it more."
        )
    where = place_in_users_code(error.__traceback__)
    return TargetError(target.reference, f"the target raised {described(error)}", hint=where and f"at {where}")


async def called(call: Callable[..., Any], arguments: dict[str, Any]) -> object:
    """What users' `call` returns: a coroutine function in this loop, any other one in a thread of its own."""
    if _is_async(call):
        return await call(**arguments)
    returned = await _in_thread(call, arguments)
    return await returned if inspect.isawaitable(returned) else returned


def _is_async(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


async def _in_thread(call: Callable[..., Any], arguments: dict[str, Any]) -> object:
    """Call in a thread of its own that no exit of the process waits for, as an executor's would be."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()
    context = contextvars.copy_context()

    def tell(returned: object, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(returned)
        else:
            done.set_exception(_carried(error))

    def work() -> None:
        returned, error = None, None
        try:
            returned = context.run(call, **arguments)
        except BaseException as raised:  # noqa: BLE001 users' code; SystemExit would end the thread in silence
            error = raised
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(tell, returned, error)

    threading.Thread(target=work, name="promptgate-target", daemon=True).start()
    return await done


def _carried(error: BaseException) -> BaseException:
    """`error`, or what a future can hold in its place: `StopIteration` would end the wrong generator."""
    if not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"StopIteration: {error}").with_traceback(error.__traceback__)
