"""``promptgate history``: what became of the metrics, run by run."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.exits import USAGE, Stop
from pytest_promptgate.cli.project import open_project
from pytest_promptgate.cli.tables import plain, plural
from pytest_promptgate.core.history import curves, written
from pytest_promptgate.core.printable import one_line, printable
from pytest_promptgate.core.sparkline import ASCII, BLOCKS, sparkline
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.files.history import read_history
from pytest_promptgate.reports.top import digits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.history import Curve, Entry

_WIDTH = 80
_MARKS = 12  # the latest that are listed
_TREND = 22  # runs that a curve shows
_HEADER = ("metric", "first", "now", "change", "n", "trend".ljust(_TREND))
_NAME = 24  # characters of a metric's name


@click.command()
@click.argument("suite", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON, oldest first.")
@click.option("--ascii", "plain_text", is_flag=True, help="Draw the curves without block characters.")
def history(suite: str | None, as_json: bool, plain_text: bool) -> None:
    """Print how the metrics of all suites, or of SUITE, went from run to run.

    The file is written by `pytest --prompt-evals --prompt-history`; its name is the ini value promptgate_history.
    """
    with open_project(whole=True, need_suites=False, tolerant=True) as project:
        path = project.evals.settings.history_file
        shown = project.shown(path)
    found = read_history(path, file=shown)
    for fault in found.faults:
        click.echo(printable(str(fault)), err=True)
    entries = [each for each in found.entries if suite in (None, each.suite)]
    if suite is not None and not entries:
        known = {each.suite for each in found.entries}
        raise Stop(f"{shown} has no suite {suite!r}\n  {did_you_mean(suite, known, label='Suites there')}", USAGE)
    drawn = curves(entries)
    if as_json:
        click.echo(json.dumps([written(each) for each in _by_time(drawn)], indent=2, sort_keys=True))
        return
    for curve in drawn:
        for line in curve_lines(curve, marks=ASCII if plain_text or not _draws_blocks() else BLOCKS):
            click.echo(line)


def _by_time(drawn: Sequence[Curve]) -> list[Entry]:
    return sorted((entry for curve in drawn for entry in curve.entries), key=lambda entry: entry.at)


def _draws_blocks() -> bool:
    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def curve_lines(curve: Curve, *, marks: str) -> Iterator[str]:
    """One curve in 80 columns: a line per metric, then what happened on the way."""
    title = curve.suite if curve.slot == "default" else f"{curve.suite} ({curve.slot})"
    first, last = curve.entries[0], curve.entries[-1]
    span = first.at[:10] if first.at[:10] == last.at[:10] else f"{first.at[:10]} to {last.at[:10]}"
    yield one_line(f"{title}, {curve.series}: {plural(len(curve.entries), 'run')}, {span}", width=_WIDTH)
    yield f"  {one_line(f'now {last.prompt} on {last.model}', width=_WIDTH - 2)}"
    rows = [_row(curve, metric, marks) for metric in curve.metrics()]
    yield from (
        f"  {line}" for line in plain(("metric", "first", "now", "change", "n", "trend".ljust(_TREND)), rows, left=1)
    )
    happened = curve.marks()
    if len(happened) > _MARKS:
        yield f"  {len(happened) - _MARKS} earlier changes are not listed"
    for at, what in happened[-_MARKS:]:
        yield f"  {at[:10]}  {one_line(what, width=_WIDTH - 14)}"


def _row(curve: Curve, metric: str, marks: str) -> tuple[str, ...]:
    points = curve.points(metric)
    first, now = points[0], points[-1]
    values = [point.value for point in points]
    trend = sparkline(values, marks=marks, width=_TREND).ljust(_TREND)
    change = now.value - first.value
    sign = "+" if change >= 0 else "-"
    figures = (digits(first.value), digits(now.value), f"{sign}{digits(abs(change))}", str(now.n))
    return (one_line(metric, width=_NAME), *figures, trend)
