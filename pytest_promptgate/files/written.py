"""Reports as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.errors import LockfileError, RunFileError
from pytest_promptgate.files.atomic import replace_file

if TYPE_CHECKING:
    from pathlib import Path

_HINT = "The run is not touched by it. Name another file, or mend the cause and run the command again."


def write_report(path: Path, text: str, *, file: str) -> None:
    """Make `text` the content of `path`, wholly or not at all; messages call it `file`.

    A device or a pipe, such as ``/dev/stdout``, is written to and not replaced.

    Raises:
        RunFileError: Its directory is missing or may not be written, the disk is full, or it is a directory.
    """
    if not path.parent.is_dir():
        raise RunFileError(file, "the report was not written: there is no such directory", hint=_HINT)
    if path.is_dir():
        raise RunFileError(file, "the report was not written: it is a directory", hint=_HINT)
    data = text.encode("utf-8", "replace")
    if path.exists() and not path.is_file():
        _pour(path, data, file=file)
        return
    try:
        replace_file(path, lambda: (data,), file=file)
    except LockfileError as error:
        why = error.what.removeprefix("it cannot be written: ")
        raise RunFileError(file, f"the report was not written: {why}", hint=_HINT) from error


def _pour(path: Path, data: bytes, *, file: str) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise RunFileError(file, f"the report was not written: {error.strerror or error}", hint=_HINT) from error
