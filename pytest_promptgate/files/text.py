"""Text files that users write, read whole: prompts and datasets."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import FileError, Place
from pytest_promptgate.files.source import read_text

if TYPE_CHECKING:
    from pathlib import Path

_LFS_POINTER = "version https://git-lfs.github.com/spec/"


def shown_path(path: Path, root: Path | None) -> str:
    """`path` as messages and values write it: with "/", relative to `root` if it is below."""
    for base in (root, root.resolve()) if root else ():
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return path.as_posix()


def check_file(path: Path, *, file: str, error: type[FileError], most_bytes: int | None = None) -> None:
    """Tell whether `path` is a regular file of at most `most_bytes`.

    Args:
        file: Its name in messages.
        error: What is raised.

    Raises:
        FileError: As `error`.
    """
    place = Place(file=file)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise error(place, "no such file", hint=_neighbour(path)) from None
    except (OSError, ValueError) as fault:
        raise error(place, f"cannot be read: {getattr(fault, 'strerror', None) or fault}") from None
    if stat.S_ISDIR(status.st_mode):
        raise error(place, "is a directory, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise error(place, "is not a regular file")
    if most_bytes is not None and status.st_size > most_bytes:
        raise error(place, f"{status.st_size:,} bytes; at most {most_bytes:,} are read")


def read_whole(path: Path, *, file: str, error: type[FileError], most_bytes: int | None = None) -> str:
    """The text of a UTF-8 file, without its byte order mark; line ends as they are. Raises as `check_file` does."""
    check_file(path, file=file, error=error, most_bytes=most_bytes)
    text = read_text(path, error=error, name=file)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise error(Place(file=file, line=line), "a NUL byte: this is no text file", hint="Save it as UTF-8 text.")
    if text.startswith(_LFS_POINTER):
        raise error(Place(file=file, line=1), "a Git LFS pointer, not the file itself", hint="Run: git lfs pull")
    return text


def _neighbour(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return f"There is no directory {path.parent.name!r} either."
    return did_you_mean(path.name, names, label="Files there")
