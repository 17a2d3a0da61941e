"""``promptgate responses``: the stored answers, counted, cleaned and merged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.exits import INTERRUPTED, USAGE, Stop
from pytest_promptgate.cli.project import open_project
from pytest_promptgate.cli.tables import plural, show_table, size
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.retention import Needs, is_needed, is_used, needs_of
from pytest_promptgate.files.atomic import replace_file
from pytest_promptgate.files.own_directory import make_own_directory
from pytest_promptgate.models.store import file_name
from pytest_promptgate.models.store_files import Entry, Scan, content, scan, union
from pytest_promptgate.models.store_lock import alone
from pytest_promptgate.wiring import responses_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_promptgate.cli.project import Project

_HEADER = ("suite", "models", "oldest", "newest", "answers", "used", "size")
_MODELS = 3  # named in a table


@click.group()
def responses() -> None:
    """Work on the response store: every answer that was ever paid for."""


@responses.command()
def stats() -> None:
    """Count the stored answers of every suite, and how many of them its present version reads."""
    with open_project(whole=True, need_suites=False, tolerant=True) as project:
        _tell(project.faults)
        needs = _needs(project)
        scans = [scan(each, shown=project.shown(each)) for each in _paths(project)]
        if not scans:
            click.echo(f"no answer is stored in {project.shown(responses_directory(project.own))}")
            return
        show_table(_HEADER, [_row(each, needs) for each in scans], left=4)
        _tell(complaint for each in scans for complaint in each.complaints)


@responses.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be dropped.")
@click.option("--gone", is_flag=True, help="Drop also all answers of suites that are neither here nor in the lockfile.")
def gc(dry_run: bool, gone: bool) -> None:
    """Drop the stored answers that no suite and no baseline needs.

    Needed are the latest answers to every request of the present suites and of their baselines, and all verdicts of
    judges that were not asked anew.
    """
    with open_project(whole=True, need_suites=False, tolerant=True) as project:
        if project.faults:
            message = "\n".join(
                (*project.faults, "nothing was dropped: what a suite needs is known when it can be read")
            )
            raise Stop(message, INTERRUPTED)
        needs = _needs(project)
        paths = _paths(project)
        for path in paths:
            shown = project.shown(path)
            if path.name in needs or gone:
                _clean(path, needs.get(path.name), shown=shown, dry_run=dry_run)
            else:
                click.echo(f"{shown}: kept, though no suite and no baseline has this name (--gone drops it)")
        if not paths:
            click.echo(f"no answer is stored in {project.shown(responses_directory(project.own))}")


@responses.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.argument("into", type=click.Path(path_type=Path))
def merge(sources: tuple[Path, ...], into: Path) -> None:
    """Merge response stores, such as those of shards, INTO one; what it holds already is kept.

    Each is a store's file, a directory of them, or a .promptgate directory. Of equal keys the oldest answer wins.
    """
    if into.is_file() or into.suffix == ".jsonl":
        _merge([each for source in sources for each in _files(source)], into)
        return
    directory = _target(into)
    by_name: dict[str, list[Path]] = {}
    for source in sources:
        for path in _files(source):
            by_name.setdefault(path.name, []).append(path)
    for name, paths in sorted(by_name.items()):
        _merge(paths, directory / name)


def _merge(paths: Sequence[Path], into: Path) -> None:
    if into.parent.name == "responses":
        make_own_directory(into.parent.parent)
    into.parent.mkdir(parents=True, exist_ok=True)
    with alone(into):
        known = [*paths, *([into] if into.exists() else [])]
        scans = [scan(each) for each in {each.resolve(): each for each in known}.values()]
        picked = union(scans)
        replace_file(into, lambda: content(picked, scans), file=str(into))
    click.echo(f"{printable(str(into))}: {plural(len(picked), 'answer')} from {plural(len(scans), 'store')}")
    _tell(complaint for each in scans for complaint in each.complaints)


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    directory = source / "responses" if (source / "responses").is_dir() else source
    found = sorted(directory.glob("*.jsonl"))
    if not found:
        raise Stop(f"{source}: no response store is there\n  Name a .jsonl file or a directory that holds some.", USAGE)
    return found


def _target(into: Path) -> Path:
    is_directory_of_stores = into.name == "responses" or any(into.glob("*.jsonl"))
    return into if is_directory_of_stores else into / "responses"


def _needs(project: Project) -> dict[str, Needs]:
    """What each suite that is here or in the lockfile needs, by its store's file name."""
    lockfile = project.evals.reference.lockfile
    suites = {run.suite.name for run in project.runs} | {suite for suite, _ in lockfile.baselines}
    return {
        file_name(suite): needs_of(
            (run.plan for run in project.runs if run.suite.name == suite),
            (baseline for (name, _), baseline in lockfile.baselines.items() if name == suite),
        )
        for suite in suites
    }


def _paths(project: Project) -> list[Path]:
    return sorted(responses_directory(project.own).glob("*.jsonl"))


def _row(each: Scan, needs: dict[str, Needs]) -> tuple[str, ...]:
    mine = needs.get(each.path.name)
    complete = frozenset(each.rounds)
    times = sorted(entry.rank[0] for entry in each.entries.values())
    models = sorted({entry.model or "not told" for entry in each.entries.values()})
    more = f" and {len(models) - _MODELS} more" if len(models) > _MODELS else ""
    used = 0 if mine is None else sum(is_used(key, mine, complete=complete, known=each.entries) for key in each.entries)
    name = each.path.name.removesuffix(".jsonl")
    return (
        name if mine is not None else f"{name} (no such suite)",
        ", ".join(models[:_MODELS]) + more,
        _date(times[0]) if times else "-",
        _date(times[-1]) if times else "-",
        str(len(each.entries)),
        str(used),
        size(each.size),
    )


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cleaning:
    """What is to become of one store."""

    scan: Scan
    picked: list[tuple[Scan, Entry]]  # what stays

    @property
    def dropped(self) -> int:
        return len(self.scan.entries) - len(self.picked)

    @property
    def needless(self) -> bool:
        return not (self.dropped or self.scan.repeats or self.scan.complaints)


def _plan_cleaning(path: Path, needs: Needs | None, *, shown: str) -> _Cleaning:
    each = scan(path, shown=shown)
    complete = frozenset(each.rounds)
    return _Cleaning(
        scan=each,
        picked=union(
            [each],
            lambda _, entry: needs is not None and is_needed(entry.key, needs, complete=complete, known=each.entries),
        ),
    )


def _clean(path: Path, needs: Needs | None, *, shown: str, dry_run: bool) -> None:
    if dry_run:
        plan = _plan_cleaning(path, needs, shown=shown)
    else:
        with alone(path):
            plan = _plan_cleaning(path, needs, shown=shown)
            if needs is None:
                path.unlink()
            elif not plan.needless:
                replace_file(path, lambda: content(plan.picked, [plan.scan]), file=shown)
    _tell(plan.scan.complaints)
    if plan.needless:
        click.echo(f"{shown}: all {plural(len(plan.picked), 'answer')} needed")
        return
    dropped, saved = plural(plan.dropped, "answer"), plan.scan.size - sum(each.length for _, each in plan.picked)
    words = ("would drop", "keep") if dry_run else ("dropped", "kept")
    click.echo(f"{shown}: {words[0]} {dropped} ({size(saved)}), {words[1]} {len(plan.picked)}")


def _tell(complaints: Iterable[str]) -> None:
    for each in complaints:
        click.echo(printable(each), err=True)
