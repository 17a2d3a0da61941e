"""What the closing tables say of judges: what they were asked, and how comparisons with production came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.estimate import dollars, rounded
from pytest_promptgate.core.pairs import TRUSTED, comparers, pairs_of
from pytest_promptgate.core.types import RequestKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.pairs import Pairs
    from pytest_promptgate.core.types import Judged, Report


def judged_lines(report: Report) -> Iterator[str]:
    """A line per judge that was needed, and two per comparison."""
    for each in report.judged:
        yield asked_line(each)
    observations = [result.observation for result in report.results]
    for name in sorted(comparers(report.suite)):
        pairs = pairs_of(observations, name)
        if pairs is not None and pairs.asked:
            yield from _pair_lines(name, pairs)


def asked_line(judged: Judged) -> str:
    """``tone by local/judge-1: 60 verdicts asked, 12 from the store, 3.1k tokens, $0.02``."""
    what = "embedding" if judged.kind is RequestKind.EMBEDDING else "verdict"
    parts = [f"{judged.asked} {what}{'s' if judged.asked != 1 else ''} asked"]
    if judged.stored:
        parts.append(f"{judged.stored} from the store")
    if judged.tokens:
        parts.append(f"{rounded(judged.tokens)} tokens")
    if judged.asked:
        parts.append("cost unknown" if judged.cost_usd is None else dollars(judged.cost_usd))
    return f"{judged.scorer} by {judged.model}: {', '.join(parts)}"


def _pair_lines(name: str, pairs: Pairs) -> Iterator[str]:
    low, high = pairs.interval
    yield (
        f"{name}: {pairs.won} won, {pairs.tied} tied, {pairs.lost} lost against production: "
        f"win rate {pairs.rate:.3f} (95 %: {low:.3f} … {high:.3f})"
    )
    share = pairs.agreed / pairs.asked
    bias = f"; the first answer was preferred in both orders {pairs.first} times, the second {pairs.second} times"
    doubt = f": below {TRUSTED}, so this judge goes by position and is not to be trusted" if share < TRUSTED else ""
    yield f"{name}: both orders agree on {pairs.agreed} of {pairs.asked} answers{bias if share < 1 else ''}{doubt}"
