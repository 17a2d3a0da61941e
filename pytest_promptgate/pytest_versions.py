"""Prompt versions that baselines were written from stay as they were: checked suite by suite, before any call."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pytest_promptgate.files.lockfile import read_baseline
from pytest_promptgate.files.recorded_versions import Archive
from pytest_promptgate.files.version_checks import check_present, check_unedited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import Baseline, PromptVersion, Suite
    from pytest_promptgate.pytest_reference import Reference


def archive_of(reference: Reference) -> Archive:
    """What the lockfiles, and the outputs beside the work tree's, know of recorded versions."""
    settings = reference.settings
    return Archive(
        directory=settings.prompts,
        root=settings.root,
        digests=reference.prompts,
        partials=reference.partials,
        recipes=cache(lambda: dict(_recipes(reference))),
    )


def _recipes(reference: Reference) -> Iterator[tuple[str, PromptVersion]]:
    settings, lockfile = reference.settings, reference.work or reference.lockfile
    for suite, slot in lockfile.baselines:
        baseline = read_baseline(settings.lockfile, lockfile, suite, slot, root=settings.root)
        for side in (baseline.anchor, baseline) if baseline else ():
            if side is not None and side.recipe is not None:
                yield side.recipe.prompt.label, side.recipe.prompt


def check_versions_present(reference: Reference, path: str) -> None:
    """Before a suite is read, since a missing version makes a gap: what its baselines name must be there.

    Args:
        path: The suite's, as the lockfile writes it.

    Raises:
        PromptError: It is gone.
    """
    check_present(archive_of(reference), {each.prompt: each.suite for each in _baselines(reference, path=path)})


def check_versions_unedited(reference: Reference, suite: Suite) -> None:
    """Hold the recorded versions of a suite's prompt, and of the prompt its baselines name, to what they were.

    Raises:
        PromptError: One of them, or a partial of one, was edited.
    """
    recorded = _baselines(reference, path=suite.path)
    names = {suite.prompt.name, *(each.prompt.partition("@")[0] for each in recorded)}
    check_unedited(archive_of(reference), names)


def _baselines(reference: Reference, *, path: str) -> list[Baseline]:
    lockfile = reference.work or reference.lockfile
    return [each for _, each in sorted(lockfile.baselines.items()) if each.contract.path == path]
