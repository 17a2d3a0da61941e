"""Every error that a user can meet, and its one message shape.

::

    PromptGateError
    ├── FileError              a file that users write is wrong
    │   ├── PromptError
    │   │   ├── TemplateError  it does not parse in the sandbox, or fails
    │   │   │   └── TemplateLimit    it goes beyond its limits
    │   │   └── VariableError  what a prompt declares and what its templates use are not the same names
    │   ├── DatasetError
    │   ├── SuiteError
    │   ├── RubricError        what a judge judges by
    │   ├── ConfigError        promptgate.yaml, ini values, command-line values
    │   ├── LockfileError
    │   └── RunFileError        a run document, or a report that is to be written
    ├── Faults                 several of them, told together
    ├── PinError               a model id that does not name one fixed snapshot
    ├── ToolboxError           two plugins offer one name, or an offer is not usable
    ├── ScorerError            a scorer raised: that case's own error
    ├── HistoryError           the history of runs cannot be read or written
    ├── CommentError           a report cannot be written on a pull request
    ├── StoreError             the response store cannot be read or written
    ├── BudgetError            the money or time granted does not suffice
    ├── EngineError            the engine's thread died, or stayed behind in another process
    └── CallError              a request was not answered
        ├── TransportFault     worth another try: 408, 409, 429, 5xx, connection, time-out, HTML, torn JSON
        ├── RequestRefused     this request alone: 400, 413, 422 (context length, content filter)
        ├── AccountStopped     every request of this account: 401, 403, unknown model, quota exhausted
        └── WrongModel         another snapshot than the pin answered: every request of this model

A message is ``where: what`` and, indented on the next line, how to mend it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a file; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class PromptGateError(Exception):
    """Root of the tree.

    Args:
        where: The place that has to change, or any other name of the culprit; empty if there is none.
        what: What was seen, in one line, without a full stop at the end.
        hint: How to mend it; may have several lines.
    """

    def __init__(self, where: Place | str, what: str, *, hint: str = "") -> None:
        super().__init__(where, what)
        self.where = where
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if str(self.where) else self.what
        return "\n".join([head, *(f"  {line}" for line in self.hint.splitlines())])


class FileError(PromptGateError):
    """A file that users write is wrong."""


class PromptError(FileError):
    """A prompt file is wrong, or a prompt version cannot be found."""


class TemplateError(PromptError):
    """A template does not parse in the sandbox, or fails while it is rendered."""


class TemplateLimit(TemplateError):
    """A template does what no template may do, or uses up more than it may."""


class VariableError(PromptError):
    """What a prompt declares and what its templates use are not the same names."""


class DatasetError(FileError):
    """A dataset cannot be read, or a row of it is wrong."""


class SuiteError(FileError):
    """A suite file is wrong."""


class RubricError(FileError):
    """A rubric file is wrong."""


class ConfigError(FileError):
    """``promptgate.yaml``, an ini value or a command-line value is wrong."""


class LockfileError(FileError):
    """The lockfile or its outputs cannot be read, are of a newer version, or contradict themselves."""


class RunFileError(FileError):
    """A run document cannot be read, or a report cannot be written."""


class Faults(PromptGateError):
    """Several errors of one file, told together, in the order of their places."""

    def __init__(self, errors: Sequence[PromptGateError]) -> None:
        if not errors:
            raise ValueError("Faults needs at least one error")
        super().__init__(errors[0].where, errors[0].what)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class PinError(PromptGateError):
    """A model id does not name one fixed snapshot, or nobody knows whether it does."""


class ToolboxError(PromptGateError):
    """Two plugins offer one name, or an offer cannot be used."""


class ScorerError(PromptGateError):
    """A scorer raised; `where` is the scorer's name. It is an error of that case, never a 0."""


class StoreError(PromptGateError):
    """The response store cannot be read or written."""


class CommentError(PromptGateError):
    """A report cannot be written on a pull request.

    Attributes:
        status: Of the HTTP answer; None if there was none.
    """

    def __init__(self, where: Place | str, what: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(where, what, hint=hint)
        self.status = status


class HistoryError(PromptGateError):
    """The history of runs cannot be read or written, or a line of it holds no run."""


class BudgetError(PromptGateError):
    """The money or time granted does not suffice, or cannot be computed."""


class EngineError(PromptGateError):
    """The engine's thread died, or stayed behind when the process was forked."""


class CallError(PromptGateError):
    """A request was not answered; `where` names provider and model, never a key or a header."""


class TransportFault(CallError):
    """Worth another try.

    Attributes:
        retry_after: Seconds that the provider asked us to wait; None if it did not say.
        overloaded: The provider said that it has too much to do (429, 503, 529): the limiter slows down.
    """

    def __init__(
        self,
        where: Place | str,
        what: str,
        *,
        hint: str = "",
        retry_after: float | None = None,
        overloaded: bool = False,
    ) -> None:
        super().__init__(where, what, hint=hint)
        self.retry_after = retry_after
        self.overloaded = overloaded


class RequestRefused(CallError):
    """The provider refuses this request, whoever asks: its case is unscored, no other is touched."""


class AccountStopped(CallError):
    """Nothing of this account can be answered; told once, and no further call is made."""


class TargetError(CallError):
    """A target raised, took too long or returned no answer; `where` is its reference. An error of that case alone."""


class WrongModel(CallError):
    """Another snapshot than the pin answered: no further call is made to this model, for each would be paid in vain."""


def told_together(errors: Sequence[PromptGateError]) -> PromptGateError:
    """One error as itself, several as `Faults`."""
    return errors[0] if len(errors) == 1 else Faults(errors)
