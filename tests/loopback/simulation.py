"""Providers simulated without a clock: hours of traffic in milliseconds, the same every time."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.errors import TransportFault

if TYPE_CHECKING:
    from pytest_promptgate.models.limiter import Limiter
    from pytest_promptgate.models.retries import RetryPolicy


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


@dataclass(slots=True, kw_only=True)
class Finished:
    """What became of a number of questions."""

    seconds: float
    answered: int
    given_up: int
    refused: int


def ask_all(questions: int, limiter: Limiter, provider: Provider, policy: RetryPolicy, *, seed: int) -> Finished:
    """Ask until every question is answered or given up; each reply takes a fifth of a second, as answers do."""
    draw, order = random.Random(seed), itertools.count()
    new, again = list(range(questions)), list[int]()
    began, tries = dict[int, float](), dict[int, int]()
    replies, asleep = list[tuple[float, int, int, int, float | None]](), list[tuple[float, int, int]]()
    now, end = 0.0, Finished(seconds=0.0, answered=0, given_up=0, refused=0)
    while new or again or replies or asleep:
        while asleep and asleep[0][0] <= now:
            again.append(heapq.heappop(asleep)[2])
        wait = limiter.wait(now) if again or new else math.inf
        if wait <= 0.0005:
            question = again.pop(0) if again else new.pop(0)
            began.setdefault(question, now)
            tries[question] = tries.get(question, 0) + 1
            reply = provider(now, len(replies))
            heapq.heappush(replies, (now + draw.uniform(0.196, 0.21), next(order), limiter.start(now), question, reply))
            continue
        now = max(now, min(now + wait, *(each[0][0] for each in (replies, asleep) if each), math.inf))
        if not replies or replies[0][0] > now:
            continue
        _, _, ticket, question, reply = heapq.heappop(replies)
        if reply is None:
            limiter.accepted(ticket, now, 0.2)
            end.answered, end.seconds = end.answered + 1, now
            continue
        end.refused += 1
        after = None if math.isnan(reply) else reply
        limiter.refused(ticket, now, after)
        fault = TransportFault("simulated", "refused", retry_after=after, overloaded=True)
        chance, elapsed = limiter.noise > 0, now - began[question]
        pause = policy.wait(fault, tries=tries[question], elapsed=elapsed, draw=draw, by_chance=chance)
        if pause is None:
            end.given_up += 1
        else:
            heapq.heappush(asleep, (now + pause, next(order), question))
    return end


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
