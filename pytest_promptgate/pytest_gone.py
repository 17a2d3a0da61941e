"""Nothing disappears in silence (DECISIONS 2): a recorded suite or model slot that is gone is a collection error."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.reports import CollectErrorRepr

from pytest_promptgate.core.acceptance import baseline_digest
from pytest_promptgate.core.printable import printable
from pytest_promptgate.files.lockfile_format import Removal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import Baseline
    from pytest_promptgate.files.lockfile_format import Key
    from pytest_promptgate.pytest_session import EvalSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A recorded suite, or one of its slots, that this run should have and has not."""

    baseline: Baseline
    why: str

    @property
    def key(self) -> Key:
        """Suite name and slot."""
        return self.baseline.suite, self.baseline.slot

    @property
    def title(self) -> str:
        """``triage``, or ``triage (large)``."""
        return self.key[0] if self.key[1] == "default" else f"{self.key[0]} ({self.key[1]})"

    def removal(self, reason: str) -> Removal:
        """What the lockfile is to keep of it."""
        return Removal(before=baseline_digest(self.baseline), reason=reason)


def report_gone(evals: EvalSession, session: pytest.Session) -> None:
    """Once all is collected: note what is gone, and tell it as errors unless this run accepts it with a reason."""
    if session.config.option.keyword:
        return  # -k is after something else
    found = tuple(_gone(evals, session.config))
    if evals.settings.accept:
        evals.gone = found
        return
    for each in found:
        _tell(each, evals, session)


def _gone(evals: EvalSession, config: pytest.Config) -> Iterator[Gone]:
    names = {run.suite.name for run in evals.runs.values()}
    paths = {run.suite.path: run.suite.name for run in evals.runs.values()}
    for key, baseline in sorted(evals.reference.lockfile.baselines.items()):
        path = baseline.contract.path
        file = evals.settings.root / path
        if key in evals.runs or evals.reference.lets_go(key):
            continue
        if path in evals.functions:
            if key not in evals.functions[path] and _is_run(config, file):
                yield Gone(baseline=baseline, why="no function of its file is marked as that suite any more")
        elif key[0] in names:
            yield Gone(baseline=baseline, why=f"its suite has no model slot {key[1]!r} any more")
        elif path in paths:
            yield Gone(baseline=baseline, why=f"the suite in this file is called {paths[path]!r} now")
        elif not file.exists() and _is_run(config, file):
            yield Gone(baseline=baseline, why="the file is gone")


def _is_run(config: pytest.Config, file: Path) -> bool:
    """Whether the arguments name `file` or a directory that it would be in, and not just a part of it."""
    start = config.invocation_params.dir
    whole = (Path(os.path.abspath(start / arg)) for arg in config.args if "::" not in arg)  # noqa: PTH100 no links
    return any(file.is_relative_to(each) for each in whole)


def _tell(gone: Gone, evals: EvalSession, session: pytest.Session) -> None:
    path, alias = gone.baseline.contract.path, evals.settings.alias
    text = (
        f"{path}: {gone.title!r} has a baseline, but {gone.why}\n"
        f'  Restore it, or accept that it is gone: pytest {alias} --accept-regression "why"'
    )
    report = pytest.CollectReport(
        nodeid=path, outcome="failed", longrepr=CollectErrorRepr(printable(text)), result=[], sections=[]
    )
    session.config.hook.pytest_collectreport(report=report)
