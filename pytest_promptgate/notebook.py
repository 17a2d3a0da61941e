"""What notebooks call: a run's file as DataFrames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_promptgate.files.run_file import read_run

if TYPE_CHECKING:
    from os import PathLike

    from pytest_promptgate.reports.frames import RunFrames


def load_run(path: str | PathLike[str]) -> RunFrames:
    """Read a run that ``--prompt-report run.json`` wrote.

    Args:
        path: Of the JSON document.

    Returns:
        The DataFrames `trials`, `scores`, `metrics` and `verdicts`, and the whole `document`. Money is in USD, times
        are in seconds; columns and dtypes stand in docs/reports.md.

    Raises:
        RunFileError: It cannot be read, is of a newer version, or is damaged.
    """
    from pytest_promptgate.reports.frames import frames_of

    return frames_of(read_run(Path(path)))
