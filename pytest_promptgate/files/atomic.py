"""Files that are either the old ones or the new ones, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TypeAlias

from pytest_promptgate.errors import LockfileError

# Called once to compare and once to write: each time it yields the whole content anew.
Content: TypeAlias = Callable[[], Iterable[bytes]]


def replace_file(path: Path, content: Content, *, file: str) -> bool:
    """Make `content` the content of `path`: completely, or not at all; a link is followed, the mode is kept.

    Args:
        path: May be missing; its directory may not.
        content: The bytes, in pieces of any size.
        file: The path as messages show it.

    Returns:
        Whether it was written; a file that holds these bytes already is not touched.

    Raises:
        LockfileError: It could not be written; the old content is still there.
    """
    target = Path(os.path.realpath(path))
    try:
        if _holds(target, content()):
            return False
        _swap(target, content())
    except OSError as error:
        raise LockfileError(
            file,
            f"it cannot be written: {error.strerror or error}",
            hint="The old content was kept. Mend the cause and run the command again: stored answers cost nothing.",
        ) from error
    return True


def _holds(path: Path, content: Iterable[bytes]) -> bool:
    try:
        with path.open("rb") as old:
            return all(old.read(len(piece)) == piece for piece in content) and not old.read(1)
    except FileNotFoundError:
        return False


def _swap(path: Path, content: Iterable[bytes]) -> None:
    # In the same directory, since a rename is atomic only within one file system.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("xb") as new:
            _fill(new, content)
        if path.exists():
            beside.chmod(stat.S_IMODE(path.stat().st_mode))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _flush_directory(path.parent)


def _fill(new: IO[bytes], content: Iterable[bytes]) -> None:
    new.writelines(content)
    new.flush()
    os.fsync(new.fileno())


def _flush_directory(directory: Path) -> None:
    # Not every system lets a directory be opened or flushed; the content itself is safe by now.
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def shown(path: Path, root: Path | None) -> str:
    """`path` as messages show it: relative to `root` with "/", or the bare name."""
    if root is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return path.name
