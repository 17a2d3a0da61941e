"""A spacing of starts that looks for the rate that a provider allows.

A provider that allows so many requests per second keeps, as it were, a bucket of tokens: it refuses when the bucket is
empty. So what passed from one refusal to the next is what it allows in that time, or less, if the bucket was full in
between. The pace falls back to that, or to the last pace that held without a refusal, and grows by steps that get
smaller with every refusal and larger with every clean one.
"""

from __future__ import annotations

from pytest_promptgate.models.pacing import Spacing

SLOWEST = 0.2  # starts per second; no estimate is good enough to ask less often
CLOSE = 0.01  # growth of a step once the rate is known
FASTEST = 0.5
FASTER = 1.5  # growth of the growth, after a clean step
FINE = 0.1  # growth below which a step takes its time
STEP_S = 2.0
STEP, COARSE_STEP = 25, 8  # requests of a step
TELLING = 8  # requests that make a rate


class Pace(Spacing):
    """It is told what becomes of every ticket.

    Args:
        rate: Starts per second, to begin with.
        now: Seconds.
        ticket: The first one that this pace holds for.
        growth: How far the rate may be from the true one, e.g. 0.5.
    """

    def __init__(self, rate: float, *, now: float, ticket: int, growth: float) -> None:
        super().__init__(max(rate, SLOWEST), slack=0.05, ready=now)
        self.growth = growth
        self.held_back = False  # a start, in this step
        self._epoch = ticket  # what was sent earlier was sent at another pace
        self._empty = (ticket, now)  # the last refusal: ticket, and when it was sent
        self._refused = 0  # since then
        self._clean: float | None = None  # the fastest pace that held for a step, since the last refusal
        self._goal = ticket + self._step()

    def accepted(self, ticket: int, following: int) -> None:
        """Grow, if this was the last one of a step.

        Args:
            following: The next ticket.
        """
        if ticket < self._goal:
            return
        if self.held_back:
            self._clean = self.rate
            self.rate *= 1 + self.growth
            self.growth = min(FASTEST, self.growth * FASTER)
        self.held_back = False
        self._goal = following + self._step()

    def refused(self, ticket: int, sent: float, now: float, following: int) -> None:
        """Slow down, once for all that were sent at this pace."""
        if ticket >= self._epoch:
            self.rate = max(SLOWEST, self._slower(ticket, sent))
            self.growth = max(CLOSE, self.growth / 4)
            self.ready = max(self.ready, now + min(0.05, 2 / self.rate))
            self._clean, self._epoch, self.held_back = None, following, False
            self._goal = following + self._step()
        if ticket > self._empty[0]:
            self._empty = (ticket, sent)

    def _slower(self, ticket: int, sent: float) -> float:
        first, since = self._empty
        passed, span = ticket - first - 1, sent - since
        known = self._clean or 0.0
        if passed >= TELLING and span > 0:
            known = max(known, 0.985 * passed / span)
        return min(0.97 * self.rate, max(known or 0.85 * self.rate, 0.6 * self.rate))

    def _step(self) -> int:
        return COARSE_STEP if self.growth > FINE else max(STEP, int(STEP_S * self.rate))
