"""How many requests of one account may be under way: a state machine without a clock of its own.

It looks at rounds: as many replies as requests may be under way. A clean round whose limit was really used doubles the
limit, until the provider first shows that it has enough; from then on the limit grows by a fifth a round. Refusals
(429, 503, 529) end the growth in one of two ways:

- *Nearly all* is refused: one cut, for all requests that were sent before it, however many of them are refused.
- *Some* is refused, and doubling no longer tells why: starts are paced at the rate of the answers, as a trial. If that
  does not halve the share of refusals, twice in a row, they do not come from our load (a provider that refuses at
  random): the share becomes the `noise` that later rounds are measured against, and pacing ends. Otherwise the pace
  stays, and grows: fast to where it failed last, slowly from there.

``Retry-After`` stops new starts, unless most requests that were sent after the refused one are answered.

Source of the idea to judge a rate by what comes back at a lower one: Dong et al., PCC Vivace (NSDI 2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_promptgate.models.pacing import Hints, Spacing

FULL = 0.8  # share of the limit that counts as "really used"
NEARLY_ALL = 0.7  # share of refusals that is an overload whatever its cause
ENOUGH = 10  # replies that a share of refusals is worth something from
LONGEST_PAUSE_S = 60.0  # a provider may ask for more, but is then asked again: it never freezes us
TRIALS = 2
PASSING = 0.25  # share of refusals that does not end the doubling: it may be noise
GENTLE = 0.2  # growth of the limit in a clean round, once the provider has shown that it can have enough
COLLAPSE = 4.0  # a mean latency so many times the best one, with less coming back, is an overload


@dataclass(slots=True)
class _Round:
    """Replies to requests from ticket `first` on."""

    first: int
    began: float
    accepted: int = 0
    refused: int = 0
    failed: int = 0
    peak: int = 0
    latency: float = 0.0  # sum, of the accepted
    paced: bool = False  # pacing held a start back

    @property
    def replies(self) -> int:
        return self.accepted + self.refused + self.failed

    def share(self, under_way: int) -> float:
        """Share of refusals. Answers take longer than refusals: what is under way will mostly be answered."""
        return self.refused / max(1, self.replies + under_way)

    def throughput(self, now: float) -> float:
        return self.accepted / max(now - self.began, 1e-6)


class Limiter:
    """Tells when a request may start.

    Args:
        most: Never more than this many under way, >= 1.
        start: Where to begin, e.g. where this account's last run settled.
        requests_per_minute: Never more starts in any minute.
        tokens_per_minute: Never more tokens, estimated at the start and corrected at the end.
    """

    def __init__(
        self,
        *,
        most: int,
        start: int = 20,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
    ) -> None:
        self.limit = float(max(1, min(start, most)))
        self.under_way = 0
        self.noise = 0.0
        self._most = most
        self._doubling = True
        self._ticket = 0
        self._round = _Round(first=0, began=0.0)
        self._slow_rounds = 0
        self._trial: tuple[float, int] | None = None  # share of refusals that a pace has to mend, trials left
        self._failed_rate = math.inf  # pace at which there were refusals last
        self._pace: Spacing | None = None
        self._growth = 0.005  # of the pace, per second
        self._epoch: tuple[float, int] | None = None  # when the provider last had nothing left, answers since then
        self._hinted: tuple[Spacing, float] | None = None
        self._paused_until = -math.inf
        self._pause_first = 0
        self._balance = 0  # refused minus accepted since the pause began
        self._best_latency = math.inf
        self._best_throughput = 0.0
        self._requests = Spacing(requests_per_minute / 60) if requests_per_minute else None
        self._tokens = Spacing(tokens_per_minute / 60) if tokens_per_minute else None

    @property
    def rate(self) -> float | None:
        """Starts per second that pacing allows; None if it is off."""
        return None if self._pace is None else self._pace.rate

    def wait(self, now: float) -> float:
        """Seconds until a request may start: 0 now, infinite if one has to end first."""
        if self.under_way >= max(1, int(self.limit)):
            return math.inf
        paced = max((spacing.wait(now) for spacing in self._spacings(now)), default=0.0)
        if paced > 0:
            self._round.paced = True
        pause = self._paused_until - now if self._balance > 0 else 0.0
        return max(paced, pause, 0.0)

    def start(self, now: float, tokens: float = 0.0) -> int:
        """One request goes; its ticket."""
        for spacing in self._spacings(now):
            spacing.take(now, tokens if spacing is self._tokens else 1.0)
        if self._ticket == 0:
            self._round.began = now
        self.under_way += 1
        self._round.peak = max(self._round.peak, self.under_way)
        self._ticket += 1
        return self._ticket - 1

    def correct_tokens(self, units: float) -> None:
        """A request took `units` more tokens than its start was told."""
        if self._tokens is not None:
            self._tokens.correct(units)

    def accepted(self, ticket: int, now: float, latency: float) -> None:
        """It was answered, after `latency` seconds."""
        self.under_way -= 1
        if ticket > self._pause_first:
            self._balance -= 1
        if self._epoch is not None:
            self._epoch = (self._epoch[0], self._epoch[1] + 1)
        if ticket >= self._round.first:
            self._round.accepted += 1
            self._round.latency += latency
            self._judge(now)

    def failed(self, ticket: int, now: float) -> None:
        """It came back with an error that says nothing of load, or was given up."""
        self.under_way -= 1
        if ticket >= self._round.first:
            self._round.failed += 1
            self._judge(now)

    def refused(self, ticket: int, now: float, retry_after: float | None = None) -> None:
        """The provider has too much to do; it may say for how many seconds."""
        self.under_way -= 1
        self._pause(ticket, now, retry_after)
        if ticket >= self._round.first:
            self._round.refused += 1
            self._judge(now)

    def hint(self, now: float, hints: Hints) -> None:
        """Heed what the provider says will be allowed; good for two seconds."""
        low = hints.remaining <= max(2 * self.under_way, 5)
        self._hinted = (self._spacing(hints.rate * 0.99, now, self._hinted), now + 2) if low else None

    @staticmethod
    def _spacing(rate: float, now: float, old: tuple[Spacing, float] | None) -> Spacing:
        ready = old[0].ready if old is not None else now
        return Spacing(rate, slack=0.05, ready=ready)

    def _spacings(self, now: float) -> list[Spacing]:
        hinted = self._hinted[0] if self._hinted is not None and self._hinted[1] > now else None
        return [spacing for spacing in (self._pace, hinted, self._requests, self._tokens) if spacing is not None]

    def _pause(self, ticket: int, now: float, retry_after: float | None) -> None:
        if retry_after is None:
            return
        if now >= self._paused_until:
            self._pause_first = ticket
            self._balance = 0
        self._balance += 1
        self._paused_until = max(self._paused_until, now + min(retry_after, LONGEST_PAUSE_S))

    def _judge(self, now: float) -> None:
        seen, share = self._round, self._round.share(self.under_way)
        if seen.refused >= ENOUGH // 2 and seen.replies >= ENOUGH and share >= max(NEARLY_ALL, 2 * self.noise):
            self._cut(now, keep=max(0.25, 1 - share))
        elif seen.replies >= max(int(self.limit), self._wanted(seen)):
            self._end_round(now)

    def _wanted(self, seen: _Round) -> int:
        if self._trial is not None:
            return 2 * ENOUGH
        return ENOUGH if seen.refused else 1

    def _end_round(self, now: float) -> None:
        seen = self._round
        share = seen.share(self.under_way)
        if self._trial is not None:
            self._end_trial(seen, now)
        elif self._collapsed(seen, now):
            self._cut(now, keep=0.5)
        elif not self._suspicious(seen) or (self._doubling and self.limit < self._most and share < PASSING):
            self._grow(seen, now)
        else:
            self._doubling = False
            self._try_pacing(seen, now, share, trials=TRIALS)
        # Replies to what is under way count for the next round, unless that is to show what a change did.
        first = self._ticket if self._trial is not None else self._round.first
        self._round = _Round(first=first, began=now, peak=self.under_way)

    def _suspicious(self, seen: _Round) -> bool:
        expected = self.noise * seen.replies
        return seen.refused > expected + (2 * math.sqrt(expected) + 2 if self.noise else 0)

    def _collapsed(self, seen: _Round, now: float) -> bool:
        """Twice in a row much slower, with less coming back."""
        if seen.accepted == 0:
            return False
        mean = seen.latency / seen.accepted
        self._best_latency = min(self._best_latency * 1.01, mean)
        self._best_throughput = max(self._best_throughput * 0.95, seen.throughput(now))
        slow = mean > COLLAPSE * self._best_latency and seen.peak >= FULL * self.limit
        self._slow_rounds = self._slow_rounds + 1 if slow and seen.throughput(now) < 0.8 * self._best_throughput else 0
        return self._slow_rounds >= 2

    def _grow(self, seen: _Round, now: float) -> None:
        self.noise += 0.3 * (seen.share(self.under_way) - self.noise) if self.noise else 0.0
        self.noise = self.noise if self.noise > 0.005 else 0.0
        if seen.peak >= FULL * int(self.limit):
            step = self.limit if self._doubling else max(1.0, GENTLE * self.limit)
            self.limit = min(float(self._most), self.limit + step)
        if self._pace is not None and seen.paced:
            self._speed_up(self._pace, now - seen.began)

    def _speed_up(self, pace: Spacing, took: float) -> None:
        if pace.rate < 0.9 * self._failed_rate and math.isfinite(self._failed_rate):
            pace.rate = min(1.5 * pace.rate, 0.95 * self._failed_rate)
            return
        pace.rate *= (1 + self._growth) ** took
        self._growth = min(0.3, self._growth * 2 ** (took / 4))

    def _try_pacing(self, seen: _Round, now: float, share: float, *, trials: int) -> None:
        self._trial = (share, trials)
        self._set_pace(self._allowed(now) or (seen.throughput(now), seen.accepted), now)

    def _end_trial(self, seen: _Round, now: float) -> None:
        before, left = self._trial or (0.0, 0)
        share = seen.share(self.under_way)
        self._trial = None
        if share <= before / 2:
            return
        if left > 1:
            self._try_pacing(seen, now, min(share, before), trials=left - 1)
            return
        self.noise = min(share, before)
        self._pace = None
        self._doubling = True

    def _cut(self, now: float, *, keep: float) -> None:
        self._doubling = False
        self._trial = None
        self._slow_rounds = 0
        self.limit = max(1.0, min(self.limit, self._round.peak) * keep)
        allowed = self._allowed(now)
        if allowed is not None:
            self._set_pace(allowed, now)
        self._begin_epoch(now)
        self._round = _Round(first=self._ticket, began=now, peak=self.under_way)

    def _allowed(self, now: float) -> tuple[float, int] | None:
        """Answers per second between two moments at which the provider had nothing left, and how many they were."""
        if self._epoch is None or self._epoch[1] < ENOUGH:
            return None
        began, answers = self._epoch
        return answers / max(now - began, 1e-6), answers

    def _begin_epoch(self, now: float) -> None:
        # While we pause, a small bucket overflows: that time is not counted.
        self._epoch = (max(now, self._paused_until) if self._balance > 0 else now, 0)

    def _set_pace(self, allowed: tuple[float, int], now: float) -> None:
        rate, answers = allowed
        margin = max(0.02, min(0.1, 1 / answers)) if answers else 0.5
        if self._pace is not None:
            self._failed_rate = self._pace.rate
        self._pace = Spacing(max((1 - margin) * rate, 1e-3), slack=0.05, ready=now)
        self._growth = 0.005
        self._begin_epoch(now)
