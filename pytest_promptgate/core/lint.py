"""What ``promptgate lint`` finds: every fault that a run would stop at, and what a run is too polite to say.

A code never changes its meaning. `CODES` is the list of them; docs/lint.md shows an example of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pytest_promptgate.errors import (
    ConfigError,
    DatasetError,
    Faults,
    LockfileError,
    PinError,
    Place,
    PromptError,
    PromptGateError,
    RubricError,
    SuiteError,
    TemplateError,
    VariableError,
)


class Severity(StrEnum):
    """How bad it is. Only errors stop a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


CODES: Mapping[str, tuple[Severity, str]] = {
    "PG101": (Severity.ERROR, "a prompt file is wrong"),
    "PG102": (Severity.ERROR, "a template does not parse in the sandbox, fails, or goes beyond its limits"),
    "PG103": (Severity.ERROR, "declared and used variables disagree"),
    "PG110": (Severity.WARNING, "a prompt without any variable"),
    "PG111": (Severity.WARNING, "a value written out where an input or a constant carries the same text"),
    "PG112": (Severity.WARNING, "names that differ in upper and lower case only"),
    "PG113": (Severity.WARNING, "a directory of prompts that no suite can name"),
    "PG120": (Severity.NOTE, "a prompt without an owner"),
    "PG121": (Severity.NOTE, "a prompt without a source"),
    "PG122": (Severity.NOTE, "a role marker that other readers of Prompty files would lose"),
    "PG201": (Severity.ERROR, "a suite is wrong"),
    "PG301": (Severity.ERROR, "a dataset is wrong"),
    "PG401": (Severity.ERROR, "a rubric is wrong"),
    "PG501": (Severity.ERROR, "a model id names no fixed snapshot"),
    "PG601": (Severity.ERROR, "promptgate.yaml is wrong"),
    "PG701": (Severity.ERROR, "the lockfile or its outputs are wrong"),
    "PG801": (Severity.ERROR, "anything else that would stop a run"),
    "PG901": (Severity.WARNING, "a YAML value that other YAML readers take for something else"),
    "PG902": (Severity.NOTE, "a file that nothing here reads"),
}
# The first that fits: subclasses stand before their parents.
_CODES_OF_ERRORS: tuple[tuple[type[PromptGateError], str], ...] = (
    (TemplateError, "PG102"),
    (VariableError, "PG103"),
    (PromptError, "PG101"),
    (SuiteError, "PG201"),
    (DatasetError, "PG301"),
    (RubricError, "PG401"),
    (PinError, "PG501"),
    (ConfigError, "PG601"),
    (LockfileError, "PG701"),
    (PromptGateError, "PG801"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """One thing to look at."""

    code: str  # a key of `CODES`
    place: Place
    message: str  # one line
    hint: str = ""  # may have several

    @property
    def severity(self) -> Severity:
        """Its code's."""
        return CODES[self.code][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LintReport:
    """All findings, each once, in the order of files and lines."""

    findings: tuple[LintFinding, ...]
    files: int  # that were looked at

    def count(self, severity: Severity) -> int:
        """How many findings are of `severity`."""
        return sum(each.severity is severity for each in self.findings)

    def fails(self, *, strict: bool) -> bool:
        """Whether there is an error, or with `strict` a warning."""
        return bool(self.count(Severity.ERROR) or (strict and self.count(Severity.WARNING)))


def findings_of(error: PromptGateError) -> tuple[LintFinding, ...]:
    """What an error says, one finding for each of `Faults`."""
    if isinstance(error, Faults):
        return tuple(finding for each in error.errors for finding in findings_of(each))
    code = next(code for kind, code in _CODES_OF_ERRORS if isinstance(error, kind))
    place = error.where if isinstance(error.where, Place) else Place(file=str(error.where))
    return (LintFinding(code=code, place=place, message=error.what, hint=error.hint),)


def lint_report(findings: Iterable[LintFinding], *, files: int) -> LintReport:
    """The findings in order, the same one told once."""
    return LintReport(findings=tuple(sorted(dict.fromkeys(findings), key=_order)), files=files)


def _order(finding: LintFinding) -> tuple[str, int, int, str, str]:
    place = finding.place
    return place.file, place.line or 0, place.column or 0, finding.code, finding.message
