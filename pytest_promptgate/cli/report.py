"""``promptgate report`` and ``promptgate compare``: run documents shown again, merged, and held against each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_promptgate.core.history import curves
from pytest_promptgate.core.merged_runs import merged
from pytest_promptgate.core.run_document import RunDocument, Status
from pytest_promptgate.files.history import read_history
from pytest_promptgate.files.run_file import read_run
from pytest_promptgate.files.written import write_report
from pytest_promptgate.pytest_reports import report_kinds
from pytest_promptgate.pytest_settings import REPORTS
from pytest_promptgate.reports.closing import document_lines
from pytest_promptgate.reports.documented import Beside, suite_run
from pytest_promptgate.workflows.comparing import compared, mismatches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_promptgate.core.history import Curve

_FILE = click.Path(path_type=Path)


def _outputs(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option per kind of report: --json, --md, …"""
    for suffix in reversed(REPORTS):
        name = suffix.removeprefix(".")
        command = click.option(f"--{name}", name, type=_FILE, metavar="FILE", help=f"Write a {suffix} report.")(command)
    return command


@click.command()
@click.argument("runs", nargs=-1, required=True, type=_FILE, metavar="RUN...")
@_outputs
@click.option("--history", type=_FILE, metavar="FILE", help="Past runs, which the HTML report draws.")
def report(runs: tuple[Path, ...], history: Path | None, **outputs: Path | None) -> None:
    """Show a run again from its JSON document, or write other reports of it. Several RUNs are merged first.

    Documents of shards are merged suite by suite; what was sharded is measured together, and not judged.
    """
    past = () if history is None else curves(read_history(history, file=str(history)).entries)
    _give(merged([(str(path), read_run(path)) for path in runs]), outputs, past)


@click.command()
@click.argument("before", type=_FILE, metavar="BASELINE")
@click.argument("after", type=_FILE, metavar="CANDIDATE")
@_outputs
def compare(before: Path, after: Path, **outputs: Path | None) -> int:
    """Hold one run document against another by the gate's own statistics; exit with 1 if a gate fails.

    Each suite is judged by the candidate's rule and tolerances, on the cases that both runs have.
    """
    old, new = read_run(before), read_run(after)
    found = [suite_run(each, Beside()) for each in compared(old, new, {})]
    differ = tuple(mismatches(old, new, (str(before), str(after))))
    reasons = [f"{path} is not complete" for path, each in ((before, old), (after, new)) if not _is_whole(each)]
    if len(found) < len(old.suites) or not found:
        reasons += differ  # what the candidate does not have cannot be said to be as good
    notes = (f"{after} held against {before}", *differ)
    document = replace(
        new,
        status=Status.BROKE if reasons else Status.COMPLETE,
        reasons=tuple(reasons),
        suites=tuple(found),
        failures=0,
        notes=notes,
        updated=(),
        refused=False,
    )
    red = bool(document.red or reasons)
    document = replace(document, exit_code=int(red))
    _give(document, outputs)
    for note in notes:
        click.echo(note)
    return int(red)


def _is_whole(document: RunDocument) -> bool:
    return document.status is Status.COMPLETE


def _give(document: RunDocument, outputs: Mapping[str, Path | None], past: Sequence[Curve] = ()) -> None:
    """Write what was asked for; on the screen if nothing was."""
    wanted = {name: path for name, path in outputs.items() if path is not None}
    for name, path in wanted.items():
        write_report(path, report_kinds(past)[f".{name}"](document), file=str(path))
        click.echo(f"wrote {path}")
    for line, red in document_lines(document) if not wanted else ():
        click.secho(line, fg="red" if red else None)
