"""Which answers labels are about: those in the file of labels, else the stored ones of a suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import case_digest
from pytest_promptgate.core.nesting import check_row
from pytest_promptgate.core.pairs import CANDIDATE, PRODUCTION, production_of
from pytest_promptgate.core.types import Case, Completion
from pytest_promptgate.errors import DatasetError, PromptGateError, told_together
from pytest_promptgate.workflows.calibrating import Asked, asked_about

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_promptgate.core.types import BoundScorer, Trial, Unscored
    from pytest_promptgate.files.label_file import Labelled
    from pytest_promptgate.pytest_run import Run

    Stored = Callable[[Run, Trial], Completion | None]

_EXPECTED = "expected"
_TOLD = 10  # faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the judge is to be asked, in the order of the labels."""

    asked: tuple[Asked, ...]
    written: int  # answers that stand beside their labels; the others are stored ones


def answers_of(run: Run, bound: BoundScorer, labels: Sequence[Labelled], *, times: int, stored: Stored) -> Answers:
    """The answers that `labels` speak of.

    Args:
        run: A suite and slot with the judge.
        bound: The judge.
        labels: As the file gives them.
        times: How often each is judged.
        stored: The store's answer to a trial of the run.

    Raises:
        DatasetError, Faults: An answer is not at hand, or its row lacks what the judge is to see.
    """
    cases = {case.id: case for case in run.suite.cases}
    found: list[Asked] = []
    faults: list[PromptGateError] = []
    for each in labels:
        case = cases[each.id] if each.id else _own_case(each)
        completion = _answer(run, each, case, stored)
        problem = _problem(bound, case)
        if completion is None:
            arm = f" of {each.arm}" if each.arm else ""
            hint = "Write it into a column `answer`, or run the suite first: pytest --prompt-evals " + run.suite.path
            faults.append(DatasetError(each.place, f"no answer{arm} to {each.id!r} is stored", hint=hint))
        elif problem:
            faults.append(DatasetError(each.place, f"the judge cannot be asked: {problem}", hint=""))
        else:
            production = _production(run, bound, each, case)
            found.append(asked_about(bound, case, completion, times=times, production=production))
    if faults:
        raise told_together(faults[:_TOLD])
    return Answers(asked=tuple(found), written=sum(each.answer is not None for each in labels))


def _own_case(labelled: Labelled) -> Case:
    """A row that no suite has: its columns stand beside the label."""
    fields = labelled.fields
    inputs = {name: value for name, value in fields.items() if name != _EXPECTED}
    expected, known = fields.get(_EXPECTED), _EXPECTED in fields
    return Case(
        id=f"line-{labelled.place.line}" if labelled.place.line else "answer",
        inputs=inputs,
        expected=expected,
        has_expected=known,
        tags=(),
        digest=case_digest(inputs, expected, known),
        place=labelled.place,
    )


def _problem(bound: BoundScorer, case: Case) -> str:
    try:
        check_row(bound.scorer, case)
    except (LookupError, ValueError) as error:
        return str(error.args[0])
    return ""


def _answer(run: Run, labelled: Labelled, case: Case, stored: Stored) -> Completion | None:
    """Without an arm the baseline's answer comes first: it stands in the repository, and labels last."""
    if labelled.answer is not None:
        return Completion(text=labelled.answer)
    trial = next(each for each in run.plan.trials if each.case.id == case.id)
    old = production_of(run.baseline, case, 1) if labelled.arm != CANDIDATE else None
    if isinstance(old, Completion):
        return old
    return stored(run, trial) if labelled.arm != PRODUCTION else None


def _production(run: Run, bound: BoundScorer, labelled: Labelled, case: Case) -> Completion | Unscored | None:
    if labelled.production is not None:
        return Completion(text=labelled.production)
    return production_of(run.baseline, case, 1) if getattr(bound.scorer, "compares", False) else None
