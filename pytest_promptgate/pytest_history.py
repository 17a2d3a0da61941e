"""``--prompt-history``: each complete run adds a line per suite and slot to the history file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_promptgate.core.history import Series, entry_of, incomplete
from pytest_promptgate.core.printable import printable
from pytest_promptgate.errors import HistoryError
from pytest_promptgate.files.git import head
from pytest_promptgate.files.history import append_history

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.history import Entry
    from pytest_promptgate.pytest_session import EvalSession


def remember_run(evals: EvalSession) -> tuple[str, ...]:
    """Add what is complete; what is told of it, nothing without the option."""
    settings = evals.settings
    if not settings.remembers or not evals.begun:
        return ()
    series = Series.DRIFT if settings.refresh else Series.BASELINE
    at, checked_out = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), head(settings.root)
    commit = checked_out[0] if checked_out else ""
    entries: list[Entry] = []
    lines: list[str] = []
    for run in evals.runs.values():
        if run.unchanged:
            continue
        why = "it was not judged" if run.report is None else incomplete(run.report)
        if run.report is None or why:
            lines.append(f"{run.suite.name}: not added to the history: {why}")
        else:
            entries.append(entry_of(run.report, series=series, at=at, commit=commit))
    return (*lines, *_appended(settings.history_file, entries, settings.shown(settings.history_file)))


def _appended(path: Path, entries: list[Entry], shown: str) -> tuple[str, ...]:
    if not entries:
        return ()
    try:
        append_history(path, entries, file=shown)
    except HistoryError as error:
        return (printable(str(error)),)
    return (f"{shown}: {len(entries)} line{'s' if len(entries) != 1 else ''} added",)
