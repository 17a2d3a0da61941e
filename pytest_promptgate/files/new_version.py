"""The next version of a prompt, and recorded ones as they were: what is to be written, and writing it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import PromptVersion
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptError, PromptGateError
from pytest_promptgate.files.edits import Edit, content, write_edits
from pytest_promptgate.files.partials import DiskShelf
from pytest_promptgate.files.prompt_file import load_prompt_file, read_version
from pytest_promptgate.files.prompt_text import plain_text
from pytest_promptgate.files.prompts import list_versions
from pytest_promptgate.files.text import shown_path
from pytest_promptgate.files.version_checks import COMMAND
from pytest_promptgate.files.version_texts import renumbered, with_messages, written_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_promptgate.files.recorded_versions import Archive, Change, Committed

_SUFFIXES = (".prompty", ".yaml", ".txt")
_CONFLICT = re.compile(rb"^(?:<{7} |>{7} )", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One file that is to be written; several are all written, or none."""

    path: Path
    data: bytes
    label: str
    told: str  # what it is, for the user
    new: bool = False


def next_version(archive: Archive, name: str, *, source: str = "") -> tuple[Step, ...]:
    """What makes the next version of `name` and puts its recorded ones back.

    Args:
        archive: What is known of recorded versions.
        name: The prompt.
        source: The version that the new one is made from, such as "v3"; "": the edited one, else the newest.

    Raises:
        PromptError: A recorded version is gone or cannot be put back, or it is not clear what to make it from.
    """
    folder = shown_path(archive.directory / name, archive.root)
    if gone := archive.missing([name]):
        what = f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} gone"
        raise PromptError(Place(file=folder), what, hint=f"Bring back what is gone first: {COMMAND} {name} --restore")
    versions = list_versions(archive.directory, name)
    if source and source not in versions:
        raise PromptError(Place(file=folder), f"no {source}", hint=did_you_mean(source, versions, label="Versions"))
    changes = archive.changes([name])
    chosen = source or _edited(changes, versions, name, folder)
    broken = next((each.now for each in changes if each.version == chosen), None)
    if isinstance(broken, PromptGateError):
        raise broken
    # Another version that was edited by hand stays edited: its text would be lost.
    put_back = [each for each in changes if each.partials or not source or each.version == source]
    steps = [_restored(archive, each.label, each.path, now=each.now) for each in put_back]
    path = archive.path_of(name, chosen) if chosen else None
    if path is None:
        return tuple(steps)
    new = f"v{len(versions) + 1}"
    old = path.read_bytes()
    _check_resolved(old, shown_path(path, archive.root))
    data = renumbered(old, file_name=path.name, version=new)
    made = Step(
        path=path.with_name(f"{new}{path.suffix}"),
        data=data,
        label=f"{name}@{new}",
        told=f"made from {chosen}",
        new=True,
    )
    return (made, *steps)


def _check_resolved(data: bytes, file: str) -> None:
    found = _CONFLICT.search(data)
    if found:
        place = Place(file=file, line=data.count(b"\n", 0, found.start()) + 1)
        raise PromptError(place, "a merge conflict is not resolved", hint="Resolve it, and run the command again.")


def restored(archive: Archive, name: str) -> tuple[Step, ...]:
    """What brings the recorded versions of `name` back whose files are gone.

    Raises:
        PromptError: The text of one is not to be had.
    """
    steps = []
    for label in archive.missing([name]):
        version = label.partition("@")[2]
        found = (_restorable(archive, label, archive.directory / name / f"{version}{suffix}") for suffix in _SUFFIXES)
        steps.append(next((step for step in found if step), None) or _restored(archive, label, _path(archive, label)))
    return tuple(steps)


def _path(archive: Archive, label: str) -> Path:
    name, _, version = label.partition("@")
    return archive.directory / name / f"{version}.prompty"


def _edited(changes: Sequence[Change], versions: Sequence[str], name: str, folder: str) -> str:
    """The version that the next one is made from; "" if only recorded ones are put back.

    So it is where a partial was edited that the newest version has already, or is gone: then no text has the edit.
    """
    by_hand = [each.version for each in changes if not each.partials]
    if len(by_hand) > 1:
        hint = f"Say which one comes first: {COMMAND} {name} --from {by_hand[-1]}"
        raise PromptError(Place(file=folder), f"{' and '.join(by_hand)} were edited", hint=hint)
    if by_hand or not changes:
        return by_hand[0] if by_hand else versions[-1]
    newest = changes[-1]
    return newest.version if newest.version == versions[-1] and isinstance(newest.now, PromptVersion) else ""


def _restored(archive: Archive, label: str, path: Path, *, now: PromptVersion | PromptGateError | None = None) -> Step:
    step = _restorable(archive, label, path, now=now)
    if step is None:
        raise PromptError(
            Place(file=shown_path(path, archive.root)),
            f"what {label} was is not to be had: neither Git nor the baseline's outputs hold it whole",
            hint="Put its old text back by hand, from a backup, and the edit into a file of the next number.",
        )
    return step


def _restorable(
    archive: Archive, label: str, path: Path, *, now: PromptVersion | PromptGateError | None = None
) -> Step | None:
    """`label` as it was, at `path`; every candidate is read, and its digest must be the recorded one."""
    committed = archive.committed(label, path)
    kept = archive.kept(label, like=now if isinstance(now, PromptVersion) else None)
    for data, told in _candidates(path, committed, kept):
        if data is not None and _digest(archive, path, data) == archive.digests[label]:
            return Step(path=path, data=data, label=label, told=told)
    return None


def _candidates(
    path: Path, committed: Committed | None, kept: PromptVersion | None
) -> Iterator[tuple[bytes | None, str]]:
    if committed is not None:
        told = f"as commit {committed.commit} has it"
        yield committed.data, told
        frozen = with_messages(committed.data, committed.prompt.messages, file_name=path.name)
        yield frozen, f"{told}, with the text of its partials of then written out"
    if kept is not None and path.exists():
        told = "with the texts that the baseline keeps, and the front matter of the file"
        yield with_messages(path.read_bytes(), kept.messages, file_name=path.name), told
    if kept is not None and path.suffix == ".prompty":
        yield written_out(kept), "as the baseline keeps it: its description, owner, source and comments are not known"


def _digest(archive: Archive, path: Path, data: bytes) -> str:
    file = shown_path(path, archive.root)
    shelf = DiskShelf(directory=archive.directory, root=archive.root)
    try:
        text = plain_text(data.decode("utf-8-sig"), file=file)
        return read_version(text, name=path.parent.name, file=file, shelf=shelf).digest
    except (PromptGateError, UnicodeDecodeError):
        return ""


def write(steps: Sequence[Step], *, root: Path) -> None:
    """Write all of them, or none: after a failure the files are what they were.

    Raises:
        PromptGateError, OSError: One cannot be written, or cannot be read afterwards.
    """
    for step in steps:
        step.path.parent.mkdir(parents=True, exist_ok=True)
    edits = [
        Edit(
            path=step.path,
            shown=shown_path(step.path, root),
            before=content(step.path),
            after=step.data,
            what=step.told,
        )
        for step in steps
    ]
    write_edits(edits, check=lambda: [load_prompt_file(step.path, root=root) for step in steps])
