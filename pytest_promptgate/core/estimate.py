"""What a run will ask, and about what that costs, before anything is asked. What is not known is None, never 0."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_promptgate.core.budget import cost_usd
from pytest_promptgate.core.turns import lengths
from pytest_promptgate.core.types import RequestKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.core.types import Observation, Request, Trial

BYTES_PER_TOKEN = 4  # of UTF-8: about right for European languages, a little low for code
_CENT = 0.01  # USD: less is not told in numbers
USUAL_ANSWER = 256  # tokens, where nothing is known of a suite's answers


class Source(StrEnum):
    """Where a number of tokens comes from."""

    STORE = "stored answers"
    BASELINE = "the baseline"
    LENGTH = "the length of the prompts"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What answers of a suite took so far: means, in tokens."""

    tokens_in: float
    tokens_out: float
    answers: int  # seen, >= 1
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One suite and slot. ``trials = unchanged + stored + asked``."""

    suite: str
    slot: str
    model: str
    cases: int
    trials: int
    unchanged: int  # the baseline stands for them
    stored: int  # answered in the response store
    asked: int
    tokens_in: int  # of what is asked
    tokens_out: int
    source: Source | None  # None: nothing is asked
    cost_usd: float | None  # None: the price is not known
    later_turns: int = 0  # of conversations: calls beyond the first of each trial that is asked

    @property
    def calls(self) -> int:
        """What is asked, turn by turn."""
        return self.asked + self.later_turns

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.tokens_in + self.tokens_out


def estimate(
    *,
    suite: str,
    slot: str,
    model: str,
    cases: int,
    unchanged: int,
    stored: int,
    asked: Sequence[Trial],
    history: History | None,
    price: Price | None,
    share: float = 1.0,
) -> Estimate:
    """Count, and price what is to be asked.

    Args:
        suite: Name of the suite.
        slot: The model slot.
        model: ``provider/id``.
        cases: Of this run.
        unchanged: Trials that the baseline settles.
        stored: Trials that the store settles.
        asked: All others.
        history: Of the suite's answers; None: the prompts' length tells.
        price: Of the model; None if it is not known.
        share: Of the price that is paid, in [0, 1]: 0.5 through a Batch endpoint.
    """
    tokens_in, tokens_out = _tokens(asked, history)
    cost = cost_usd(price, tokens_in, tokens_out) if asked else 0.0
    return Estimate(
        suite=suite,
        slot=slot,
        model=model,
        cases=cases,
        trials=unchanged + stored + len(asked),
        unchanged=unchanged,
        stored=stored,
        asked=len(asked),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        source=_source(asked, history),
        cost_usd=None if cost is None else cost * share,
        later_turns=sum(len(each.request.turns) for each in asked),
    )


def _source(asked: Sequence[Trial], history: History | None) -> Source | None:
    if not asked:
        return None
    return Source.LENGTH if history is None else history.source


def _tokens(asked: Sequence[Trial], history: History | None) -> tuple[int, int]:
    if history is not None:
        return round(len(asked) * history.tokens_in), round(len(asked) * history.tokens_out)
    return sum(prompt_tokens(each.request) for each in asked), sum(answer_tokens(each.request) for each in asked)


def prompt_tokens(request: Request) -> int:
    """A guess at a prompt's tokens from its length."""
    length = lengths(request, lambda text: len(text.encode("utf-8", "surrogatepass")))
    return -(-length // BYTES_PER_TOKEN)


def answer_tokens(request: Request) -> int:
    """A guess at the tokens of the answers to all turns: the usual, or the request's own limit if that is lower.

    A vector has none.
    """
    if request.kind is RequestKind.EMBEDDING:
        return 0
    limits = (request.parameters.get(name) for name in ("max_output_tokens", "max_completion_tokens", "max_tokens"))
    return min([USUAL_ANSWER, *(each for each in limits if isinstance(each, int))]) * (1 + len(request.turns))


def history_of(observations: Iterable[Observation], *, source: Source) -> History | None:
    """Mean tokens of those observations whose tokens were counted; None if none were."""
    counted = [
        (each.tokens_in, each.tokens_out)
        for each in observations
        if each.tokens_in is not None and each.tokens_out is not None
    ]
    if not counted:
        return None
    return History(
        tokens_in=sum(each for each, _ in counted) / len(counted),
        tokens_out=sum(each for _, each in counted) / len(counted),
        answers=len(counted),
        source=source,
    )


def total_cost(estimates: Iterable[Estimate]) -> float | None:
    """The sum; None if a part of it is not known."""
    costs = [each.cost_usd for each in estimates]
    return None if None in costs else sum(each for each in costs if each is not None)


def headline(estimates: Sequence[Estimate]) -> str:
    """``120 calls, about 41k tokens, about $0.12``; says so where it is a guess from the prompts' length."""
    asked = sum(each.calls for each in estimates)
    if not asked:
        return "0 calls"
    cost = total_cost(estimates)
    parts = [
        f"{asked} call{'s' if asked != 1 else ''}",
        f"about {rounded(sum(each.tokens for each in estimates))} tokens",
        "cost unknown" if cost is None else _about(cost),
    ]
    guessed = any(each.source is Source.LENGTH for each in estimates)
    return ", ".join(parts) + (" (tokens guessed from the length of the prompts)" if guessed else "")


def rounded(number: int) -> str:
    """``950``, ``4.1k``, ``41k``, ``3.2M``."""
    for limit, sign in ((1_000_000, "M"), (1_000, "k")):
        if number >= limit:
            value = number / limit
            return f"{value:.1f}{sign}" if value < 10 else f"{value:.0f}{sign}"
    return str(number)


def _about(amount: float) -> str:
    text = dollars(amount)
    return f"about {text}" if amount >= _CENT / 2 else text


def dollars(amount: float) -> str:
    """``$0.12``; what is above 0 is never shown as 0."""
    return "less than $0.01" if 0 < amount < _CENT / 2 else f"${amount:.2f}"
