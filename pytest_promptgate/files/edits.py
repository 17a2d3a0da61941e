"""Several files that are written together: all of them, or none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_promptgate.errors import Place, PromptError
from pytest_promptgate.files.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One file as it will be."""

    path: Path  # absolute
    shown: str  # as messages call it
    before: bytes | None  # None: it is new
    after: bytes
    what: str  # for people


def write_edits(edits: Sequence[Edit], *, check: Callable[[], object] | None = None) -> None:
    """Write all of them; if one cannot be written, or somebody interrupts, the others are taken back.

    Args:
        edits: Their directories are there.
        check: Called when all are written; what it raises takes them back, too.

    Raises:
        PromptError: A file has changed since the edits were made.
        LockfileError: A file cannot be written.
    """
    for edit in edits:
        if content(edit.path) != edit.before:
            raise PromptError(Place(file=edit.shown), "it was changed meanwhile", hint="Run the command again.")
    done: list[Edit] = []
    try:
        for edit in edits:
            done.append(edit)
            _write(edit.path, edit.after, edit.shown)
        if check is not None:
            check()
    except BaseException:
        for edit in done:
            _take_back(edit)
        raise


def _take_back(edit: Edit) -> None:
    if edit.before is None:
        edit.path.unlink(missing_ok=True)
    else:
        _write(edit.path, edit.before, edit.shown)


def _write(path: Path, data: bytes, shown: str) -> None:
    replace_file(path, lambda: (data,), file=shown)


def content(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none."""
    try:
        return Path(os.path.realpath(path)).read_bytes()
    except FileNotFoundError:
        return None
