"""`promptgate.history.jsonl`: lines are added at its end, none is ever changed."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.history import Entry, read, written
from pytest_promptgate.errors import HistoryError, LockfileError, Place
from pytest_promptgate.files.canonical_json import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import FileIO
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFile:
    """What could be read of it."""

    entries: tuple[Entry, ...]
    faults: tuple[HistoryError, ...] = ()  # lines that hold no entry


def append_history(path: Path, entries: Sequence[Entry], *, file: str) -> None:
    """Add a line for each entry, all in one write; the file is made if it is not there.

    A last line without its end, which a killed run may leave behind, is ended first, so that it spoils no other.

    Args:
        path: Its directory exists.
        entries: Of one run.
        file: The path as messages show it.

    Raises:
        HistoryError: It cannot be written.
    """
    lines = "".join(f"{encode(written(entry))}\n" for entry in entries).encode("utf-8")
    try:
        with path.open("ab+", buffering=0) as target:
            data = lines if _is_whole(target) else b"\n" + lines
            if target.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(target.fileno())
    except OSError as error:
        raise HistoryError(
            file,
            f"it cannot be written: {error.strerror or error}",
            hint="The run's own result does not depend on it. Mend the cause; the next run adds to it.",
        ) from error


def _is_whole(file: FileIO) -> bool:
    """Whether the last line, if there is one, has its end."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def read_history(path: Path, *, file: str) -> HistoryFile:
    """All entries, in the order of the lines; lines that hold none are left out and told.

    Raises:
        HistoryError: The file cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        hint = "It is written by: pytest --prompt-evals --prompt-history"
        raise HistoryError(file, "there is no such file", hint=hint) from None
    except OSError as error:
        raise HistoryError(file, f"it cannot be read: {error.strerror or error}") from error
    found = [_line(line, Place(file=file, line=number)) for number, line in enumerate(lines, 1) if line.strip()]
    return HistoryFile(
        entries=tuple(each for each in found if isinstance(each, Entry)),
        faults=tuple(each for each in found if isinstance(each, HistoryError)),
    )


def _line(line: bytes, place: Place) -> Entry | HistoryError:
    try:
        return read(decode(line.decode("utf-8"), file=place.file, hint=""))
    except LockfileError as error:
        return HistoryError(place, f"left out: {error.what}")
    except ValueError as error:
        return HistoryError(place, f"left out: {error}")
