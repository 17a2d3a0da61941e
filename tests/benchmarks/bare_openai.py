"""What a user writes by hand: `AsyncOpenAI`, a semaphore, `chat.completions.create`. The reference of all ratios.

``python tests/benchmarks/bare_openai.py BASE_URL --cases 1000 --connections 50 [--transport default|aiohttp]``
prints one line of JSON: seconds, CPU milliseconds per case, answers lost. With ``--call post`` it uses the client's
generic call in place of `chat.completions.create`: the least that the client itself costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any


def body_of(number: int) -> dict[str, Any]:
    """Question `number`."""
    system = {"role": "system", "content": "You are a support agent of Acme."}
    question = {"role": "user", "content": f"question {number}"}
    return {"model": "gpt-4o-2024-11-20", "messages": [system, question], "temperature": 0}


async def ask_all(base_url: str, *, cases: int, connections: int, transport: str, call: str) -> dict[str, float]:
    """Ask `cases` questions, `connections` at once."""
    import openai

    settings = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=connections)
    http = (openai.DefaultAioHttpClient if transport == "aiohttp" else openai.DefaultAsyncHttpxClient)(limits=settings)
    client = openai.AsyncOpenAI(api_key="none", base_url=base_url, http_client=http)
    places = asyncio.Semaphore(connections)
    lost = 0

    async def ask(number: int) -> None:
        nonlocal lost
        async with places:
            try:
                if call == "post":
                    await client.post("/chat/completions", body=body_of(number), cast_to=object)
                else:
                    await client.chat.completions.create(**body_of(number))
            except openai.APIError:
                lost += 1

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(ask(number) for number in range(cases)))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    await client.close()
    return {"seconds": round(seconds, 3), "cpu_ms": round(used / cases * 1000, 3), "lost": lost}


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--transport", choices=("default", "aiohttp"), default="default")
    parser.add_argument("--call", choices=("create", "post"), default="create")
    given = parser.parse_args()
    figures = ask_all(
        given.base_url,
        cases=given.cases,
        connections=given.connections,
        transport=given.transport,
        call=given.call,
    )
    print(json.dumps(asyncio.run(figures)))


if __name__ == "__main__":
    main()
