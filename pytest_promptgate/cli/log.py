"""``promptgate log NAME``: the versions of a prompt, where they come from, and what baselines recorded of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.project import open_project
from pytest_promptgate.cli.tables import show_table
from pytest_promptgate.cli.versions import shown_figures, title, versions_of
from pytest_promptgate.core.printable import printable
from pytest_promptgate.errors import ConfigError
from pytest_promptgate.files.git import Written, first_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.cli.versions import Versions
    from pytest_promptgate.core.types import PromptVersion
    from pytest_promptgate.files.baseline_records import Recorded

_SHALLOW = "this clone is shallow, so older commits are not known: git fetch --unshallow"
_HEADER = ("version", "commit", "date", "author", "baselines")


@click.command()
@click.argument("name")
def log(name: str) -> None:
    """List the versions of the prompt NAME, newest first, with commit, author, date and baseline metrics.

    Metrics come from the lockfile and, for versions that it has left behind, from its history in Git.
    """
    with open_project(need_suites=False, tolerant=True) as project:
        versions = versions_of(project, name)
        loaded = [versions.load(each) for each in reversed(versions.known)]
        recorded = versions.recorded(versions.known)
        written, note = _written(versions, loaded)
        show_table(_HEADER, [_row(each, written.get(each.version), recorded) for each in loaded], left=len(_HEADER))
        if note:
            click.echo(note, err=True)


def _written(versions: Versions, loaded: Sequence[PromptVersion]) -> tuple[dict[str, Written], str]:
    """The commit of each version, and what to say if Git does not know any."""
    root = versions.project.evals.settings.root
    try:
        written = {each.version: first_written(root, root / each.path) for each in loaded}
    except ConfigError as error:
        return {}, f"commits, dates and authors are not known: {printable(error.what)}"
    cut = any(each is not None and not each.certain for each in written.values())
    return {version: each for version, each in written.items() if each and each.certain}, _SHALLOW if cut else ""


def _row(prompt: PromptVersion, written: Written | None, recorded: Sequence[Recorded]) -> Sequence[str]:
    mine = [each for each in recorded if each.label == prompt.label]
    return (
        prompt.version,
        written.commit if written else "-",
        written.date if written else "-",
        written.author if written else "-",
        "; ".join(_told(each, prompt) for each in mine) or "-",
    )


def _told(recorded: Recorded, prompt: PromptVersion) -> str:
    metrics = ", ".join(f"{name} {shown_figures(figures)}" for name, figures in recorded.metrics.items())
    edited = " (its text was another one then)" if recorded.digest != prompt.digest else ""
    since = f" (until {recorded.date})" if recorded.date else ""
    return f"{title(recorded)}: {metrics}{since}{edited}"
