"""What `must_pass` costs where answers vary: it knows no statistics, so luck alone can fail it (GATE §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.contract import must_reach
from pytest_promptgate.core.default_rule import STEADY_KINDS

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Suite

RATE = 0.99  # of an answer that is right nearly every time
MOST_LUCK = 0.05  # share of runs that may fail though nothing changed


def luck_notes(suite: Suite, *, kind: str) -> tuple[str, ...]:
    """A warning if so many answers have to pass that runs fail in which nothing has changed; nothing if not.

    Args:
        kind: Of the provider that answers.
    """
    cases = len(must_reach(suite))
    answers = cases * suite.samples
    luck = 1 - RATE**answers
    if kind in STEADY_KINDS or luck <= MOST_LUCK:
        return ()
    many = f"{cases} cases" if suite.samples == 1 else f"{cases} cases with {suite.samples} answers each"
    return (
        f"{many} must pass: if each answer is right {RATE:.0%} of the time, {luck:.0%} of the runs fail "
        "in which nothing changed. Keep must_pass for what cannot vary; a floor or the gate tells luck from loss",
    )
