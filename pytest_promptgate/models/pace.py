"""A spacing of starts that looks for the rate that a provider allows.

A provider that allows so many requests per second keeps, as it were, a bucket of tokens: it refuses when the bucket is
empty. So what passed from one refusal to the next is what it allows in that time, or less, if the bucket was full in
between. The pace falls back to that, or to the last pace that held without a refusal, and grows by steps that get
smaller with every refusal and larger with every clean one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_promptgate.models.pacing import Spacing

SLOWEST = 0.2  # starts per second; no estimate is good enough to ask less often
CLOSE = 0.01  # growth of a step once the rate is known
FASTEST = 0.5
FASTER = 1.5  # growth of the growth, after a clean step
FINE = 0.1  # growth below which a step takes its time
STEP_S = 2.0
STEP, COARSE_STEP = 25, 4  # requests of a step
PROOF = 20  # requests that make a rate beyond doubt
DOUBTFUL = 0.85  # of a proven rate: it should not be refused
DOUBTS = 4
MOST_NOISE = 0.6  # a share of refusals above it is load
NEGLIGIBLE = 0.005  # share of refusals that is not worth slowing down for
TELLING = 8  # requests that make a rate
FALL = 4.0  # of a pace that was kept, and that should have mended the refusals
ANSWERS, SOME_ANSWERED = 4, 0.8  # answers meanwhile, and a share of refusals below which the provider is at work


@dataclass(slots=True)
class _Mark:
    """A refused request: when it was sent there was nothing left."""

    ticket: int
    sent: float
    refused: int = 0  # since then


class Pace(Spacing):
    """It is told what becomes of every ticket.

    Args:
        rate: Starts per second, to begin with.
        now: Seconds.
        ticket: The first one that this pace holds for.
        growth: How far the rate may be from the true one, e.g. 0.5.
        proven: Answers per second that there were at times, if that is known.
        fall: So many times slower, with refusals as before, and they are taken for chance.
    """

    def __init__(
        self, rate: float, *, now: float, ticket: int, growth: float, proven: float = 0.0, fall: float = FALL
    ) -> None:
        super().__init__(max(rate, SLOWEST), slack=0.05, ready=now)
        self.growth = growth
        self.held_back = False  # a start, in this step
        self._fall = fall
        self._fell_from = self.rate  # the pace at which answers and refusals were counted first
        self._answers = self._refusals = 0  # since the last clean step
        self._epoch = ticket  # what was sent earlier was sent at another pace
        self._empty = _Mark(ticket, now)  # the last refusal
        self._anchor: _Mark | None = None  # one before it
        self._proven = proven  # what passed per second between two refusals, at its highest
        self._overrun = 0  # refusals of what was sent at this pace
        self._share = 0.0  # of refusals, when that was looked at last
        self._failed = math.inf  # the pace that was refused last
        self._doubts = 0  # refusals at a pace that was proven
        self._clean: float | None = None  # the fastest pace that held for a step, since the last refusal
        self._goal = ticket + self._step()

    def accepted(self, ticket: int, following: int) -> None:
        """Grow, if this was the last one of a step.

        Args:
            following: The next ticket.
        """
        self._answers += 1
        if ticket < self._goal:
            return
        self._fell_from, self._answers, self._refusals = self.rate, 0, 0
        if self.held_back:
            self._clean = self.rate
            if self.rate > self._proven:
                self._doubts = 0
            self.rate *= 1 + self.growth
            self.growth = min(FASTEST, self.growth * FASTER)
        self.held_back = False
        self._goal = following + self._step()

    def refused(self, ticket: int, sent: float, now: float, following: int) -> None:
        """Slow down, once for all that were sent at this pace."""
        self._refusals += 1
        if self._anchor is not None and ticket > self._anchor.ticket:
            self._anchor.refused += 1
        if ticket >= self._epoch:
            self._overrun += 1
            expected = NEGLIGIBLE * (ticket - self._epoch)
            if self._overrun > (expected + 2 * math.sqrt(expected) if expected >= 1 else 0):
                self._slow_down(ticket, sent, now, following)
            else:
                self._goal = following + self._step()
        if ticket > self._empty.ticket:
            self._empty = _Mark(ticket, sent)

    def _slow_down(self, ticket: int, sent: float, now: float, following: int) -> None:
        self._question(ticket, sent)
        self.rate = max(SLOWEST, self._slower(ticket, sent))
        if not self.held_back:
            self._fell_from, self._answers, self._refusals = self.rate, 0, 0
        self.growth = max(CLOSE, self.growth / 4)
        self.ready = max(self.ready, now + min(0.05, 2 / self.rate))
        self._clean, self._epoch, self._overrun, self.held_back = None, following, 0, False
        self._goal = following + self._step()

    @property
    def noise(self) -> float | None:
        """The share of refusals, if they do not come from the pace: they went on when it fell."""
        if self._doubts >= DOUBTS:
            return self._share
        fell = self.rate <= max(self._fell_from / self._fall, SLOWEST)
        share = self._refusals / max(1, self._refusals + self._answers)
        return share if fell and self._answers >= ANSWERS and share < SOME_ANSWERED else None

    def _question(self, ticket: int, sent: float) -> None:
        """Look whether what is refused now has passed before."""
        if self._anchor is None:
            self._anchor = _Mark(ticket, sent)
            return
        passed, span = ticket - self._anchor.ticket - self._anchor.refused, sent - self._anchor.sent
        self._share = self._anchor.refused / max(1, ticket - self._anchor.ticket)
        if self.rate > 0.98 * self._failed:
            self._doubts = max(0, self._doubts - 1)
        elif self.rate < DOUBTFUL * self._proven and self._share < MOST_NOISE:
            self._doubts += 1
        self._failed = self.rate
        if passed >= PROOF and span > 0:
            known = passed / span
            self._proven = max(self._proven, known)
            self._anchor = _Mark(ticket, sent)

    def _slower(self, ticket: int, sent: float) -> float:
        passed, span = ticket - self._empty.ticket - 1, sent - self._empty.sent
        known = self._clean or 0.0
        if passed >= TELLING and span > 0:
            known = max(known, 0.985 * passed / span)
        return min(0.97 * self.rate, max(known or 0.85 * self.rate, 0.6 * self.rate))

    def _step(self) -> int:
        return COARSE_STEP if self.growth > FINE else max(STEP, int(STEP_S * self.rate))
