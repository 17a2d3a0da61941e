"""Why nothing more is asked of one account, of one model, or for one suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.core.types import Errored
from pytest_promptgate.errors import EngineError, PromptGateError, WrongModel
from pytest_promptgate.workflows.scoring import described, place_in_users_code

if TYPE_CHECKING:
    from pytest_promptgate.core.types import ModelPin
    from pytest_promptgate.workflows.jobs import Job

Subject: TypeAlias = tuple[str, str]  # ("provider", name), ("model", provider/name) or ("suite", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One reason. All trials that it concerns tell it in the same words: who reports them can say it once."""

    error: PromptGateError

    @property
    def grade(self) -> Errored:
        """The grade of a trial that it concerns."""
        return Errored(message=str(self.error), moved=isinstance(self.error, WrongModel))


class Stops:
    """All of a run."""

    def __init__(self) -> None:
        self._known: dict[Subject, Stop] = {}

    def add(self, subject: Subject, error: PromptGateError) -> Stop:
        """The stop of `subject`; the first error counts."""
        return self._known.setdefault(subject, Stop(error=error))

    def of(self, job: Job) -> Stop | None:
        """Why `job` may not be asked, if so."""
        return self.about(job.trial.request.pin, job.plan.suite.name) if self._known else None

    def about(self, pin: ModelPin, suite: str) -> Stop | None:
        """Why a model may not be asked for a suite, if so."""
        subjects = (("provider", pin.provider), ("model", str(pin)), ("suite", suite))
        return next((self._known[subject] for subject in subjects if subject in self._known), None)

    def errors(self) -> tuple[PromptGateError, ...]:
        """What stopped something, in the order in which it happened."""
        return tuple(stop.error for stop in self._known.values())


def known(error: BaseException, job: Job) -> PromptGateError:
    """`error` itself if it is one of ours, else told as what nobody expected of an account or a store."""
    if isinstance(error, PromptGateError):
        return error
    where = place_in_users_code(error.__traceback__)
    return EngineError(job.name, f"failed unexpectedly with {described(error)}", hint=where and f"at {where}")


def asked_of(job: Job, error: PromptGateError) -> Subject:
    """Whom `error` concerns, see `subject_of`."""
    return subject_of(job.trial.request.pin, error)


def subject_of(pin: ModelPin, error: PromptGateError) -> Subject:
    """Whom `error` concerns: the model alone if it moved or is named as the place, else the whole account."""
    of_model = isinstance(error, WrongModel) or str(error.where) == str(pin)
    return ("model", str(pin)) if of_model else ("provider", pin.provider)


def suite_of(job: Job) -> Subject:
    """The suite of `job`, whose store keeps the answer."""
    return "suite", job.plan.suite.name
