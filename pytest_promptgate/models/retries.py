"""How often and when a request is asked again. Pure: clock and chance are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from pytest_promptgate.errors import TransportFault


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Bounds of one request's tries, all of them together.

    A refusal for overload costs the provider nothing and says nothing of the request, so it is asked more often than
    what broke.
    """

    overloaded_tries: int = 24  # at 40 % refusals, one request in 3,500 million runs out of them
    broken_tries: int = 6
    total_s: float = 120.0
    first_s: float = 0.5  # upper bound of the first wait
    longest_s: float = 20.0  # upper bound of any wait that the provider did not ask for
    honoured: int = 2  # tries whose Retry-After is kept although the provider answers others meanwhile
    by_chance_s: float = 0.5  # upper bound of the waits after them
    unreachable_s: float = 8.0  # of an account that never answered: a wrong address is told within 10 s

    def wait(
        self, fault: TransportFault, *, tries: int, elapsed: float, draw: random.Random, by_chance: bool = False
    ) -> float | None:
        """Seconds until the next try; None if there is none.

        Full jitter between 0 and a bound that doubles; with Retry-After, that and up to a tenth more.

        Args:
            tries: Tries made, >= 1.
            elapsed: Seconds since the first one began.
            by_chance: The provider refuses whatever the load: it answers others while it asks this one to wait.

        Source:
            M. Brooker, Exponential Backoff and Jitter, AWS Architecture Blog (2015).
        """
        if tries >= (self.overloaded_tries if fault.overloaded else self.broken_tries):
            return None
        if fault.retry_after is None or (by_chance and tries > self.honoured):
            longest = self.by_chance_s if by_chance else self.longest_s
            wait = draw.uniform(0.0, min(longest, self.first_s * 2 ** min(tries - 1, 16), fault.retry_after or longest))
        else:
            wait = fault.retry_after + draw.uniform(0.0, min(1.0, fault.retry_after / 10))
        return wait if elapsed + wait < self.total_s else None
