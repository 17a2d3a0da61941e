"""Asking a judge about labelled answers: through its account and the store, several times over if that is wanted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import digest, output_digest
from pytest_promptgate.core.ports import Inquiry, Judge
from pytest_promptgate.core.types import Completion, Errored, Score, Skipped, Unscored
from pytest_promptgate.workflows.rescoring import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_promptgate.core.types import BoundScorer, Case, Grade, ModelPin, Suite
    from pytest_promptgate.workflows.evaluate import Evaluation
    from pytest_promptgate.workflows.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A `core.ports.Judge` that asks everything `times` times, and keeps what each repeat says.

    The first repeat is what a run asks: what runs have stored is not asked again, and runs find what this has stored.
    """

    judge: Judge
    times: int
    production: Completion | Unscored | None  # what a comparing judge holds the answer against
    said: list[Score | Unscored] = field(default_factory=list)  # filled in once, by `inquire` or by its grade
    served: set[str] = field(default_factory=set)  # models that answered, as the provider names them

    @property
    def pin(self) -> ModelPin:
        """The judge's own model."""
        return self.judge.pin

    @property
    def compares(self) -> bool:
        """As the judge does."""
        return self.judge.compares

    def inquire(
        self,
        completion: Completion,
        case: Case,
        production: Completion | Unscored | None,  # noqa: ARG002 - labels bring their own
    ) -> Inquiry | Score | Unscored:
        """All repeats in one inquiry, so that each vote has a place of its own in the store."""
        inquiry = self.judge.inquire(completion, case, self.production)
        if not isinstance(inquiry, Inquiry):
            self.said[:] = [inquiry] * self.times
            return inquiry
        votes = len(inquiry.requests)

        def grade(replies: Sequence[Completion | Unscored]) -> Score | Unscored:
            self.served.update(each.served_model for each in replies if isinstance(each, Completion))
            self.said[:] = [inquiry.grade(replies[at : at + votes]) for at in range(0, len(replies), votes)]
            return self.said[0]

        return replace(inquiry, requests=inquiry.requests * self.times, grade=grade)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One labelled answer, ready to be judged."""

    case: Case
    completion: Completion
    scorer: BoundScorer  # its scorer is a `Repeated`


def asked_about(
    bound: BoundScorer, case: Case, completion: Completion, *, times: int, production: Completion | Unscored | None
) -> Asked:
    """What the judge `bound` is to be asked about one answer."""
    assert isinstance(bound.scorer, Judge)
    judge = Repeated(judge=bound.scorer, times=times, production=production)
    return Asked(case=case, completion=completion, scorer=replace(bound, scorer=judge))


def judged(
    engine: Evaluation,
    asked: Sequence[Asked],
    *,
    suite: Suite,
    slot: str,
    fresh: bool = False,
    tick: Callable[[Progress], None] = lambda _: None,
) -> Sequence[tuple[Grade, ...] | Errored | Skipped]:
    """The grades of every answer, one per repeat; or why there are none: a call failed.

    Args:
        engine: Asks.
        asked: Each for one use.
        suite: In whose store verdicts are.
        slot: In whose books they are.
        fresh: Ask for verdicts that are stored, too, and leave the stored ones as they are.
        tick: Called every now and then while this waits.

    Raises:
        EngineError: The engine's thread died.
    """
    answers = [
        Answer(completion=each.completion, case=each.case, scorers=(each.scorer,), suite=suite, slot=slot, fresh=fresh)
        for each in asked
    ]
    grades = engine.grade(answers, tick=tick)
    return [_said(each.scorer, found[each.scorer.name]) for each, found in zip(asked, grades, strict=True)]


def _said(bound: BoundScorer, grade: Grade) -> tuple[Grade, ...] | Errored | Skipped:
    if isinstance(grade, Errored | Skipped):
        return grade
    assert isinstance(bound.scorer, Repeated)
    return tuple(bound.scorer.said)


def served_models(asked: Sequence[Asked]) -> tuple[str, ...]:
    """Who answered, after `judged`, as the provider says; empty if it does not."""
    judges = (each.scorer.scorer for each in asked)
    return tuple(sorted({name for each in judges if isinstance(each, Repeated) for name in each.served if name}))


def golden_digest(asked: Sequence[Asked], labels: Sequence[Mapping[str, float]]) -> str:
    """The identity of labelled answers: rows, answers, what they are compared with, and labels, in their order."""
    return digest([_identity(each, said) for each, said in zip(asked, labels, strict=True)])


def _identity(asked: Asked, labels: Mapping[str, float]) -> tuple[str, str, str, Mapping[str, float]]:
    judge = asked.scorer.scorer
    old = judge.production if isinstance(judge, Repeated) else None
    before = output_digest(old) if isinstance(old, Completion) else ""
    return asked.case.digest, output_digest(asked.completion), before, labels
