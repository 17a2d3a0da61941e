"""The loopback server as a process of its own, so that it takes no processor time from the process that is measured.

``python -m tests.benchmarks.serve '{"latency": 0.02}'`` prints the base URL, and what it saw when its input ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .processes import ROOT

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as for the tests, which share the loopback server

from loopback.faults import Bucket, Chance, Fault, Wire, rate_limited, server_error
from loopback.server import LoopbackServer

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What the server does."""

    latency: float = 0.0  # seconds
    rate: float = 0.0  # of a token bucket, requests per second; 0: none
    burst: float = 1.0
    too_many: float = 0.0  # share of 429
    retry_after: float | None = None  # seconds, sent with `too_many`
    broken: float = 0.0  # share of 500
    dropped: float = 0.0  # share of connections dropped half-way
    seed: int = 0  # of what happens by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the server saw."""

    requests: int
    most_tries: int  # of one question, where faults come by chance
    answered: list[float]  # when the bucket let a request pass, seconds since the first one
    refused: list[float]


@dataclass(slots=True)
class _WatchedBucket(Bucket):
    """A bucket that remembers when it let pass, and when not."""

    answered: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)

    def take(self, now: float) -> Fault | None:
        # By name: `super()` without arguments does not find the class that `slots` made.
        fault = Bucket.take(self, now)
        (self.answered if fault is None else self.turned_away).append(now)
        return fault


class Served:
    """A running server; `seen` after the block tells what it saw."""

    def __init__(self, **behaviour: Any) -> None:
        self._behaviour = Behaviour(**behaviour)
        self.base_url = ""
        self.seen = Seen(requests=0, most_tries=0, answered=[], refused=[])

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.serve", json.dumps(_plain(self._behaviour))],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.base_url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        output, _ = self._process.communicate()
        if kind is None:
            self.seen = Seen(**json.loads(output))


def _plain(behaviour: Behaviour) -> dict[str, Any]:
    return {name: getattr(behaviour, name) for name in Behaviour.__slots__}


def main() -> None:
    """Serve until the input ends."""
    given = Behaviour(**json.loads(sys.argv[1]))
    shares = {
        rate_limited(given.retry_after): given.too_many,
        server_error(): given.broken,
        Fault(wire=Wire.DROPPED): given.dropped,
    }
    bucket = _WatchedBucket(rate=given.rate, burst=given.burst) if given.rate else None
    faults = Chance(shares=shares, seed=given.seed) if any(shares.values()) else None
    with LoopbackServer(latency=given.latency, bucket=bucket, faults=faults, record=False) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()
        told: dict[str, Any] = {"requests": server.count, "answered": [], "refused": []}
        told["most_tries"] = 0 if faults is None else faults.most_tries
        if bucket is not None:
            began = min([*bucket.answered, *bucket.turned_away], default=time.monotonic())
            told["answered"] = [round(at - began, 4) for at in bucket.answered]
            told["refused"] = [round(at - began, 4) for at in bucket.turned_away]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
