"""The pytest front door's centre: opens suites, starts the engine at the first eval item, judges when all is in."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

import pytest

from pytest_promptgate import toolbox as toolboxes
from pytest_promptgate import wiring
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.config import ProjectConfig, load_config
from pytest_promptgate.files.lockfile_format import Lockfile
from pytest_promptgate.pytest_aa import SelfTrials
from pytest_promptgate.pytest_accounts import Limits
from pytest_promptgate.pytest_confirm import with_stage2
from pytest_promptgate.pytest_context import usage_error
from pytest_promptgate.pytest_control import hold_back, submit
from pytest_promptgate.pytest_drift import DriftCheck
from pytest_promptgate.pytest_fail_fast import finish_first_rounds
from pytest_promptgate.pytest_launch import launch
from pytest_promptgate.pytest_observers import Observers
from pytest_promptgate.pytest_progress import ProgressLine
from pytest_promptgate.pytest_reading import add_run, read_suite
from pytest_promptgate.pytest_reference import Reference, read_reference
from pytest_promptgate.pytest_run import Run
from pytest_promptgate.pytest_selection import give_up_waiting, settle
from pytest_promptgate.pytest_settings import Settings, settings_of
from pytest_promptgate.pytest_signals import Termination
from pytest_promptgate.pytest_twins import refuse_twin
from pytest_promptgate.workflows.assess import reports

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pluggy

    from pytest_promptgate.core.ports import Account, Price
    from pytest_promptgate.core.trust import Trusted
    from pytest_promptgate.core.types import ModelPin, Result
    from pytest_promptgate.models.store import FileStore
    from pytest_promptgate.pytest_gone import Gone
    from pytest_promptgate.workflows.evaluate import Evaluation

CONFIG_FILE = "promptgate.yaml"
GRACE_S = 5.0  # how long answers that are under way (and paid) are awaited when a run ends early


class EvalSession:
    """Everything of one pytest run that evals need; lives in `config.stash`."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings: Settings = settings_of(config)
        self.project: ProjectConfig = ProjectConfig(providers={}, prices={})
        self.reference = Reference(settings=self.settings, lockfile=Lockfile())
        self.gone: tuple[Gone, ...] = ()  # what has a baseline and is no longer there
        self.runs: dict[tuple[str, str], Run] = {}
        self.functions: dict[str, set[tuple[str, str]]] = {}  # by test file: suites and slots of its marked functions
        self.asked: dict[str, Result] = {}  # what tests asked with the fixture `prompt_eval`
        self.told: dict[str, str] = {}  # what went wrong with a case -> the first case that said so
        self.trust: dict[str, Trusted] = {}  # by suite
        self.refuse = usage_error  # what becomes of faults of the project's own files; lint collects them
        self.begun = False
        self.trials = SelfTrials(self) if self.settings.aa else None
        self.drift = DriftCheck(self) if self.settings.judge_drift else None
        self.evals_only = False  # a command is collecting
        self._manager: pluggy.PluginManager | None = None
        self._answers: toolboxes.Answers = {}
        self._toolbox: toolboxes.Toolbox | None = None
        self.observers = Observers(lambda: self._manager)
        self._evaluation: Evaluation | None = None
        self._grace_s = GRACE_S
        self._limits = Limits(self.settings.store)
        self._termination = Termination()

    @cached_property
    def progress(self) -> ProgressLine:
        """Made when the calls begin: the terminal reporter does not exist yet when pytest configures its plugins."""
        return ProgressLine(self.config)

    @property
    def dry(self) -> bool:
        """Whether this run only looks at what it would do: ``--collect-only``, ``--setup-only``, ``--setup-plan``."""
        option = self.config.option
        return bool(option.collectonly or option.setuponly or option.setupplan)

    # --- before the first call ---------------------------------------------------------------------------------------

    def read_project(self) -> None:
        """Read promptgate.yaml and the lockfile.

        Raises:
            pytest.UsageError: One of them is wrong: nothing can be collected then.
        """
        for read in (self._read_config, self._read_reference):
            try:
                read()
            except PromptGateError as error:
                self.refuse(error)

    def _read_config(self) -> None:
        file = self.settings.lockfile.parent / CONFIG_FILE
        self.project = load_config(file, kinds=self.toolbox().providers, name=self.settings.shown(file))

    def _read_reference(self) -> None:
        self.reference = read_reference(self.settings, self.toolbox().aggregates)

    def toolbox(self) -> toolboxes.Toolbox:
        """The offers of everything registered with pytest so far; conftests of deeper directories arrive late."""
        if self._manager is None:
            self._manager = toolboxes.new_manager()
        known = set(self._manager.get_plugins())
        fresh = [
            (name, plugin)
            for name, plugin in self.config.pluginmanager.list_name_plugin()
            if plugin is not None and plugin not in known and toolboxes.offers_something(plugin)
        ]
        for name, plugin in fresh:
            toolboxes.register(self._manager, plugin, name)
        if self._toolbox is None or fresh:
            self._toolbox = toolboxes.collect(self._manager, self._answers)
        return self._toolbox

    def open_suite(self, path: Path) -> tuple[Run, ...]:
        """Load, check and plan one suite file; a second time, under ``--keep-duplicates``, its runs are the same.

        Raises:
            PromptGateError: With everything that is wrong with it.
        """
        if known := tuple(run for run in self.runs.values() if run.suite.path == self.settings.shown(path)):
            return known
        from pytest_promptgate.files.suites import load_suite
        from pytest_promptgate.pytest_versions import check_versions_present, check_versions_unedited

        check_versions_present(self.reference, self.settings.shown(path))
        suite = read_suite(self, lambda context: load_suite(path, context))
        refuse_twin(suite, self.runs.values())
        check_versions_unedited(self.reference, suite)
        return tuple(add_run(self, suite, slot) for slot in suite.slots)

    # --- the engine --------------------------------------------------------------------------------------------------

    def begin(self, items: Sequence[pytest.Item]) -> None:
        """At the first eval item: settle what was selected and hand it to the engine. Later calls do nothing."""
        if self.begun:
            return
        self.begun = True
        self._termination.install()
        for run in self.runs.values():
            settle(run, items)
        hand_over = partial(submit, self) if self.trials is None else self.trials.submit
        for run in self.runs.values():
            if run.selected and not run.blocked:
                (hold_back if run.group and run.group.bound else hand_over)(run)
        launch(self)

    def evaluation(self) -> Evaluation:
        """The engine, made at first need."""
        if self._evaluation is None:
            from pytest_promptgate.workflows.evaluate import Evaluation

            self._evaluation = Evaluation(
                account_of=self.account,
                store_of=self.store,
                price_of=self.price,
                offline=self.settings.offline,
                refresh=self.settings.refresh,
                observe=self.observers.completion,
            )
        return self._evaluation

    def started(self) -> Evaluation | None:
        """The engine if it was needed, else None."""
        return self._evaluation

    def account(self, provider: str) -> Account:
        """A new account of a provider, or of all targets; it connects to nothing yet."""
        if provider == TARGET:
            return wiring.target_account(
                (run.suite for run in self.runs.values()), connections=self.settings.connections
            )
        account = wiring.account_of(provider, self.project, self.toolbox(), connections=self.settings.connections)
        self._limits.begin(provider, account)
        return account

    def store(self, suite: str) -> FileStore:
        """The response store of a suite; nothing is read yet."""
        return wiring.store_of(self.settings.store, suite)

    def price(self, pin: ModelPin) -> Price | None:
        """What `pin` costs, if anybody knows."""
        return wiring.price_of(pin, self.project)

    def wait(self, run: Run, cases: Sequence[str]) -> tuple[Result, ...]:
        """Block until the results of `cases` are there, showing progress meanwhile."""
        if (known := self.results(run, cases)) is not None:
            return known
        # On a terminal the whole suite is awaited at its first case, so that the line of dots is not torn by the
        # progress line. Not under -x: it would ask for answers that the first failure makes needless.
        early = self.progress.live and not self.config.option.maxfail
        awaited = run.selected if early and not (run.group and run.group.in_turn) else cases
        engine = self.evaluation()
        try:
            results = engine.wait(run.suite.name, run.slot, awaited, tick=self.progress.tick)
        finally:
            self.progress.clear()
        return results if awaited is cases else self.results(run, cases) or ()

    def results(self, run: Run, cases: Sequence[str]) -> tuple[Result, ...] | None:
        """The results of `cases` if all of them are there; never blocks."""
        engine = self.evaluation()
        found = [engine.results(run.suite.name, run.slot, case) for case in cases]
        return None if None in found else tuple(each for results in found for each in results or ())

    def judge(self, run: Run) -> None:
        """Judge `run`; if its rule tests, together with all others that do, since they share one level."""
        for each in self.runs.values():
            give_up_waiting(each)
        together = [run]
        if run.suite.rule != "strict":
            together = [
                each
                for each in self.runs.values()
                if each.selected and not each.blocked and each.report is None and each.suite.rule != "strict"
            ]
        finish_first_rounds(self, together)
        assessed = with_stage2(self, {each: each.assessed() for each in together})
        for each, report in zip(assessed, reports(tuple(assessed.values())), strict=True):
            each.close(report)

    def judge_all(self) -> None:
        """Judge what no selected gate item has judged, for the closing tables; show every report to observers."""
        if self.trials is not None:
            self.trials.conclude()
            return
        for run in self.runs.values():
            give_up_waiting(run)
            if run.selected and not run.blocked:
                self.observers.report(run.judged())

    def interrupt(self) -> None:
        """Ask nothing more, and let paid answers come in and be stored; fixtures may still need the engine's loop.

        Ctrl-C meanwhile ends the waiting, here and in later calls.
        """
        if self._evaluation is None:
            return
        try:
            self._evaluation.interrupt(self._grace_s)
        except KeyboardInterrupt:
            self._grace_s = 0.0

    def end(self) -> None:
        """Interrupt, and stop the engine; idempotent."""
        self.interrupt()
        if self._evaluation is None:
            return
        self._evaluation.close()
        self._limits.remember()
        self._termination.restore()

    @property
    def unfinished(self) -> bool:
        """Whether something was not asked, or could not be kept: such a run is red whatever its items say."""
        engine = self._evaluation
        return engine is not None and bool(engine.progress().skipped or engine.faults())
