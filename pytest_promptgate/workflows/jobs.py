"""One trial on its way through the engine, and the results it can end with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.budget import cost_usd, measures_cost
from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.types import Completion, Grade, Observation, Origin, Result, Trial, Unscored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.workflows.ledger import Key
    from pytest_promptgate.workflows.reuse import Reuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A trial to be answered and scored."""

    plan: Plan
    price: Callable[[], Price | None]  # looked up at first need: price lists take longer to load than a run may take
    trial: Trial
    reuse: Reuse | None
    production: Completion | Unscored | None = None  # see `core.pairs.production_of`
    round: str = ""  # the store's round of a retrial or a control; "": the rounds that count

    @property
    def key(self) -> Key:
        """Under which its result is filed."""
        return self.plan.suite.name, self.plan.slot, self.trial.case.id

    @property
    def name(self) -> str:
        """``suite::t-017#2``, with the slot in brackets if there are several; for messages."""
        slot = f"[{self.plan.slot}]" if len(self.plan.suite.slots) > 1 else ""
        return f"{self.plan.suite.name}::{self.trial.id}{slot}"


def paid_usd(job: Job, completion: Completion) -> float | None:
    """What an answer cost, its hedge included; None if nobody knows."""
    cost = cost_usd(job.price(), completion.tokens_in, completion.tokens_out, completion.tokens_cached)
    return None if cost is None else cost * completion.requests


def answered(job: Job, origin: Origin, completion: Completion, grades: Mapping[str, Grade]) -> Result:
    """The result of a trial that has an answer of its own; a stored one has a cost if a metric reads it."""
    price = job.price() if origin is Origin.ASKED or measures_cost(job.plan.suite) else None
    observation = Observation(
        case=job.trial.case.id,
        sample=job.trial.sample,
        grades=grades,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        tokens_cached=completion.tokens_cached,
        cost_usd=cost_usd(price, completion.tokens_in, completion.tokens_out, completion.tokens_cached),
        latency_s=completion.latency_s,
        output=output_digest(completion),
    )
    return Result(trial=job.trial, origin=origin, completion=completion, observation=observation)


def unchanged(job: Job, reuse: Reuse, grades: Mapping[str, Grade]) -> Result:
    """The result of a trial that the baseline's line stands for; its cost, if a metric reads it, is today's."""
    seen = reuse.observation
    price = job.price() if measures_cost(job.plan.suite) else None
    cost = cost_usd(price, seen.tokens_in, seen.tokens_out, seen.tokens_cached)
    observation = replace(seen, grades=grades, cost_usd=cost)
    return Result(trial=job.trial, origin=Origin.UNCHANGED, completion=reuse.completion, observation=observation)


def unanswered(job: Job, origin: Origin, grade: Grade) -> Result:
    """The result of a trial without an answer: every scorer gets the same grade."""
    grades = {bound.name: grade for bound in job.plan.suite.scorers}
    observation = Observation(case=job.trial.case.id, sample=job.trial.sample, grades=grades)
    return Result(trial=job.trial, origin=origin, completion=None, observation=observation)
