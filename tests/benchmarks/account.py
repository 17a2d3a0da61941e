"""Our account alone, without pytest, store and scorers: the same questions as ``bare_openai.py``.

``python tests/benchmarks/account.py BASE_URL --cases 1000 --connections 50`` prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

from pytest_promptgate.core.ports import ProviderSpec
from pytest_promptgate.core.types import Message, ModelPin, Request
from pytest_promptgate.errors import CallError
from pytest_promptgate.models.openai import OpenAIAccount

PIN = ModelPin(provider="bench", name="gpt-4o-2024-11-20")


def question(number: int) -> Request:
    """The same messages as the bare script's."""
    system = Message(role="system", content="You are a support agent of Acme.")
    return Request(
        pin=PIN, messages=(system, Message(role="user", content=f"question {number}")), parameters={"temperature": 0}
    )


async def ask_all(base_url: str, *, cases: int, connections: int) -> dict[str, float]:
    """Ask `cases` questions, begun as the engine begins them: when there is room."""
    spec = ProviderSpec(name="bench", kind="openai", family="openai", base_url=base_url)
    account = OpenAIAccount(spec, connections, seed=0)
    lost = 0

    async def ask(number: int) -> None:
        nonlocal lost
        try:
            await account.ask(question(number))
        except CallError:
            lost += 1

    import openai  # noqa: F401  the bare script's import is not measured either

    began, cpu = time.perf_counter(), time.process_time()
    tasks = []
    for number in range(cases):
        await account.room()
        tasks.append(asyncio.create_task(ask(number)))
    await asyncio.gather(*tasks)
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    await account.close()
    figures = {"seconds": round(seconds, 3), "cpu_ms": round(used / cases * 1000, 3), "lost": lost}
    return figures | {"limit": account.limit}


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=50)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(ask_all(given.base_url, cases=given.cases, connections=given.connections))))


if __name__ == "__main__":
    main()
