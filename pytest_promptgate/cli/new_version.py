"""``promptgate new-version``: the next version of a prompt, with recorded ones as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.exits import USAGE, Stop
from pytest_promptgate.cli.project import SUFFIX, open_project
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import PromptGateError, SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_promptgate.files.new_version import Step
    from pytest_promptgate.files.recorded_versions import Archive


@click.command("new-version")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--from", "source", metavar="vN", default="", help="Make it from this version.")
@click.option("--restore", is_flag=True, help="Only bring back versions that a baseline needs and that are gone.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def new_version(names: tuple[str, ...], source: str, restore: bool, dry_run: bool) -> None:
    """Make the next version of the prompt NAME.

    An edit of a version that a baseline was written from, or of a partial in it, goes into the new version, and the old
    one is put back as it was: from Git, or from the texts that the baseline keeps. Without an edit the newest version
    is copied. All files are written, or none.
    """
    from pytest_promptgate.files.new_version import next_version, restored, write
    from pytest_promptgate.pytest_versions import archive_of

    if source and (restore or len(names) > 1):
        raise Stop("--from goes with one name, and not with --restore", USAGE)
    with open_project(need_suites=False, tolerant=True) as project:
        archive = archive_of(project.evals.reference)
        _check_names(archive, names, known_only=not restore)
        steps = [
            step
            for name in dict.fromkeys(names)
            for step in (restored(archive, name) if restore else next_version(archive, name, source=source))
        ]
        if not dry_run:
            write(steps, root=archive.root)
        for line in _told(archive, steps, dry_run):
            click.echo(printable(line))


def _check_names(archive: Archive, names: Sequence[str], *, known_only: bool) -> None:
    there = [each.name for each in sorted(archive.directory.glob("*")) if any(each.glob("v*"))]
    recorded = [] if known_only else [label.partition("@")[0] for label in archive.digests]
    for name in names:
        if name not in {*there, *recorded}:
            raise Stop(f"there is no prompt {name!r}\n  {did_you_mean(name, there, label='Prompts')}", USAGE)


def _told(archive: Archive, steps: Sequence[Step], dry_run: bool) -> Iterator[str]:
    if not steps:
        yield "nothing to do: every version that a baseline names is as it was"
        return
    for step in steps:
        word = "would write" if dry_run else "wrote"
        yield f"{word} {_shown(archive, step.path)}: {step.label}, {step.told}"
    made = [step for step in steps if step.new]
    for step in made:
        yield from _pinned_suites(archive.root, step)
    if made and not dry_run:
        yield "next: pytest --prompt-evals"


def _pinned_suites(root: Path, step: Step) -> Iterator[str]:
    """Suites that name another version of the prompt, and so do not run the new one."""
    from pytest_promptgate.files.source import place_of, read_yaml

    name = step.label.partition("@")[0]
    for path in sorted(root.rglob(f"*{SUFFIX}")):
        parts = path.relative_to(root).parts
        if any(part.startswith(".") for part in parts):
            continue
        try:
            document = read_yaml(path.read_text(encoding="utf-8"), file="/".join(parts), error=SuiteError)
        except (PromptGateError, OSError, UnicodeDecodeError):
            continue
        written = document.value.get("prompt") if isinstance(document.value, dict) else None
        if isinstance(written, str) and written.startswith(f"{name}@"):
            yield f"{place_of(document, ('prompt',))}: this suite runs {written}; to run the new text: {step.label}"


def _shown(archive: Archive, path: Path) -> str:
    return path.relative_to(archive.root).as_posix() if path.is_relative_to(archive.root) else path.as_posix()
