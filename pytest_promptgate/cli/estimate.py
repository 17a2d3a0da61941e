"""``promptgate estimate``: calls, tokens and cost, before anything is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.project import open_project
from pytest_promptgate.cli.tables import plural, show_table
from pytest_promptgate.cli.verdicts import foresee_verdicts
from pytest_promptgate.core.estimate import Estimate, Source, dollars, headline, rounded
from pytest_promptgate.workflows.batching import name_of
from pytest_promptgate.workflows.forecast import Forecast, forecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.pytest_run import Run

_HEADER = ("suite", "slot", "cases", "unchanged", "stored", "to ask", "tokens", "cost")


@click.command()
@click.argument("paths", nargs=-1)
def estimate(paths: tuple[str, ...]) -> None:
    """Show what a run would ask, and about what it would cost. Asks nothing.

    PATHS are suites, directories or names of suites; by default everything that pytest would collect here.
    """
    with open_project(paths) as project:
        show_estimates(project)


def show_estimates(project: Project) -> None:
    """What a run of the project's suites would ask and cost, as a table and a line that sums it up."""
    estimates = [
        each for run in project.runs for each in (foresee(project, run).estimate, *foresee_verdicts(project, run))
    ]
    show_table(_HEADER, [_row(each) for each in estimates], left=2)
    click.echo(headline(estimates))
    for note in _notes(project, estimates):
        click.echo(note)


def foresee(project: Project, run: Run, *, share: float = 1.0, besides: frozenset[str] = frozenset()) -> Forecast:
    """What a run of one suite and slot would ask.

    Args:
        project: That of the run.
        run: One suite and slot.
        share: Of the price that is paid.
        besides: Names of requests that count as stored: a batch is under way with them.
    """
    return forecast(
        run.plan,
        baseline=run.baseline,
        is_stored=lambda trial: name_of(trial) in besides or project.is_stored(run, trial),
        history=project.history(run),
        price=project.evals.price(run.plan.pin),
        share=share,
    )


def cost(told: Estimate) -> str:
    """The cost as a cell; never 0 where it is not known."""
    return "unknown" if told.cost_usd is None else dollars(told.cost_usd)


def _row(told: Estimate) -> Sequence[str]:
    numbers = (told.cases, told.unchanged, told.stored, told.asked)
    return (told.suite, told.slot, *(str(each) for each in numbers), rounded(told.tokens), cost(told))


def _notes(project: Project, estimates: Sequence[Estimate]) -> list[str]:
    by_source: dict[Source, list[str]] = {}
    for each in estimates:
        if each.source is not None:
            by_source.setdefault(each.source, []).append(each.suite)
    notes = [
        f"{', '.join(dict.fromkeys(suites))}: tokens from {source}"
        for source, suites in by_source.items()
        if source is not Source.LENGTH or len(by_source) > 1
    ]
    unknown = sorted({each.model for each in estimates if each.cost_usd is None})
    if unknown:
        file = project.shown(project.evals.settings.lockfile.parent / "promptgate.yaml")
        notes.append(
            f"{plural(len(unknown), 'price')} unknown: {', '.join(unknown)}\n"
            f"  Write it under `prices:` in {file}, or install the price data: pip install 'pytest-promptgate[prices]'"
        )
    return notes
