"""What a provider is known to allow: limits that the user wrote down, and hints in its replies."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_promptgate.models.pacing import Hints, Spacing

HINT_S = 2.0  # for which a hint is good
HINTED = 0.99  # of the rate that a hint tells
SLACK_S = 0.05
FEW = 5.0  # requests: a hint that more remain is no reason to slow down
USUAL = 20  # requests over which the usual size of one is told


class Allowance:
    """Spaces starts by requests and tokens.

    Args:
        requests_per_minute: Never more starts in any minute.
        tokens_per_minute: Never more tokens, estimated at the start and corrected at the end.
    """

    def __init__(self, *, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self._requests = Spacing(requests_per_minute / 60) if requests_per_minute else None
        self._tokens = Spacing(tokens_per_minute / 60) if tokens_per_minute else None
        self._hints: dict[bool, tuple[Spacing, float]] = {}  # for tokens or requests, and until when
        self._usual_tokens = 0.0  # of a request
        self._started = 0

    def wait(self, now: float) -> float:
        """Seconds until a request may start."""
        return max((spacing.wait(now) for spacing, _ in self._spacings(now)), default=0.0)

    def take(self, now: float, tokens: float) -> None:
        """A request of `tokens` starts."""
        for spacing, counts_tokens in self._spacings(now):
            spacing.take(now, tokens if counts_tokens else 1.0)
        self._started += 1
        self._usual_tokens += (tokens - self._usual_tokens) / min(self._started, USUAL + 1)

    def correct_tokens(self, units: float) -> None:
        """A request took `units` more tokens than its start was told."""
        if self._tokens is not None:
            self._tokens.correct(units)

    def hint(self, now: float, hints: Hints, *, tokens: bool, under_way: int) -> None:
        """Heed what the provider says will be allowed, of requests or of tokens, if little of it remains."""
        each = self._usual_tokens if tokens else 1.0
        known = self._hints.pop(tokens, None)
        if hints.remaining <= max(2.0 * under_way, FEW) * each:
            ready = known[0].ready if known is not None else now
            self._hints[tokens] = (Spacing(hints.rate * HINTED, slack=SLACK_S, ready=ready), now + HINT_S)

    def _spacings(self, now: float) -> Iterator[tuple[Spacing, bool]]:
        """What spaces starts at present, and whether it counts tokens."""
        yield from ((spacing, tokens) for tokens, (spacing, until) in self._hints.items() if until > now)
        own = ((self._requests, False), (self._tokens, True))
        yield from ((spacing, tokens) for spacing, tokens in own if spacing is not None)
