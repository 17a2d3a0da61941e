"""How many requests of one account may be under way: a state machine without a clock of its own.

It looks at rounds: as many requests, sent one after the other, as may be under way. A clean round in which the limit
was really used doubles the limit, until the provider first shows that it has enough; from then on the limit grows by
a fifth a round. Refusals (429, 503, 529) end the growth in one of two ways:

- *Nearly all* is refused: one cut, for all requests that were sent before it, however many of them are refused.
- *Some* is refused, and doubling no longer tells why: starts are paced at the rate of the answers, as a trial. If
  neither that nor a lower pace mends most of the refusals, they do not come from our load (a provider that refuses at
  random): the share becomes the `noise` that later rounds are measured against, and pacing ends; after some thousand
  requests that is looked at again. Otherwise the pace stays, and looks for the rate that is allowed, see `Pace`.

``Retry-After`` stops new starts, unless most requests that were sent after the refused one are answered, or a pace, or
chance, answers for single refusals: then it holds for the refused request alone.

Source of the idea to judge a rate by what comes back at a lower one: Dong et al., PCC Vivace (NSDI 2018).
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from pytest_promptgate.models.allowance import Allowance
from pytest_promptgate.models.pace import FALL, MOST_NOISE, Pace
from pytest_promptgate.models.pacing import Pause
from pytest_promptgate.models.rounds import Collapse, Round

if TYPE_CHECKING:
    from collections.abc import Sequence

FULL = 0.8  # share of the limit that counts as "really used"
NEARLY_ALL = 0.7  # share of refusals that is an overload whatever its cause
PASSING = 0.25  # share of refusals that does not end the doubling: it may be noise
NEGLIGIBLE = 0.01  # share of refusals that is not worth slowing down for
ENOUGH = 10  # requests that a share of refusals is worth something from
LONG_ENOUGH_S = 5.0  # or a round that takes so long
TRIALS = (0.95, 0.6)  # of the rate of the answers: refusals that none of these paces mends are noise
LEFT = 1 / 3  # share of the refusals that a pace may leave if it mends them
TRUSTED = 2000  # requests for which refusals are taken for chance, before that is looked at again
IN_A_ROW = 6  # refusals that neither a pace nor chance answers for
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
        self._ticket = 0
        self._sent: dict[int, tuple[Round, float]] = {}  # by ticket: its round, and when
        self._in_a_row = 0  # refusals since the last answer
        self._rounds: deque[Round] = deque()  # oldest first; the last one is being sent
        self._trial: tuple[Round, tuple[float, ...]] | None = (
            None  # what a pace has to mend, this trial and the next ones
        )
        self._pace: Pace | None = None
        self._fall = FALL
        self._trusted = TRUSTED
        self._doubt_at = 0  # ticket from which on it is looked whether refusals still come by chance
        self._held_back = False  # by pacing, since the last start
        self._last_start = -math.inf
        self._cut_at = math.inf  # limit that was too much last: from there it grows gently
        self._pause = Pause()
        self._collapse = Collapse()
        self.allowance = Allowance(requests_per_minute=requests_per_minute, tokens_per_minute=tokens_per_minute)

    @property
    def rate(self) -> float | None:
        """Starts per second that pacing allows; None if it is off."""
        return None if self._pace is None else self._pace.rate

    def wait(self, now: float) -> float:
        """Seconds until a request may start: 0 now, infinite if one has to end first."""
        if self.under_way >= max(1, int(self.limit)):
            return math.inf
        paced = max(self.allowance.wait(now), 0.0 if self._pace is None else self._pace.wait(now))
        self._held_back |= paced > 0
        return max(paced, 0.0 if self._settled else self._pause.wait(now))

    def start(self, now: float, tokens: float = 0.0) -> int:
        """One request goes; its ticket."""
        self.allowance.take(now, tokens)
        if self._pace is not None:
            self._pace.take(now)
        if not self._rounds or self._rounds[-1].full:
            self._open_round(now)
        self.under_way += 1
        current = self._rounds[-1]
        current.idle += self._pause.held_back(now, since=self._last_start)
        if self._pace is not None:
            self._pace.held_back |= self._held_back
        self._held_back = False
        self._last_start = now
        current.sent += 1
        current.full = current.sent >= self._round_size()
        current.peak = max(current.peak, self.under_way)
        self._sent[self._ticket] = (current, now)
        self._ticket += 1
        return self._ticket - 1

    def accepted(self, ticket: int, now: float, latency: float) -> None:
        """It was answered, after `latency` seconds."""
        self._pause.accepted(ticket, now)
        self._in_a_row = 0
        seen, _ = self._ended(ticket)
        if self._pace is not None and self._trial is None:
            self._pace.accepted(ticket, self._ticket)
        seen.accepted += 1
        seen.latency += latency
        self._judge(now)

    def failed(self, ticket: int, now: float) -> None:
        """It came back with an error that says nothing of load, or was given up."""
        self._ended(ticket)[0].failed += 1
        self._judge(now)

    def refused(self, ticket: int, now: float, retry_after: float | None = None) -> None:
        """The provider has too much to do; it may say for how many seconds."""
        if retry_after is not None:
            self._pause.refused(ticket, now, retry_after)
        self._in_a_row += 1
        seen, sent = self._ended(ticket)
        if self._pace is not None and self._trial is None and self.noise == 0.0:
            self._pace.refused(ticket, sent, now, self._ticket)
            if (noise := self._pace.noise) is not None:
                self._take_for_noise(noise)
        seen.refused += 1
        self._judge(now)

    @property
    def _settled(self) -> bool:
        """Whether a pace, or chance, answers for single refusals: then only what was refused waits."""
        answered_for = self.noise > 0 or self._pace is not None
        return answered_for and self._in_a_row < IN_A_ROW / (1 - self.noise)

    def _round_size(self) -> int:
        if self._trial is None:
            return max(1, int(self.limit))
        return max(ENOUGH, min(300, int(6 / max(0.01, self._trial[0].share))))

    def _open_round(self, now: float) -> None:
        if self._rounds:
            self._rounds[-1].close(now)
        self._rounds.append(Round(opened=now))

    def _ended(self, ticket: int) -> tuple[Round, float]:
        self.under_way -= 1
        return self._sent.pop(ticket)

    def _judge(self, now: float) -> None:
        sent, refused = (sum(each.sent for each in self._rounds), sum(each.refused for each in self._rounds))
        if refused >= ENOUGH // 2 and sent >= ENOUGH and refused / sent >= max(NEARLY_ALL, self.noise + 0.25):
            self._cut(now, (*self._rounds,), keep=max(0.25, 1 - refused / sent))
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
            self._cut(now, (seen, *self._rounds), keep=0.5)
        elif self._pace is not None and self.noise == 0.0:
            if not seen.refused:
                self._grow(seen)
        elif self.noise and self._ticket >= self._doubt_at:
            self._try_pacing(seen, now, trials=TRIALS)
        elif not self._suspicious(seen) or (self._growing and seen.share < PASSING):
            self._grow(seen)
        elif self._pause.contradicted and PASSING / 2 < seen.share < MOST_NOISE:
            self._take_for_noise(seen.share)
        else:
            self._try_pacing(seen, now, trials=TRIALS)

    def _used(self, seen: Round) -> bool:
        return seen.peak >= FULL * int(self.limit)

    @property
    def _growing(self) -> bool:
        """Whether the limit still doubles: refusals will tell more when it has."""
        return self.limit < min(self._most, self._cut_at)

    def _suspicious(self, seen: Round) -> bool:
        expected = max(self.noise, NEGLIGIBLE) * seen.sent
        return seen.refused > expected + 2 * math.sqrt(expected) + (2 if self.noise else 0)

    def _grow(self, seen: Round) -> None:
        if self.noise and not self._suspicious(seen):
            self.noise += 0.2 * (seen.share - self.noise)
            self.noise = min(self.noise, MOST_NOISE) if self.noise > 0.005 else 0.0
        if self._used(seen):
            self._raise_limit()

    def _raise_limit(self) -> None:
        step = self.limit if self.limit < self._cut_at else max(1.0, GENTLE * self.limit)
        self.limit = min(float(self._most), self.limit + step)

    def _try_pacing(self, seen: Round, now: float, *, trials: tuple[float, ...]) -> None:
        if seen.accepted == 0:
            self._cut(now, (seen, *self._rounds), keep=0.5)
            return
        self._trial = (seen, trials)
        rate = seen.accepted / seen.took(now)
        growth = 0.5 if seen.idle > seen.span else 0.1
        self._pace = Pace(trials[0] * rate, now=now, ticket=self._ticket, growth=growth, proven=rate, fall=self._fall)
        self._forget(now)

    def _end_trial(self, seen: Round, now: float) -> None:
        assert self._trial is not None
        before, left = self._trial
        self._trial = None
        if seen.share <= LEFT * before.share:
            self.noise = 0.0  # the pace looks after what is left
            self._grow(seen)
        elif len(left) > 1:
            before.absorb(seen)
            self._try_pacing(seen, now, trials=left[1:])
        elif min(before.share, seen.share) > MOST_NOISE:
            self._cut(now, (seen, *self._rounds), keep=0.5)
        else:
            before.absorb(seen)
            self._take_for_noise(before.share)

    def _take_for_noise(self, share: float) -> None:
        self.noise = min(share, MOST_NOISE)
        self._pace = None
        self._cut_at = math.inf
        self._doubt_at = self._ticket + self._trusted
        self._trusted *= 2

    def _cut(self, now: float, rounds: Sequence[Round], *, keep: float) -> None:
        """Too much was sent: `rounds`, at least one, show it."""
        self._trial = None
        self._fall *= FALL if self.noise else 1.0  # it was no chance: more is needed to believe it again
        self.noise = 0.0
        peak = max(each.peak for each in rounds)
        self._cut_at = max(2.0, min(self.limit, peak))
        self.limit = max(1.0, self._cut_at * keep)
        if self._pace is None:
            # Without it, and without Retry-After, it would be asked as fast as it refuses.
            seen = Round.sum_of(rounds)
            rate = (seen.accepted + 1) / seen.took(now)
            self._pace = Pace(rate, now=now, ticket=self._ticket, growth=0.5, fall=self._fall)
        self._forget(now)

    def _forget(self, now: float) -> None:
        """What is under way was sent in another state: it says nothing of the new one."""
        self._rounds.clear()
        self._open_round(now)
