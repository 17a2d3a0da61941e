"""``promptgate diff NAME v2 v3``: what differs between two versions of a prompt."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.exits import USAGE, Stop
from pytest_promptgate.cli.project import open_project
from pytest_promptgate.cli.structured_diff import structured_diff
from pytest_promptgate.cli.versions import Versions, shown_figures, title, versions_of
from pytest_promptgate.cli.word_columns import show_messages
from pytest_promptgate.core.differences import messages_diff
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.version_diff import settings_tree
from pytest_promptgate.pytest_versions import archive_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import PromptVersion
    from pytest_promptgate.files.baseline_records import Recorded


@click.command()
@click.argument("name")
@click.argument("versions", nargs=-1, metavar="[OLD [NEW]]")
def diff(name: str, versions: tuple[str, ...]) -> None:
    """Show what differs between two versions of the prompt NAME: messages, settings and baseline metrics.

    Without versions these are the two newest. One version alone is held against the text that its baseline was
    written from, so that an edit in place shows.
    """
    if len(versions) > 2:
        raise click.UsageError("name two versions at most")
    with open_project(need_suites=False, tolerant=True) as project:
        known = versions_of(project, name)
        old, new = _wanted(known, versions)
        _show(old, new)
        metrics = [] if old.version == new.version else list(_metrics(known, old, new))
        for line in (*_settings(old, new), *metrics):
            click.echo(printable(line))


def _wanted(known: Versions, versions: Sequence[str]) -> tuple[PromptVersion, PromptVersion]:
    if len(versions) == 2:
        return known.load(versions[0]), known.load(versions[1])
    if len(versions) == 1:
        prompt = known.load(versions[0])
        return _recorded_text(known, prompt), prompt
    if len(known.known) == 1:
        hint = f"Hold it against the text of its baseline: promptgate diff {known.name} v1"
        raise Stop(f"prompt {known.name!r} has one version only\n  {hint}", USAGE)
    return known.load(known.known[-2]), known.load(known.known[-1])


def _recorded_text(known: Versions, prompt: PromptVersion) -> PromptVersion:
    """`prompt` as a baseline was written from it."""
    archive = archive_of(known.project.evals.reference)
    then = None
    if prompt.label in archive.digests:
        then = archive.before(prompt.label, known.project.evals.settings.root / prompt.path, prompt)
    if then is None:
        hint = f"Name two versions: promptgate diff {known.name} v1 v2"
        raise Stop(f"no baseline holds an earlier text of {prompt.label}\n  {hint}", USAGE)
    # What no answer depends on may have been edited since, and not every source of the text knows it.
    return replace(then, owner=prompt.owner, source=prompt.source, description=prompt.description)


def _show(old: PromptVersion, new: PromptVersion) -> None:
    names = old.label, new.label if new.label != old.label else f"{new.label}, as it is now"
    if old.messages == new.messages:
        click.echo(f"{names[0]} and {names[1]}: the same messages")
    elif sys.stdout.isatty():
        show_messages(old.messages, new.messages, names=names)
    else:
        for line in messages_diff(old.messages, new.messages, names=names):
            click.echo(printable(line))


def _settings(old: PromptVersion, new: PromptVersion) -> Iterator[str]:
    changes = structured_diff(settings_tree(old), settings_tree(new))
    yield "settings:" if changes else "settings: the same"
    yield from (f"  {each}" for each in changes)


def _metrics(known: Versions, old: PromptVersion, new: PromptVersion) -> Iterator[str]:
    recorded = known.recorded([old.version, new.version])
    before = {(each.suite, each.slot): each for each in recorded if each.label == old.label}
    after = {(each.suite, each.slot): each for each in recorded if each.label == new.label}
    both = sorted(before.keys() & after.keys())
    if not both:
        lacking = [each.label for each, found in ((old, before), (new, after)) if not found]
        yield f"metrics: no baseline of {' or '.join(lacking) or 'the same suite'} is recorded"
        return
    yield "metrics:"
    for key in both:
        yield from (f"  {line}" for line in _changes(before[key], after[key]))


def _changes(before: Recorded, after: Recorded) -> Iterator[str]:
    model = f" ({before.model} -> {after.model})" if before.model != after.model else ""
    yield f"{title(after)}{model}:"
    for metric in sorted(before.metrics.keys() | after.metrics.keys()):
        old, new = before.metrics.get(metric), after.metrics.get(metric)
        known = old is not None and new is not None and old.value is not None and new.value is not None
        change = f" ({new.value - old.value:+.4g})" if known else ""  # type: ignore[union-attr, operator]
        yield f"  {metric}: {shown_figures(old)} -> {shown_figures(new)}{change}"
