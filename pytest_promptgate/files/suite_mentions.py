"""What a suite file names: files beside it, and code; whatever the names are for, so that none is missed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_promptgate.errors import SuiteError
from pytest_promptgate.files.source import read_text, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_promptgate.core.types import Json


def mentions(path: Path) -> frozenset[str]:
    """Every key and every text of the suite file at `path`.

    Raises:
        SuiteError: It cannot be read.
    """
    text = read_text(path, error=SuiteError, name=path.name)
    return frozenset(_texts(read_yaml(text, file=path.name, error=SuiteError).value))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield str(key).strip()
            yield from _texts(below)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def mentioned_paths(texts: frozenset[str], directory: Path) -> frozenset[Path]:
    """Of `texts` those that are a file or a directory, seen from `directory`; absolute, links not followed."""
    paths = (os.path.normpath(directory / text) for text in texts if text and "\0" not in text)
    return frozenset(directory / path for path in paths if os.path.lexists(path))


def mentioned_code(texts: frozenset[str]) -> str:
    """A reference such as ``package.module:function``, or what could be one; "" if there is none."""
    return next((text for text in sorted(texts) if ":" in text.strip(":") and not text.count(" ")), "")
