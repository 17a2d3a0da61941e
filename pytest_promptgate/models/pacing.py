"""Clocks that space out starts; time is always given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Spacing:
    """Lets `rate` units per second pass, evenly.

    Args:
        rate: Units per second, > 0.
        slack: Seconds of lateness that may be caught up by going faster for a moment; 0 keeps every window.
    """

    rate: float
    slack: float = 0.0
    ready: float = float("-inf")  # when the next unit may pass

    def wait(self, now: float) -> float:
        """Seconds until the next unit may pass."""
        return max(0.0, self.ready - now)

    def take(self, now: float, units: float = 1.0) -> None:
        """Let `units` pass at `now`; more than there are is a debt that the next ones wait for."""
        self.ready = max(self.ready, now - self.slack) + units / self.rate

    def correct(self, units: float) -> None:
        """`units` more (or fewer, if negative) were taken than `take` was told."""
        self.ready += units / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a provider says of a limit in ``x-ratelimit-*-requests`` or ``x-ratelimit-*-tokens``."""

    remaining: float
    reset_s: float  # until the limit is full again
    limit: float | None = None

    @property
    def rate(self) -> float:
        """Units per second that do not lower what remains, > 0."""
        refilled = self.remaining if self.limit is None else self.limit - self.remaining
        return max(refilled, 1.0) / max(self.reset_s, 0.001)


LONG_S = 0.5  # a pause of which it can be told whether the provider meant it
LONGEST_PAUSE_S = 60.0  # a provider may ask for more, but is then asked again: it never freezes us


@dataclass(slots=True)
class Pause:
    """``Retry-After``, as far as the provider's other replies agree with it."""

    until: float = float("-inf")
    first: int = 0  # ticket of the first request that was refused
    balance: int = 0  # refused minus accepted, of those sent since
    began: float = float("-inf")
    agreed: float = 0.0  # refusals and answers, while a long pause was asked for; old ones fade
    denied: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until it is over."""
        return max(0.0, self.until - now) if self.balance > 0 else 0.0

    def refused(self, ticket: int, now: float, retry_after: float) -> None:
        """Begin, or go on."""
        if now >= self.until:
            self.first = ticket
            self.balance = 0
            self.began = now
        self.balance += 1
        if retry_after >= LONG_S:
            self.agreed += 1
            if self.agreed + self.denied > 40:
                self.agreed /= 2
                self.denied /= 2
        self.until = max(self.until, now + min(retry_after, LONGEST_PAUSE_S))

    @property
    def contradicted(self) -> bool:
        """Whether the provider answers much of what it asked us to hold back: it does not refuse for our load."""
        both = self.agreed + self.denied
        return both >= 10 and self.denied >= 0.4 * both

    def held_back(self, now: float, *, since: float) -> float:
        """Seconds between `since`, when a request started last, and `now` in which this kept others from starting."""
        if self.balance <= 0 or now < self.until:
            return 0.0
        return max(0.0, self.until - max(since, self.began))

    def accepted(self, ticket: int, now: float) -> None:
        """Answered all the same, if it was sent after the first one that was refused."""
        if ticket > self.first:
            self.balance -= 1
            if self.until - self.began >= LONG_S and now < self.until:
                self.denied += 1
