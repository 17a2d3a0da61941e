"""Who may use a response store's file: runs share it, and what rewrites it wants it alone.

Locks are advisory, end with the process that holds them, and need no file of their own. Where the system has none
(Windows refuses to replace an open file by itself), everybody may.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from pytest_promptgate.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    _LOCKS = False
else:
    _LOCKS = True

_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)


def open_shared(path: Path) -> BinaryIO:
    """Open `path` for reading and share it until it is closed; raises as `Path.open`."""
    while True:
        file = path.open("rb")
        if share(path, file.fileno()):
            return file
        file.close()


def share(path: Path, handle: int) -> bool:
    """Share the file behind `handle` until it is closed; waits while somebody rewrites it.

    Returns:
        False if `path` was replaced meanwhile: it has to be opened again.
    """
    if _LOCKS:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
        except OSError:  # a file system without locks
            return True
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


@contextmanager
def alone(path: Path, *, taken: str = "a run is using this response store") -> Iterator[None]:
    """Keep everybody else away from `path`, as while its content is replaced; a missing file needs no lock.

    Args:
        path: The file.
        taken: What is said if somebody uses it.

    Raises:
        StoreError: Somebody uses it.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        _take(path, handle, taken)
        yield
    finally:
        os.close(handle)


def _take(path: Path, handle: int, taken: str) -> None:
    if not _LOCKS:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        if fault.errno in _TAKEN:
            raise StoreError(
                str(path),
                taken,
                hint="Wait until it has ended, then run the command again.",
            ) from fault
