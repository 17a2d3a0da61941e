"""Providers simulated without a clock: hours of traffic in milliseconds, the same every time."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pytest_promptgate.models.limiter import Limiter


# (now, requests under way at the provider) -> None for an answer, or Retry-After in seconds (nan: not said).
Provider: TypeAlias = Callable[[float, int], "float | None"]


@dataclass(slots=True)
class Traffic:
    """What happened: times of starts, of answers, of refusals."""

    starts: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    limits: list[tuple[float, float]] = field(default_factory=list)

    def answered(self, begin: float, end: float) -> int:
        """Answers in [begin, end)."""
        return sum(begin <= at < end for at in self.answers)

    def refused_share(self, begin: float, end: float) -> float:
        """Share of refusals among the replies in [begin, end)."""
        refused = sum(begin <= at < end for at in self.refusals)
        return refused / max(1, refused + self.answered(begin, end))


def simulate(
    limiter: Limiter,
    provider: Provider,
    *,
    seconds: float,
    latency: Callable[[float, int], float] = lambda _, __: 0.2,
    refusal: float = 0.2,
) -> Traffic:
    """Ask as much as `limiter` allows, for `seconds`; a refusal takes `refusal` times the latency of an answer."""
    traffic, order, events = Traffic(), itertools.count(), list[tuple[float, int, int, float | None, float]]()
    now, under_way = 0.0, 0
    while now < seconds:
        wait = limiter.wait(now)
        if wait <= 1e-9:
            ticket = limiter.start(now)
            traffic.starts.append(now)
            verdict = provider(now, under_way)
            took = latency(now, under_way) * (1.0 if verdict is None else refusal)
            under_way += 1
            heapq.heappush(events, (now + took, next(order), ticket, verdict, took))
            continue
        until = events[0][0] if events else math.inf
        if now + wait < until:
            now += wait
            continue
        now, _, ticket, verdict, took = heapq.heappop(events)
        under_way -= 1
        if verdict is None:
            limiter.accepted(ticket, now, took)
            traffic.answers.append(now)
        else:
            limiter.refused(ticket, now, None if math.isnan(verdict) else verdict)
            traffic.refusals.append(now)
        traffic.limits.append((now, limiter.limit))
    return traffic


def bucket(rate: float, burst: float, *, retry_after: Callable[[float], float] = lambda wait: wait) -> Provider:
    """A token bucket; `retry_after` makes the header of the seconds until the next token."""
    tokens, seen = burst, 0.0

    def answer(now: float, _: int) -> float | None:
        nonlocal tokens, seen
        tokens, seen = min(burst, tokens + (now - seen) * rate), now
        if tokens >= 1:
            tokens -= 1
            return None
        return retry_after((1 - tokens) / rate)

    return answer


def at_most(places: int, *, retry_after: float = math.nan) -> Provider:
    """A provider that refuses more than `places` requests at once."""
    return lambda _, under_way: None if under_way < places else retry_after


def at_random(share: float, *, retry_after: float = math.nan, seed: int = 0) -> Provider:
    """A provider that refuses by chance, whatever the load."""
    draw = random.Random(seed)
    return lambda _, __: retry_after if draw.random() < share else None
