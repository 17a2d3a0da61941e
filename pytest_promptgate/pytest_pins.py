"""What a run has to say about its pins as a whole: models that their providers retire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.deprecation import deprecation_warning, retirement
from pytest_promptgate.core.ports import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import ModelPin
    from pytest_promptgate.files.config import ProjectConfig
    from pytest_promptgate.pytest_run import Run


def deprecation_lines(runs: Sequence[Run], project: ProjectConfig, *, today: str) -> list[str]:
    """A warning per model, of a prompt or of a judge, that is retired within 90 days, or has been.

    Args:
        runs: Of this pytest run; those of which nothing was selected are left out.
        project: With the dates.
        today: Such as 2026-01-31.
    """
    pins = {str(pin): pin for run in runs if run.selected for pin in _pins(run)}
    warnings = (deprecation_warning(pin, date_of(pin, project), today=today) for pin in pins.values())
    return [warning for warning in warnings if warning]


def date_of(pin: ModelPin, project: ProjectConfig) -> str:
    """The day on which `pin` is retired, or ""."""
    spec = project.providers.get(pin.provider)
    return retirement(pin, spec.family if spec else "", project.deprecations)


def _pins(run: Run) -> Iterator[ModelPin]:
    if run.suite.prompt.target is None:
        yield run.plan.pin
    yield from (bound.scorer.pin for bound in run.suite.scorers if isinstance(bound.scorer, Judge))
