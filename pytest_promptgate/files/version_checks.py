"""Recorded prompt versions that were edited, deleted or renamed are errors that show the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.errors import Place, PromptError, PromptGateError
from pytest_promptgate.files.prompt_file import FILE_NAME, load_prompt_file
from pytest_promptgate.files.recorded_versions import LABEL
from pytest_promptgate.files.text import shown_path
from pytest_promptgate.files.version_diff import version_diff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_promptgate.files.recorded_versions import Archive, Change

COMMAND = "promptgate new-version"


def check_unedited(archive: Archive, names: Iterable[str]) -> None:
    """Hold the recorded versions of these prompts to what they were.

    Raises:
        PromptError: One was edited, or a partial of one.
    """
    changes = archive.changes(names)
    own = next((each for each in changes if not each.partials), None)
    if own is not None:
        raise _edited(archive, own)
    if changes:
        raise _partial_edited(archive, changes[-1])


def _edited(archive: Archive, change: Change) -> PromptError:
    return PromptError(
        Place(file=shown_path(change.path, archive.root)),
        f"{change.label} was edited, and a baseline was written from it: such a version stays as it is",
        hint=f"{_diff(archive, change)}\n"
        f"Keep the edit as a new version, and take the old one back: {COMMAND} {change.name}",
    )


def _partial_edited(archive: Archive, change: Change) -> PromptError:
    file = change.partials[0]
    also = [each for each in archive.changes() if file in each.partials]
    labels, names = ", ".join(each.label for each in also), " ".join(sorted({each.name for each in also}))
    if isinstance(change.now, PromptGateError):
        what = f"this partial is gone, and baselines were written from versions that include it: {labels}"
        hint = f"Bring it back, or write its old text out in these versions: {COMMAND} {names}"
    else:
        what = f"this partial was edited, and that changes what baselines were written from: {labels}"
        keep = f"Keep the edit in new versions, and the old ones as they were: {COMMAND} {names}"
        hint = f"{_diff(archive, change)}\n{keep}"
    return PromptError(Place(file=file), what, hint=hint)


def _diff(archive: Archive, change: Change) -> str:
    if isinstance(change.now, PromptGateError):
        return f"{change.label} cannot be read any more:\n{change.now}"
    before = archive.before(change.label, change.path, change.now)
    if before is None:
        return "What it was is not known here: neither Git nor the baseline's outputs hold its text."
    return version_diff(before, change.now)


def check_present(archive: Archive, named: Mapping[str, str]) -> None:
    """Tell whether the versions that baselines name are there, with the partials in them.

    Args:
        named: The label of a version -> the suite whose baseline names it.

    Raises:
        PromptError: One is gone.
    """
    with_partials = {label.partition("@")[0] for label in named if archive.partials.get(label)}
    for change in archive.changes(with_partials):
        if change.partials and isinstance(change.now, PromptGateError):
            raise _partial_edited(archive, change)
    for label, suite in named.items():
        match = LABEL.match(label)
        if match is None or archive.path_of(match[1], match[2]):
            continue
        twin = _renamed(archive, label)
        raise PromptError(
            Place(file=shown_path(archive.directory / match[1], archive.root)),
            f"{label} is gone, and the baseline of {suite} was written from it: such a version stays",
            hint=f"{f'{twin} has its content: was it renamed?' if twin else ''}\n"
            f"Bring it back: {COMMAND} {match[1]} --restore".lstrip("\n"),
        )


def _renamed(archive: Archive, label: str) -> str:
    """The path of a version with the content of `label`; "" if there is none."""
    for path in sorted(archive.directory.glob("*/v*.*")):
        if FILE_NAME.match(path.name):
            try:
                prompt = load_prompt_file(path, root=archive.root)
            except PromptGateError:
                continue
            if prompt.digest == archive.digests.get(label) and prompt.label not in archive.digests:
                return prompt.path
    return ""
