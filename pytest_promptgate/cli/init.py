"""``promptgate init``: a first project, green at once; or prompts lifted out of code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_promptgate import __version__
from pytest_promptgate.cli.exits import FAILED, Stop
from pytest_promptgate.cli.init_from import lifted_steps, tell_use
from pytest_promptgate.cli.tables import plain
from pytest_promptgate.files.starter import PROMPT, WORKFLOW, Step, below, starter_steps, write_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEXT = f"""
Next:
  pytest --prompt-evals       green at once: the embedded model needs no key and no network
  pytest --update-baseline    makes this the baseline; commit all of it, promptgate.lock.json too

Then see a gate turn red:
  cp {PROMPT} {PROMPT.replace("v1", "v2")}
  delete the last example in v2.prompty: "I sent the parcel back, where is my money?" and its answer
  pytest --prompt-evals"""


@click.command()
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Lift the prompts of a .py, .ipynb or .txt file out into prompts/, and make nothing else.",
)
@click.option(
    "--model", default="", metavar="PIN", help="With --from: the model of the lifted prompts, as provider/id."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
def init(source: Path | None, model: str, dry_run: bool) -> None:
    """Make a first project in the working directory: a prompt, 12 cases, a suite, a CI workflow.

    It asks nothing and overwrites nothing; to a .gitignore and to the testpaths of pytest it adds what is missing.
    """
    root = Path.cwd()
    if source is not None:
        steps, lifted = lifted_steps(root, source, model=model)
        if not dry_run:
            _write(root, steps)
        tell_use(lifted, model=model)
        if dry_run:
            click.echo("\nNothing was written: this was a dry run.")
        return
    if model:
        raise click.UsageError("--model goes with --from; a made prompt names its model in its own file.")
    _start(root, dry_run=dry_run)


def _start(root: Path, *, dry_run: bool) -> None:
    steps = starter_steps(root, version=__version__)
    if not dry_run:
        _write(root, steps)
    for line in plain(("", "file", ""), [_row(step, dry_run=dry_run) for step in steps], left=3)[1:]:
        click.echo(line)
    for line in _misplaced(root, steps):
        click.echo(line)
    if not dry_run:
        click.echo(_NEXT)


def _write(root: Path, steps: Sequence[Step]) -> None:
    try:
        write_steps(root, steps)
    except OSError as error:
        path = Path(error.filename or root)
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
        hint = "Mend it and run the command again: what was made by then stays, and is kept."
        raise Stop(f"{shown}: cannot be written: {error.strerror or error}\n  {hint}", FAILED) from error


def _row(step: Step, *, dry_run: bool) -> tuple[str, str, str]:
    if step.text is None:
        return "kept", step.path, step.why
    done = "made" if step.made else "added to"
    planned = "make" if step.made else "add to"
    return planned if dry_run else done, step.path, step.why


def _misplaced(root: Path, steps: Sequence[Step]) -> list[str]:
    """GitHub reads workflows at the root of a repository only."""
    top, directory = below(root)
    if not directory or not any(step.path == WORKFLOW and step.made for step in steps):
        return []
    return [f"\nThe repository's root is {top}: move {WORKFLOW} there.", f"Its steps work in {directory}."]
