"""``promptgate migrate OLD NEW``: every suite on OLD is run on NEW, and if all pass, NEW is written into the files."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.estimate import show_estimates
from pytest_promptgate.cli.exits import FAILED, INTERRUPTED, OK, USAGE, Stop
from pytest_promptgate.cli.project import open_project, run_suites
from pytest_promptgate.cli.tables import plural
from pytest_promptgate.core.pins import parse_model
from pytest_promptgate.core.ports import Judge
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.types import ModelPin, Outcome
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import PinError
from pytest_promptgate.files.edits import write_edits
from pytest_promptgate.files.repinning import repinned
from pytest_promptgate.files.suite_models import known_pin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.core.types import Suite
    from pytest_promptgate.files.edits import Edit
    from pytest_promptgate.pytest_run import Run

_UNTOUCHED = "No file was changed; the answers are stored."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a migration runs and writes."""

    paths: Sequence[str]  # of the suites, as pytest takes them
    keys: frozenset[tuple[str, str]]  # suites and slots
    options: Sequence[str]  # for pytest
    edits: Sequence[Edit]


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--dry-run", is_flag=True, help="Only say what would be asked and written.")
@click.option("--yes", is_flag=True, help="Do not ask before the calls begin.")
@click.option("--max-cost", metavar="USD", help="Refuse to start above it, and stop when the spend reaches it.")
def migrate(old: str, new: str, dry_run: bool, yes: bool, max_cost: str | None) -> None:
    """Move every suite on the model OLD to the model NEW, if NEW is no worse.

    The suites run on NEW with the same prompts, against their baselines. If all pass, NEW is written: as a new version
    of each prompt that names OLD, and in place where a suite names it. Else no file is changed.
    """
    with open_project(whole=True) as project:
        plan = _planned(project, old, new)
        for line in _judges(project, old):
            click.echo(line)
    with open_project(plan.paths, options=plan.options) as project:
        show_estimates(project)
    if dry_run:
        _tell("would write", plan.edits)
        return
    if sys.stdin.isatty() and sys.stdout.isatty() and not yes:
        click.confirm("Go on?", abort=True)
    _run(plan, max_cost)
    write_edits(plan.edits)
    _tell("wrote", plan.edits)
    click.echo(f"Next, which asks nothing again: pytest --update-baseline {shlex.join(plan.paths)}")


def _planned(project: Project, old: str, new: str) -> _Plan:
    runs = _on(project.runs, old)
    pin = _new_pin(project, new)
    if str(pin) == str(_pin(old)):
        raise Stop(f"OLD and NEW are both {pin}", USAGE)
    settings, start = project.evals.settings, project.evals.config.invocation_params.dir
    if lacking := [run.suite.path for run in runs if run.baseline is None]:
        hint = f"Run: pytest --update-baseline {' '.join(dict.fromkeys(lacking))}"
        raise Stop(f"{pin} cannot be held against {old}: there is no baseline\n  {hint}", FAILED)
    suites: dict[str, tuple[Suite, list[str]]] = {}
    for run in runs:
        suites.setdefault(run.suite.path, (run.suite, []))[1].append(run.slot)
    changes = [f"{run.suite.name}{'' if run.slot == 'default' else f'[{run.slot}]'}={pin}" for run in runs]
    return _Plan(
        paths=[_from(start, settings.root / path) for path in suites],
        keys=frozenset(run.key for run in runs),
        options=[word for change in changes for word in ("--prompt-model", change)],
        edits=repinned(suites.values(), pin, root=settings.root, prompts=settings.prompts),
    )


def _on(runs: Sequence[Run], old: str) -> list[Run]:
    """The suites and slots that run on OLD."""
    wanted = str(_pin(old))
    found = [run for run in runs if str(run.plan.pin) == wanted and run.suite.prompt.target is None]
    if not found:
        known = {str(run.plan.pin) for run in runs if run.suite.prompt.target is None}
        raise Stop(f"no suite runs on {wanted}\n  {did_you_mean(wanted, known, label='Models of suites')}", USAGE)
    return found


def _new_pin(project: Project, new: str) -> ModelPin:
    try:
        return known_pin(_pin(new), project.evals.project.providers, where="")
    except PinError as fault:
        raise Stop(str(fault), USAGE) from None


def _pin(text: str) -> ModelPin:
    provider, name = parse_model(text.strip())
    return ModelPin(provider=provider, name=name)


def _from(start: Path, path: Path) -> str:
    return path.relative_to(start).as_posix() if path.is_relative_to(start) else str(path)


def _judges(project: Project, old: str) -> Iterator[str]:
    """Judges on OLD stay: another judge is another measure, and no migration of what is measured."""
    wanted = str(_pin(old))
    scorers = {(run.suite.path, bound.name): bound.scorer for run in project.runs for bound in run.suite.scorers}
    for (path, name), scorer in scorers.items():
        if isinstance(scorer, Judge) and str(scorer.pin) == wanted:
            yield printable(f"note: the judge {name!r} of {path} stays on {wanted}; calibrate another one first")


def _run(plan: _Plan, max_cost: str | None) -> None:
    """Run the suites on the new model.

    Raises:
        Stop: Not all of them passed, or not all of it was run.
    """
    budget = [] if max_cost is None else ["--prompt-max-cost", max_cost]
    code, runs = run_suites(plan.paths, [*plan.options, *budget])
    mine = [run for run in runs if run.key in plan.keys]
    failed = [line for run in mine for line in _failures(run)]
    if code != OK or failed or len(mine) < len(plan.keys):
        told = "\n".join(f"  {each}" for each in failed) or "  pytest says above why"
        raise Stop(f"not migrated:\n{told}\n  {_UNTOUCHED}", code if code in (INTERRUPTED, USAGE) else FAILED)


def _failures(run: Run) -> Iterator[str]:
    name = run.suite.name if run.slot == "default" else f"{run.suite.name}[{run.slot}]"
    if run.report is None:
        yield f"{name}: it was not judged"
    elif run.report.partial:
        yield f"{name}: {run.report.partial}"
    else:
        for verdict in run.report.verdicts:
            if verdict.red or verdict.outcome is Outcome.NEW:
                yield f"{name}: {verdict.reason}"


def _tell(word: str, edits: Sequence[Edit]) -> None:
    for edit in edits:
        click.echo(printable(f"{word} {edit.shown}: {edit.what}"))
    click.echo(f"{word} {plural(len(edits), 'file')}")
