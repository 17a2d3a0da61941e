"""Who goes first through the turnstile."""

from __future__ import annotations

import asyncio

from pytest_promptgate.models.limiter import Limiter
from pytest_promptgate.models.turnstile import Turnstile


def turnstile(most: int) -> Turnstile:
    return Turnstile(Limiter(most=most), clock=lambda: 0.0)


def test_a_request_that_is_asked_again_goes_before_new_ones() -> None:
    async def run() -> list[str]:
        gate, order = turnstile(1), list[str]()
        holder = await gate.enter(again=False, tokens=0.0)

        async def go(name: str, *, again: bool) -> None:
            ticket = await gate.enter(again=again, tokens=0.0)
            order.append(name)
            gate.leave(ticket)

        tasks = [asyncio.create_task(go("new 1", again=False)), asyncio.create_task(go("new 2", again=False))]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(go("again", again=True)))
        await asyncio.sleep(0)
        gate.leave(holder)
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(run()) == ["again", "new 1", "new 2"]


def test_room_counts_the_requests_that_were_begun() -> None:
    async def run() -> tuple[int, bool]:
        gate, begun = turnstile(3), 0

        async def hold() -> None:
            await gate.enter(again=False, tokens=0.0)
            await asyncio.Event().wait()

        tasks = []
        try:
            async with asyncio.timeout(0.05):
                while True:
                    await gate.room()
                    tasks.append(asyncio.create_task(hold()))
                    begun += 1
        except TimeoutError:
            pass
        full = gate.limiter.under_way == 3
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return begun, full

    assert asyncio.run(run()) == (3, True)


def test_a_place_granted_to_someone_who_left_is_not_lost() -> None:
    async def run() -> int:
        gate = turnstile(1)
        holder = await gate.enter(again=False, tokens=0.0)
        waiting = asyncio.create_task(gate.enter(again=False, tokens=0.0))
        await asyncio.sleep(0)
        gate.leave(holder)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return gate.limiter.under_way

    assert asyncio.run(run()) == 0


def test_whoever_waits_for_room_is_woken_when_a_place_is_free() -> None:
    async def run() -> bool:
        gate = turnstile(1)
        holder = await gate.enter(again=False, tokens=0.0)
        waiting = asyncio.create_task(gate.room())
        await asyncio.sleep(0.01)
        early = waiting.done()
        gate.leave(holder)
        async with asyncio.timeout(5):
            await waiting
        return early

    assert asyncio.run(run()) is False
