"""The server: raw asyncio, HTTP/1.1 with keep-alive, several thousand requests a second.

In a test::

    with LoopbackServer(answers={"hello": "hi"}, latency=0.02) as server:
        ... server.base_url, server.requests, server.count

For a benchmark, as a process of its own: ``python -m tests.loopback.server --port 8123 --latency 0.2``.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from .connection import Connection
from .embeddings import letters
from .faults import Bucket, Chance, Fault, Faults, Wire, html, rate_limited, server_error, unknown_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from .answers import Answers
    from .batches import BatchEndpoint
    from .embeddings import Vectors

# Seconds, or a draw of seconds.
Latency: TypeAlias = "float | Callable[[random.Random], float]"


def stragglers(usual: float, *, share: float, slow: float) -> Latency:
    """`usual` seconds, but `slow` seconds for a `share` of the requests."""
    return lambda draw: slow if draw.random() < share else usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as it came."""

    path: str
    headers: dict[str, str]  # by lower-case name, nothing left out
    body: dict[str, Any]
    at: float  # time.monotonic()


class LoopbackServer:
    """An OpenAI-compatible server in a background thread.

    Args:
        answers: Who answers: a function of the body, a mapping from last user message, or None for an echo.
        latency: Seconds before a reply, or a function of a seeded generator.
        faults: A list (one per request, then answers), or a function of number and body.
        bucket: Refuses what comes too fast.
        model: What a reply names; None echoes the model that was asked.
        models: If given, all others are 404.
        record: Keep every request; benchmarks turn it off.
        batches: The Batch endpoint, if there is to be one.
        vectors: Embeds a text.
    """

    def __init__(
        self,
        *,
        answers: Answers = None,
        latency: Latency = 0.0,
        faults: Faults = None,
        bucket: Bucket | None = None,
        model: str | None = None,
        models: Sequence[str] = (),
        seed: int = 0,
        port: int = 0,
        record: bool = True,
        batches: BatchEndpoint | None = None,
        vectors: Vectors = letters,
    ) -> None:
        self.answers = answers
        self.latency = latency
        self.faults = faults
        self.bucket = bucket
        self.model = model
        self.models = models
        self.batches = batches
        self.vectors = vectors
        self.requests: list[Recorded] = []
        self.count = 0
        self.most_at_once = 0
        self.at_once = 0
        self._record = record
        self._draw = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", port), backlog=2048)
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._run, name="loopback", daemon=True)
        self._listening = threading.Event()
        self._connections: set[Connection] = set()

    @property
    def base_url(self) -> str:
        """What a client's ``base_url`` should be."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def origin(self) -> str:
        """Without a path: what Azure calls the endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Drop all connections and stop listening; idempotent."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        listening = self._loop.run_until_complete(self._loop.create_server(lambda: Connection(self), sock=self._socket))
        self._loop.call_soon(self._listening.set)
        self._loop.run_forever()
        listening.close()
        for connection in tuple(self._connections):
            connection.abort()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def fault_for(self, number: int, body: dict[str, Any]) -> Fault | None:
        """The fault that meets request `number` (from 0), if any."""
        if self.bucket is not None and (refused := self.bucket.take(time.monotonic())):
            return refused
        if self.models and body.get("model") not in self.models:
            return unknown_model(str(body.get("model")))
        if callable(self.faults):
            return self.faults(number, body)
        if self.faults is not None and number < len(self.faults):
            return self.faults[number]
        return None

    def wait_for(self) -> float:
        """Seconds before the next reply."""
        return self.latency(self._draw) if callable(self.latency) else self.latency

    def note(self, path: str, head: bytes, body: dict[str, Any]) -> int:
        """Record one request; its number, from 0."""
        number = self.count
        self.count += 1
        if self._record:
            lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:] if line)
            headers = {name.lower(): value for name, _, value in lines}
            self.requests.append(Recorded(path=path, headers=headers, body=body, at=time.monotonic()))
        return number

    def connected(self, connection: Connection) -> None:
        """Keep it, to drop it at the end."""
        self._connections.add(connection)

    def disconnected(self, connection: Connection) -> None:
        """Forget it."""
        self._connections.discard(connection)


def closed_port() -> int:
    """A port of the loopback interface where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; prints the base URL first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--straggler-share", type=float, default=0.0)
    parser.add_argument("--straggler-latency", type=float, default=10.0, help="seconds")
    parser.add_argument("--rate", type=float, default=0.0, help="token bucket: requests per second")
    parser.add_argument("--burst", type=float, default=1.0, help="token bucket: its size")
    parser.add_argument("--hints", action="store_true", help="token bucket: send x-ratelimit-* headers")
    parser.add_argument("--too-many", type=float, default=0.0, help="share of 429")
    parser.add_argument("--retry-after", type=float, default=None, help="seconds, sent with --too-many")
    parser.add_argument("--broken", type=float, default=0.0, help="share of 500")
    parser.add_argument("--dropped", type=float, default=0.0, help="share of connections dropped half-way")
    parser.add_argument("--html", type=float, default=0.0, help="share of HTML pages with status 200")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    slow = stragglers(given.latency, share=given.straggler_share, slow=given.straggler_latency)
    shares = {
        rate_limited(given.retry_after): given.too_many,
        server_error(): given.broken,
        Fault(wire=Wire.DROPPED): given.dropped,
        html(): given.html,
    }
    server = LoopbackServer(
        latency=slow if given.straggler_share else given.latency,
        bucket=Bucket(rate=given.rate, burst=given.burst, hints=given.hints) if given.rate else None,
        faults=Chance(shares=shares, seed=given.seed) if any(shares.values()) else None,
        port=given.port,
        seed=given.seed,
        record=False,
    )
    with server:
        print(server.base_url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
