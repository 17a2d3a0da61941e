"""``promptgate pins``: every model that a file of the project names, and whether it can move."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.exits import FAILED, OK
from pytest_promptgate.cli.project import SUFFIX, open_project
from pytest_promptgate.cli.tables import show_table
from pytest_promptgate.core.deprecation import deprecation_warning
from pytest_promptgate.core.fingerprint import model_digest
from pytest_promptgate.core.pins import PinStatus, ServedModel, compare_served, label
from pytest_promptgate.core.ports import Judge
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.trust import rubrics_of
from pytest_promptgate.files.written_pins import WrittenPin, written_pins
from pytest_promptgate.models.store_served import Served, last_served
from pytest_promptgate.pytest_pins import date_of
from pytest_promptgate.wiring import responses_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.core.types import Json
    from pytest_promptgate.pytest_run import Run

_HEADER = ("file", "model", "status", "served", "age")
VOUCHED = "your word"
_DAY_S = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One pin with all that is known of it."""

    written: WrittenPin
    status: str  # pinned, your word, floating, unknown
    suggestion: str  # what to write instead of a floating one; "" if nobody knows
    served: str  # the model that last answered; "" if nothing is stored or it did not say
    verified: str  # how it compares with the pin; "" if nothing is stored
    age_days: int | None  # since that answer was stored
    retired: str  # day, or ""
    warning: str  # of its retirement, or ""

    @property
    def moves(self) -> bool:
        """Whether a run may be refused for it."""
        return self.written.current and self.status not in (PinStatus.PINNED, VOUCHED)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects for other programs.")
def pins(as_json: bool) -> int:
    """List every model that prompts, suites and rubrics name, its status, and what last answered for it.

    Exit code 1 if one of them floats, or nobody knows whether it does. Older versions of a prompt do not count.
    """
    now = datetime.now(UTC)
    with open_project(whole=True, need_suites=False, tolerant=True) as project:
        found, faults = _found(project)
        served = last_served(sorted(responses_directory(project.own).glob("*.jsonl")))
        told = [_told(project, each, served, now=now) for each in found]
    if as_json:
        click.echo(json.dumps([_plain(each) for each in told], indent=2))
    else:
        _show(told)
    for fault in faults:
        click.echo(printable(fault), err=True)
    return FAILED if faults or any(each.moves for each in told) else OK


def _found(project: Project) -> tuple[Sequence[WrittenPin], Sequence[str]]:
    settings = project.evals.settings
    suites = {settings.root / run.suite.path for run in project.runs}
    suites |= {path for path, _ in project.errors if path is not None}
    # A suite in Python names no model but those that its scorers ask, and they are known once it is read.
    in_python = {path for path in suites if not path.name.endswith(SUFFIX)}
    written, faults = written_pins(settings.root, settings.prompts, sorted(suites - in_python))
    found = {(each.file, each.slot): each for each in written}
    for run in project.runs:
        if settings.root / run.suite.path in in_python:
            found |= {(each.file, each.slot): each for each in _asked(run) if (each.file, each.slot) not in found}
    return tuple(found.values()), [*faults, *(str(error) for path, error in project.errors if path in in_python)]


def _asked(run: Run) -> Iterator[WrittenPin]:
    """The pins that the scorers of a suite ask."""
    rubrics = rubrics_of(run.suite)
    for bound in run.suite.scorers:
        if bound.name in rubrics:
            yield WrittenPin(file=rubrics[bound.name].path, pin=rubrics[bound.name].pin)
        elif isinstance(bound.scorer, Judge):
            yield WrittenPin(file=run.suite.path, slot=bound.name, pin=bound.scorer.pin)


def _told(project: Project, written: WrittenPin, served: Mapping[str, Served], *, now: datetime) -> _Told:
    pin, spec = written.pin, project.evals.project.providers.get(written.pin.provider)
    family = spec.family if spec else ""
    judged = label(family, pin.name)
    vouched = pin.vouched or bool(spec and spec.models.get(pin.name, {}).get("pinned"))
    newest = served.get(model_digest(pin))
    date = date_of(pin, project.evals.project)
    return _Told(
        written=written,
        status=VOUCHED if vouched and judged.status is PinStatus.UNKNOWN else str(judged.status),
        suggestion=f"{pin.provider}/{judged.suggestion}" if judged.suggestion else "",
        served=newest.model if newest else "",
        verified=str(compare_served(pin, family, newest.model)) if newest else "",
        age_days=None if newest is None else max(0, int((now.timestamp() - newest.time) // _DAY_S)),
        retired=date,
        warning=deprecation_warning(pin, date, today=now.date().isoformat()),
    )


def _plain(told: _Told) -> dict[str, Json]:
    written = told.written
    return {
        "file": written.file,
        "slot": written.slot,
        "model": str(written.pin),
        "current": written.current,
        "status": told.status,
        "suggestion": told.suggestion,
        "served": told.served,
        "verified": told.verified,
        "age_days": told.age_days,
        "deprecation_date": told.retired,
    }


def _show(told: Sequence[_Told]) -> None:
    if not told:
        click.echo("no file here names a model")
        return
    show_table(_HEADER, [_row(each) for each in told], left=len(_HEADER) - 1)
    for each in told:
        if each.moves:
            hint = f": write {each.suggestion}" if each.suggestion else ""
            click.echo(printable(f"{_place(each.written)}: {each.written.pin} is {each.status}{hint}"))
    for warning in dict.fromkeys(each.warning for each in told if each.warning and each.written.current):
        click.echo(warning)


def _row(told: _Told) -> Sequence[str]:
    return (
        _place(told.written),
        str(told.written.pin),
        told.status if told.written.current else f"{told.status} (older version)",
        _served(told),
        "-" if told.age_days is None else f"{told.age_days} d",
    )


def _served(told: _Told) -> str:
    """The model that answered, if it says more than the pin does."""
    if told.verified == ServedModel.NOT_VERIFIABLE:
        return "not verifiable"
    return "as pinned" if told.verified == ServedModel.SAME else told.served or "-"


def _place(written: WrittenPin) -> str:
    return f"{written.file} [{written.slot}]" if written.slot else written.file
