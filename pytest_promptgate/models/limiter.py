"""How many requests of one account may be under way: a state machine without a clock of its own.

It looks at rounds: as many requests, sent one after the other, as may be under way. A clean round in which the limit
was really used doubles the limit, until the provider first shows that it has enough; from then on the limit grows by
a fifth a round. Refusals (429, 503, 529) end the growth in one of two ways:

- *Nearly all* is refused: one cut, for all requests that were sent before it, however many of them are refused.
- *Some* is refused, and doubling no longer tells why: starts are paced at the rate of the answers, as a trial. If that
  does not halve the share of refusals, nor lower ones do, they do not come from our load (a provider that refuses at
  random): the share becomes the `noise` that later rounds are measured against, and pacing ends. Otherwise the pace
  stays, and grows: fast to where it failed last, slowly from there.

``Retry-After`` stops new starts, unless most requests that were sent after the refused one are answered.

Source of the idea to judge a rate by what comes back at a lower one: Dong et al., PCC Vivace (NSDI 2018).
"""

from __future__ import annotations

import math
from collections import deque

from pytest_promptgate.models.pacing import Hints, Pause, Spacing
from pytest_promptgate.models.rounds import SLOWEST, Collapse, Pace, Round

FULL = 0.8  # share of the limit that counts as "really used"
NEARLY_ALL = 0.7  # share of refusals that is an overload whatever its cause
PASSING = 0.25  # share of refusals that does not end the doubling: it may be noise
ENOUGH = 10  # requests that a share of refusals is worth something from
MOST_NOISE = 0.6  # a share of refusals above it is load
LONG_ENOUGH_S = 5.0  # or a round that takes so long
TRIALS = (0.95, 0.6)  # of the rate of the answers: refusals that none of these paces mends are noise
GENTLE = 0.2  # growth of the limit in a clean round, once the provider has shown that it can have enough


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
        self._round_of: dict[int, Round] = {}
        self._rounds: deque[Round] = deque()  # oldest first; the last one is being sent
        self._trial: tuple[Round, tuple[float, ...]] | None = (
            None  # what a pace has to mend, this trial and the next ones
        )
        self._pace: Pace | None = None
        self._held_back = False  # by pacing, since the last start
        self._last_start = -math.inf
        self._failed_limit = math.inf  # limit at which nearly all was refused last
        self._probe_at = -math.inf  # when it is tried again
        self._patience = 1.0  # seconds; longer each time that it fails again
        self._hinted: tuple[Spacing, float] | None = None
        self._pause = Pause()
        self._collapse = Collapse()
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
        self._held_back |= paced > 0
        return max(paced, self._pause.wait(now))

    def start(self, now: float, tokens: float = 0.0) -> int:
        """One request goes; its ticket."""
        for spacing in self._spacings(now):
            spacing.take(now, tokens if spacing is self._tokens else 1.0)
        if not self._rounds or self._rounds[-1].full:
            self._open_round(now)
        self.under_way += 1
        current = self._rounds[-1]
        current.idle += self._pause.held_back(now, since=self._last_start)
        current.paced |= self._held_back
        self._held_back = False
        self._last_start = now
        current.sent += 1
        current.full = current.sent >= self._round_size()
        current.peak = max(current.peak, self.under_way)
        self._round_of[self._ticket] = current
        self._ticket += 1
        return self._ticket - 1

    def correct_tokens(self, units: float) -> None:
        """A request took `units` more tokens than its start was told."""
        if self._tokens is not None:
            self._tokens.correct(units)

    def accepted(self, ticket: int, now: float, latency: float) -> None:
        """It was answered, after `latency` seconds."""
        self._pause.accepted(ticket, now)
        seen = self._ended(ticket)
        seen.accepted += 1
        seen.latency += latency
        self._judge(now)

    def failed(self, ticket: int, now: float) -> None:
        """It came back with an error that says nothing of load, or was given up."""
        self._ended(ticket).failed += 1
        self._judge(now)

    def refused(self, ticket: int, now: float, retry_after: float | None = None) -> None:
        """The provider has too much to do; it may say for how many seconds."""
        if retry_after is not None:
            self._pause.refused(ticket, now, retry_after)
        self._ended(ticket).refused += 1
        self._judge(now)

    def hint(self, now: float, hints: Hints) -> None:
        """Heed what the provider says will be allowed; good for two seconds."""
        low = hints.remaining <= max(2 * self.under_way, 5)
        ready = self._hinted[0].ready if self._hinted is not None else now
        self._hinted = (Spacing(hints.rate * 0.99, slack=0.05, ready=ready), now + 2) if low else None

    def _spacings(self, now: float) -> list[Spacing]:
        hinted = self._hinted[0] if self._hinted is not None and self._hinted[1] > now else None
        return [spacing for spacing in (self._pace, hinted, self._requests, self._tokens) if spacing is not None]

    def _round_size(self) -> int:
        return max(int(self.limit), 2 * ENOUGH if self._trial is not None else 1)

    def _open_round(self, now: float) -> None:
        if self._rounds:
            self._rounds[-1].close(now)
        self._rounds.append(Round(opened=now))

    def _ended(self, ticket: int) -> Round:
        self.under_way -= 1
        return self._round_of.pop(ticket)

    def _judge(self, now: float) -> None:
        sent, refused = (sum(each.sent for each in self._rounds), sum(each.refused for each in self._rounds))
        if refused >= ENOUGH // 2 and sent >= ENOUGH and refused / sent >= max(NEARLY_ALL, self.noise + 0.25):
            self._cut(now, keep=max(0.25, 1 - refused / sent))
        elif refused and sent >= ENOUGH and self._pace is not None and self._trial is None and self.noise == 0.0:
            self._slow_down(self._pace, sent, refused, now)
        while self._rounds and self._rounds[0].complete:
            seen = self._rounds.popleft()
            seen.close(now)
            if seen.refused and seen.sent < ENOUGH and seen.span < LONG_ENOUGH_S:
                if not self._rounds:
                    self._open_round(now)
                self._rounds[0].absorb(seen)
            else:
                self._end_round(seen, now)

    def _end_round(self, seen: Round, now: float) -> None:
        if self._trial is not None:
            self._end_trial(seen, now)
        elif self._collapse.seen(seen, used=self._used(seen)):
            self._cut(now, keep=0.5)
        elif not self._suspicious(seen) or (self._doubling and self.limit < self._most and seen.share < PASSING):
            self._grow(seen, now)
        elif self._pause.contradicted and PASSING / 2 < seen.share < MOST_NOISE:
            self._take_for_noise(seen.share)
        else:
            self._doubling = False
            self._try_pacing(seen, now, trials=TRIALS)

    def _used(self, seen: Round) -> bool:
        return seen.peak >= FULL * int(self.limit)

    def _suspicious(self, seen: Round) -> bool:
        expected = self.noise * seen.sent
        return seen.refused > expected + (2 * math.sqrt(expected) + 2 if self.noise else 0)

    def _grow(self, seen: Round, now: float) -> None:
        if self.noise and not self._suspicious(seen):
            self.noise += 0.2 * (seen.share - self.noise)
            self.noise = min(self.noise, MOST_NOISE) if self.noise > 0.005 else 0.0
        if self._used(seen):
            self._raise_limit(now)
        if self._pace is not None and seen.paced:
            self._pace.speed_up(seen.span)

    def _raise_limit(self, now: float) -> None:
        step = self.limit if self._doubling else max(1.0, GENTLE * self.limit)
        raised = min(float(self._most), self.limit + step)
        if int(raised) < self._failed_limit:
            self.limit = raised
        elif now < self._probe_at:
            self.limit = max(self.limit, self._failed_limit - 1)
        else:
            self.limit, self._failed_limit = raised, math.inf

    def _slow_down(self, pace: Pace, sent: int, refused: int, now: float) -> None:
        self._trial = (Round(opened=now, sent=sent, accepted=sent - refused, refused=refused), TRIALS)
        pace.slow_down((refused - 1) / sent)  # one may be the first of many, or alone
        self._forget(now)

    def _try_pacing(self, seen: Round, now: float, *, trials: tuple[float, ...]) -> None:
        if seen.accepted == 0:
            self._cut(now, keep=0.5)
            return
        self._trial = (seen, trials)
        self._pace = Pace.after(seen, now, careful=len(trials) == 1)
        self._pace.rate = max(SLOWEST, trials[0] * self._pace.rate)
        self._forget(now)

    def _end_trial(self, seen: Round, now: float) -> None:
        assert self._trial is not None
        before, left = self._trial
        self._trial = None
        if seen.share <= before.share / 2:
            self.noise = min(self.noise, seen.share)
            self._grow(seen, now)
        elif len(left) > 1:
            before.absorb(seen)
            self._try_pacing(seen, now, trials=left[1:])
        elif min(before.share, seen.share) > MOST_NOISE:
            self._cut(now, keep=0.5)
        else:
            before.absorb(seen)
            self._take_for_noise(before.share)

    def _take_for_noise(self, share: float) -> None:
        self.noise = min(share, MOST_NOISE)
        self._pace = None
        self._doubling = True

    def _cut(self, now: float, *, keep: float) -> None:
        self._doubling = False
        self._trial = None
        peak = max((each.peak for each in self._rounds), default=self.limit)
        again = self._failed_limit == math.inf and now < self._probe_at + 2 * self._patience
        self._patience = min(60.0, 2 * self._patience) if again else 1.0
        self._failed_limit = max(2.0, min(self.limit, peak))
        self._probe_at = now + self._patience
        self.limit = max(1.0, self._failed_limit * keep)
        if self._pace is not None:
            self._pace.rate = max(SLOWEST, self._pace.rate * keep)
        elif peak == 1:
            # Not even one at a time: without Retry-After it would be asked as fast as it refuses.
            self._pace = Pace.after(Round.sum_of(self._rounds), now, careful=True)
        self._forget(now)

    def _forget(self, now: float) -> None:
        """What is under way was sent in another state: it says nothing of the new one."""
        self._rounds.clear()
        self._open_round(now)
