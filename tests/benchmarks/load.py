"""A provider that pushes back: a token bucket, and faults by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cold import ask_cold
from .project import make_project
from .serve import Seen, Served
from .table import Figure, median_ratio, middle

if TYPE_CHECKING:
    from pathlib import Path

RATE = 100.0  # requests per second that the bucket allows
BUCKET_CASES = 2_500
WARM_UP_S = 5.0


def bucket(root: Path, _pairs: int) -> list[Figure]:
    """A token bucket of 100 requests per second; what the server saw, from the fifth second on."""
    with Served(latency=0.05, rate=RATE, burst=10) as server:
        ask_cold(make_project(root, cases=BUCKET_CASES, base_url=server.base_url), connections=64)
    throughput, refused = _steady(server.seen)
    name = f"token bucket of {RATE:.0f}/s, after {WARM_UP_S:.0f} s"
    return [
        Figure(name=f"{name}: of the allowed throughput", value=throughput * 100, unit="%", target=95, least=True),
        Figure(name=f"{name}: refused", value=refused * 100, unit="%", target=2),
        Figure(name="token bucket: refused in the whole run", value=_share(seen=server.seen) * 100, unit="%"),
    ]


def _steady(seen: Seen) -> tuple[float, float]:
    """Share of the allowed throughput, and share refused, between the warm-up and the last full second."""
    end = max(seen.answered) - 1.0
    answered = sum(WARM_UP_S <= at < end for at in seen.answered)
    refused = sum(WARM_UP_S <= at < end for at in seen.refused)
    return answered / ((end - WARM_UP_S) * RATE), refused / max(1, answered + refused)


def _share(seen: Seen) -> float:
    return len(seen.refused) / max(1, len(seen.answered) + len(seen.refused))


def faults(root: Path, pairs: int) -> list[Figure]:
    """1,000 cases on 50 connections: some faults against none, and many refusals against the ideal."""
    name = "faults, 1,000 × 200 ms × 50"
    some, none = [], []
    with Served(latency=0.2) as well:
        clean = make_project(root / "clean", cases=1_000, base_url=well.base_url)
        with Served(latency=0.2, too_many=0.05, broken=0.02, dropped=0.01) as ill:
            faulty = make_project(root / "faulty", cases=1_000, base_url=ill.base_url)
            for _ in range(pairs):
                some.append(ask_cold(faulty, connections=50).seconds)
                none.append(ask_cold(clean, connections=50).seconds)
    many, chains = [], []
    for seed in range(pairs):
        with Served(latency=0.2, too_many=0.4, retry_after=2.0, seed=seed) as busy:
            project = make_project(root / f"busy-{seed}", cases=1_000, base_url=busy.base_url)
            many.append(ask_cold(project, connections=50).seconds)
        # What the request that is refused most often takes where every Retry-After is kept.
        chains.append(0.2 + 2.0 * (busy.seen.most_tries - 1))
    return [
        Figure(name=f"{name}: 5 % 429, 2 % 500, 1 % dropped / none", value=median_ratio(some, none), target=1.3),
        Figure(name=f"{name}: 40 % 429, Retry-After 2 / 4.0 s", value=middle(many) / 4.0, target=3.5),
        Figure(name=f"{name}: 40 % 429, Retry-After 2 / its longest wait", value=median_ratio(many, chains)),
    ]
