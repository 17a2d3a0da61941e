"""``--prompt-report``: the run as files. What cannot be written is told; the exit code stays what it was."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pytest_promptgate.errors import HistoryError, RunFileError
from pytest_promptgate.files.written import write_report
from pytest_promptgate.pytest_document import document_of
from pytest_promptgate.reports.documented import suite_outline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pytest

    from pytest_promptgate.core.history import Curve
    from pytest_promptgate.core.run_document import RunDocument
    from pytest_promptgate.pytest_session import EvalSession
    from pytest_promptgate.pytest_update import Update


def report_kinds(past: Sequence[Curve] = ()) -> Mapping[str, Callable[[RunDocument], str]]:
    """By suffix: the text of a report. `past` are runs before it, which the HTML draws."""
    from pytest_promptgate.files.run_file import run_text
    from pytest_promptgate.reports.html import html_text
    from pytest_promptgate.reports.markdown import markdown

    return {".json": run_text, ".md": markdown, ".html": partial(html_text, curves=past)}


def past_runs(path: Path, *, file: str) -> Sequence[Curve]:
    """The curves of a history file; none if there is no such file, or it cannot be read."""
    from pytest_promptgate.core.history import curves
    from pytest_promptgate.files.history import read_history

    try:
        return curves(read_history(path, file=file).entries)
    except HistoryError:
        return ()


@dataclass(slots=True)
class Reports:
    """Writes the reports of one run.

    Args:
        evals: Of the run.
    """

    evals: EvalSession
    lines: list[str] = field(default_factory=list)  # what became of them, for the summary
    faults: list[str] = field(default_factory=list)
    uncollected: list[str] = field(default_factory=list)  # what was wrong with files
    outline: RunDocument | None = None  # the run without its cases; None: it is not over, or was dry
    _began: float = field(default_factory=time.time)

    def write(self, session: pytest.Session, *, broken: str, update: Update | None) -> None:
        """Write every report that was asked for; raises nothing that a disk can do."""
        paths, summary = self.evals.settings.reports, self.evals.settings.step_summary
        if self.evals.dry:
            return
        told = partial(
            document_of,
            session,
            self.evals,
            began=self._began,
            ended=time.time(),
            broken=(broken,) if broken else tuple(self.uncollected),
            update=update,
        )
        self.outline = told(made=suite_outline)
        if not (paths or summary):
            return
        document = told()
        past = self.evals.settings.history_file
        kinds = report_kinds(past_runs(past, file=self.evals.settings.shown(past)))
        for path in paths:
            self._write(path, kinds[path.suffix.lower()](document))
        if summary is not None:
            self._append(summary, report_kinds()[".md"](document))

    def _write(self, path: Path, text: str) -> None:
        shown = self.evals.settings.shown(path)
        try:
            write_report(path, text, file=shown)
        except RunFileError as error:
            self.faults.append(str(error))
        else:
            self.lines.append(f"wrote {shown}")

    def _append(self, summary: Path, text: str) -> None:
        """Add to the page that GitHub shows of a job; other steps write there too."""
        try:
            with summary.open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"{text}\n")
        except OSError as error:
            self.faults.append(f"GITHUB_STEP_SUMMARY: the report was not written: {error.strerror or error}")
