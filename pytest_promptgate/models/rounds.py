"""What came back of a round of requests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST_S = 0.01  # no rate is told from less
COMPLETE = 0.9  # of a round's requests: the last ones may be stragglers
COLLAPSE = 4.0  # a mean latency so many times the best one, with less coming back, is an overload


@dataclass(slots=True)
class Round:
    """Requests that were sent one after the other, and what became of them."""

    opened: float  # when its first request was sent
    closed: float | None = None  # when the next round's first request was sent, or could have been
    full: bool = False
    sent: int = 0
    accepted: int = 0
    refused: int = 0
    failed: int = 0
    peak: int = 0  # under way at once
    latency: float = 0.0  # sum, of the accepted
    idle: float = 0.0  # seconds in which Retry-After held everything back

    @property
    def complete(self) -> bool:
        """Everything was sent, and nearly everything came back."""
        return self.full and self.accepted + self.refused + self.failed >= COMPLETE * self.sent

    @property
    def share(self) -> float:
        """Share of refusals; what is still under way is taken for answered."""
        return self.refused / max(1, self.sent)

    @property
    def span(self) -> float:
        """Seconds in which it was sent, without `idle`, > 0."""
        return max(1e-6, (self.opened if self.closed is None else self.closed) - self.opened - self.idle)

    def took(self, now: float) -> float:
        """Seconds that its answers are to be divided by: sent at once, it was answered over some time all the same."""
        return max(self.span, (now - self.opened - self.idle) / 2, SHORTEST_S)

    def close(self, now: float) -> None:
        """Its time is over, if it was not before."""
        self.closed = now if self.closed is None else self.closed

    def absorb(self, earlier: Round) -> None:
        """Count `earlier` in."""
        self.opened = min(self.opened, earlier.opened)
        self.sent += earlier.sent
        self.accepted += earlier.accepted
        self.refused += earlier.refused
        self.failed += earlier.failed
        self.latency += earlier.latency
        self.idle += earlier.idle

    @classmethod
    def sum_of(cls, rounds: Iterable[Round]) -> Round:
        """All of them as one."""
        each = list(rounds)
        total = cls(opened=each[0].opened, closed=each[-1].closed)
        for one in each:
            total.absorb(one)
        return total


class Collapse:
    """Sees a provider that does not refuse, but gets slower and slower: twice in a row, with less coming back."""

    def __init__(self) -> None:
        self._best_latency = math.inf
        self._best_rate = 0.0
        self._slow = 0

    def seen(self, round_: Round, *, used: bool) -> bool:
        """Whether this round is the second slow one; `used`: the limit was really used."""
        if round_.accepted == 0:
            return False
        mean, rate = round_.latency / round_.accepted, round_.accepted / round_.span
        self._best_latency = min(self._best_latency * 1.01, mean)
        self._best_rate = max(self._best_rate * 0.95, rate)
        slow = used and mean > COLLAPSE * self._best_latency and rate < 0.8 * self._best_rate
        self._slow = self._slow + 1 if slow else 0
        if self._slow < 2:
            return False
        self._slow = 0
        return True
