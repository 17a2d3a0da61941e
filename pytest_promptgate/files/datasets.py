"""Datasets by file suffix: any loader's rows, checked for what all formats have in common.

What the rows mean (ids, tags, `expected`) is the suite's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_promptgate.core.ports import DatasetLoader, Row
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import DatasetError, Place, PromptGateError, told_together
from pytest_promptgate.files.text import check_file, shown_path

if TYPE_CHECKING:
    from pathlib import Path


def load_rows(
    path: Path, *, where: Place, loaders: Mapping[str, DatasetLoader], root: Path | None = None
) -> Sequence[Row]:
    """The rows of a dataset file; never empty.

    Args:
        path: Absolute; its suffix chooses the loader, in whatever case it is written.
        where: The place that names the dataset; faults of the name point there, faults of the content into the file.
        loaders: By suffix, with the dot.
        root: What paths in messages are relative to.

    Raises:
        DatasetError: No such file, an unknown suffix, no rows, or what the loader raises.
    """
    file = shown_path(path, root)
    loader = loaders.get(path.suffix.lower())
    if loader is None:
        seen = f"the suffix {path.suffix!r}" if path.suffix else "a name without suffix"
        hint = did_you_mean(path.suffix.lower(), loaders, label="Datasets can be")
        raise DatasetError(where, f"no loader for {seen} of {file}", hint=hint)
    try:
        check_file(path, file=file, error=DatasetError)
    except DatasetError as error:
        raise DatasetError(where, f"dataset {file}: {error.what}", hint=error.hint) from None
    rows = _loaded(loader, path, file)
    if not rows:
        raise DatasetError(Place(file=file), "no rows", hint="A dataset without cases would pass whatever happens.")
    return rows


def _loaded(loader: DatasetLoader, path: Path, file: str) -> Sequence[Row]:
    try:
        rows = loader(str(path))
    except PromptGateError as error:
        raise _renamed(error, path.as_posix(), file) from None
    except (Exception, SystemExit) as error:  # a plugin's loader is users' code
        what = f"the loader of {path.suffix} files failed: {type(error).__name__}: {one_line(str(error), width=200)}"
        raise DatasetError(Place(file=file), what) from error
    if isinstance(rows, Sequence) and all(isinstance(row, Row) for row in rows):
        return rows
    what = f"the loader of {path.suffix} files did not return a sequence of rows"
    raise DatasetError(Place(file=file), what, hint="A loader returns a list of pytest_promptgate.Row.")


def _renamed(error: PromptGateError, path: str, file: str) -> PromptGateError:
    """`error` with the shorter name of the file in its places."""
    faults = getattr(error, "errors", (error,))
    return told_together([_replaced(each, path, file) for each in faults])


def _replaced(error: PromptGateError, path: str, file: str) -> PromptGateError:
    place = error.where
    if not isinstance(place, Place) or place.file != path:
        return error
    return DatasetError(Place(file=file, line=place.line, column=place.column), error.what, hint=error.hint)
