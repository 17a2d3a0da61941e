"""The hooks that pytest calls when evals were asked for. Each hands on to the module that knows."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_promptgate import pytest_status, pytest_xdist
from pytest_promptgate.core.printable import printable
from pytest_promptgate.errors import EngineError
from pytest_promptgate.plugin import MARKER
from pytest_promptgate.pytest_ci import record_run, write_annotations
from pytest_promptgate.pytest_gone import report_gone
from pytest_promptgate.pytest_items import SUFFIX, CaseItem, CasesItem, EvalItem, GateItem, RepeatedFailure, SuiteFile
from pytest_promptgate.pytest_models import refuse_unknown_suites
from pytest_promptgate.pytest_protocol import ShortProtocol
from pytest_promptgate.pytest_reports import Reports
from pytest_promptgate.pytest_session import EvalSession
from pytest_promptgate.pytest_summary import write_summary
from pytest_promptgate.pytest_update import Update, update_baselines

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from pytest_promptgate.pytest_functions import FunctionCollector
    from pytest_promptgate.pytest_session import EvalSession


class EvalHooks:
    """Registered with pytest in the main process (under xdist: in the controller)."""

    def __init__(self, evals: EvalSession) -> None:
        self.evals = evals
        self.update: Update | None = None
        self.asking = False  # some test asks by itself, whether it was selected or not
        self.broken = ""  # why the engine could not go on
        self.remembered: tuple[str, ...] = ()  # what became of the history
        self.told: tuple[str, ...] = ()  # of the choice of suites, once all are collected
        self.reports = Reports(evals)

    # --- collection --------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Project files first: if they are wrong, there is nothing to collect."""
        self.evals.read_project()

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
        """Take every ``*.eval.yaml``."""
        return SuiteFile.of(parent, file_path, self.evals) if file_path.name.endswith(SUFFIX) else None

    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> SuiteFile | None:
        """A directory of that name was meant as a suite: reading it tells."""
        return SuiteFile.of(parent, path, self.evals) if path.name.endswith(SUFFIX) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Commands have nothing to do with ordinary tests."""
        if not self.evals.evals_only or not collection_path.is_file() or collection_path.name.endswith(SUFFIX):
            return None
        return None if pytest_xdist.may_ask(collection_path) else True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Ordinary tests first, evals last, gates behind their cases, whatever other plugins shuffled."""
        for item in filter(pytest_xdist.asks, items):
            item.add_marker(MARKER)  # so that -m tells apart what costs
            self.asking = True
        yield
        if not session.config.option.collectonly:
            items += _missing_cases(items)
        items.sort(key=_rank)
        if not self.evals.settings.aa:
            report_gone(self.evals, session)
        self._keep_shard(items)
        if self.evals.settings.changed_since is not None:
            from pytest_promptgate.pytest_changed import leave_out_unchanged

            self.told = leave_out_unchanged(self.evals, items)
        if self.evals.config.pluginmanager.hasplugin("rerunfailures"):
            for item in items:
                if isinstance(item, EvalItem):
                    # A gate that may be re-run until it is green is none: see docs/statistics.md.
                    item.own_markers.insert(0, pytest.mark.flaky(reruns=0).mark)

    def _keep_shard(self, items: list[pytest.Item]) -> None:
        """Deselect the cases of other shards."""
        shard = self.evals.settings.shard
        if shard is None:
            return
        others = [item for item in items if isinstance(item, CaseItem) and item.case_id not in shard]
        if others:
            dropped = set(others)
            items[:] = [item for item in items if item not in dropped]
            self.evals.config.hook.pytest_deselected(items=others)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Which suites run, before anything is asked."""
        return list(self.told)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What could not be collected is why a report holds no suite."""
        if report.failed:
            self.reports.uncollected.append(report.longreprtext)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """No suite where suites were asked for is an error: it would be green for ever."""
        wanted = self.evals.settings.update or pytest_xdist.wants_suites(session.config)
        missing = pytest_xdist.missing(session.config)
        if sys.exception() is not None and not missing:
            return  # pytest is about to tell what ended the collection
        found = self.evals.runs or self.evals.gone or self.asking
        if wanted and not found and not session.testsfailed:
            raise pytest.UsageError(
                missing
                or f"--prompt-evals found no *{SUFFIX} file below {', '.join(session.config.args)}\n"
                "  Name the suite, its directory, or a directory above it."
            )
        if not session.testsfailed and (wanted or self.evals.runs):
            refuse_unknown_suites(self.evals.settings.models, {run.suite.name for run in self.evals.runs.values()})

    # --- the run -----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Run the evals (under xdist after the workers' tests), then judge what has no gate item, then update."""
        controller = session.config.pluginmanager.hasplugin("dsession") and not session.config.option.collectonly
        items = pytest_xdist.collect_evals(session) if controller else []
        result = yield
        if controller:
            pytest_xdist.run_evals(session, items)
        try:
            if self.evals.begun:
                self.evals.judge_all()
        except EngineError as error:
            self.broken = str(error)
        if self.evals.settings.update and not self.evals.dry and not self.broken:
            self.update = update_baselines(self.evals)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Before an eval item says its name: begin, and wait for its results; so progress tears no line of dots."""
        if isinstance(item, EvalItem) and not self.evals.dry:
            with suppress(EngineError):  # the item meets it again, and tells it
                self.evals.begin(item.session.items)
            item.run.await_results(item)

    @pytest.hookimpl(tryfirst=True)  # pytest takes its time to write the traceback, and calls would go on meanwhile
    def pytest_keyboard_interrupt(self) -> None:
        """Ctrl-C: what is under way is paid, so it is awaited for a moment and kept."""
        self.evals.interrupt()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Stop the engine; a baseline that was refused, or a judge that has drifted, is a failure of the run."""
        record_run(self.evals)  # before the JUnit file is written
        yield  # after -x, pytest tears fixtures down in this hook, and some of them use the engine
        self.evals.end()
        drifted = self.evals.drift is not None and self.evals.drift.red
        if self.evals.settings.remembers:
            from pytest_promptgate.pytest_history import remember_run

            self.remembered = remember_run(self.evals)
        red = self.broken or drifted or self.evals.unfinished or (self.update is not None and self.update.refused)
        if red and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self.reports.write(session, broken=self.broken, update=self.update)

    def pytest_enter_pdb(self) -> None:
        """Spend nothing while somebody debugs."""
        if (engine := self.evals.started()) is not None:
            engine.pause()

    def pytest_leave_pdb(self) -> None:
        """Go on."""
        if (engine := self.evals.started()) is not None:
            engine.resume()

    # --- reporting ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give the report our kind and score, and the call's own latency in place of the time spent waiting."""
        report = yield
        if isinstance(item, EvalItem) and call.when == "call":
            report.promptgate = pytest_status.kind_of(item)  # type: ignore[attr-defined]
            if item.latency_s is not None:
                report.duration = item.latency_s
            if call.excinfo is not None and isinstance(call.excinfo.value, RepeatedFailure):
                # As after a debugger: it counts and is listed, but FAILURES does not show it.
                report._pdbshown = True  # type: ignore[attr-defined]
        return report

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, Any] | None:
        """Our letters and words; the category stays pytest's own, so that summaries and exit codes work."""
        return pytest_status.status_of(report)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The closing tables."""
        if not terminalreporter.config.option.no_summary:
            write_summary(terminalreporter, self.evals, self.update, broken=self.broken, outline=self.reports.outline)
        for line in self.remembered:
            terminalreporter.write_line(line)
        write_annotations(terminalreporter, self.evals)
        for line in self.reports.lines:
            terminalreporter.write_line(line)
        for fault in self.reports.faults:
            terminalreporter.write_line(printable(fault), red=True)


def _missing_cases(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The cases of functions of which only gates were selected: a gate judges its whole suite.

    Those of a suite file need no item to be asked; those of a function have fixtures, which belong to items.
    """
    cased = {item.run for item in items if isinstance(item, CaseItem | CasesItem)}
    gates = {
        item.run: item for item in items if isinstance(item, GateItem) and item.run.group and item.run not in cased
    }
    return [case for run, gate in gates.items() for case in cast("FunctionCollector", gate.parent).cases(run)]


def _rank(item: pytest.Item) -> tuple[int, str, str, str, int]:
    if not isinstance(item, EvalItem):
        return 0, "", "", "", 0
    gate, suite = isinstance(item, GateItem), item.run.suite
    # Gates judge together what all suites answered, and functions are asked when their cases have their turn.
    first = item.run.group is not None and not gate
    # Runs in the order of their names: a shuffled order would only move lines about.
    return 1 if first else 2, suite.path, suite.name, item.run.slot, gate


def register(config: pytest.Config) -> None:
    """Called by the entry point when evals are asked for."""
    from pytest_promptgate.pytest_functions import FunctionHooks

    session = EvalSession(config)
    config.pluginmanager.register(EvalHooks(session), "promptgate-evals")
    config.pluginmanager.register(FunctionHooks(session), "promptgate-functions")
    config.pluginmanager.register(ShortProtocol(config), "promptgate-short-protocol")
