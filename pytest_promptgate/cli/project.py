"""The project as pytest sees it: its root, ini values, plugins, conftest files and suites, found by pytest itself.

Nothing is run: pytest collects the suites, and nothing but suites, and the command takes what it found.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from pytest_promptgate.cli.exits import INTERRUPTED, USAGE, Stop
from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.retention import current_round
from pytest_promptgate.core.rounds import counting
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import PromptGateError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pytest_promptgate.core.estimate import History
    from pytest_promptgate.core.types import Completion, Trial
    from pytest_promptgate.models.store import FileStore
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession

SUFFIX = ".eval.yaml"
SuiteErrors: TypeAlias = "tuple[Path | None, PromptGateError]"
# What a project's `addopts` select for its tests would hide suites from a command that wants to see them.
_UNSELECTED: tuple[tuple[str, object], ...] = (
    *((name, False) for name in ("lf", "failedfirst", "newfirst", "stepwise")),
    *(("maxfail", 0), ("keyword", ""), ("markexpr", "")),
)


class Project:
    """An opened project; close it, or use it in a `with`.

    Args:
        evals: What pytest collected.
        runs: The suites and slots that the command is about.
        faults: Messages of suites that cannot be read.
        errors: The same as errors with the suite's file, and those of the project's own files with None.
    """

    def __init__(
        self, evals: EvalSession, runs: Sequence[Run], faults: Sequence[str], errors: Sequence[SuiteErrors] = ()
    ) -> None:
        self.evals = evals
        self.runs = tuple(sorted(runs, key=lambda run: (run.suite.path, tuple(run.suite.slots).index(run.slot))))
        self.faults = tuple(faults)
        self.errors = tuple(errors)
        self._endpoints: dict[str, str] = {}
        self._stores: dict[str, FileStore] = {}

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        for store in self._stores.values():
            store.close()

    @property
    def own(self) -> Path:
        """The directory that ``promptgate_dir`` names."""
        return self.evals.settings.store

    def shown(self, path: Path) -> str:
        """`path` as messages write it."""
        return self.evals.settings.shown(path)

    def endpoint(self, run: Run) -> str:
        """The part of the store's key that says who is asked."""
        return self.endpoint_of(run.plan.pin.provider)

    def endpoint_of(self, provider: str) -> str:
        """The same of a provider, as judges have their own."""
        if provider not in self._endpoints:
            self._endpoints[provider] = self.evals.account(provider).endpoint
        return self._endpoints[provider]

    def store(self, suite: str) -> FileStore:
        """The response store of a suite."""
        if suite not in self._stores:
            self._stores[suite] = self.evals.store(suite)
        return self._stores[suite]

    def round(self, run: Run) -> str:
        """The store's round that a run of this suite reads."""
        return current_round(self.store(run.suite.name).complete_rounds)

    def is_stored(self, run: Run, trial: Trial) -> bool:
        """Whether the store answers a trial."""
        return self.stored(run, trial) is not None

    def stored(self, run: Run, trial: Trial) -> Completion | None:
        """The store's answer to a trial."""
        return self.reply(run, StoreKey(request=trial.digest, endpoint=self.endpoint(run), ordinal=trial.ordinal))

    def reply(self, run: Run, key: StoreKey) -> Completion | None:
        """What the store of a suite holds under `key`, in whichever round counts."""
        store = self.store(run.suite.name)
        found = (store.get(replace(key, round=name)) for name in counting(store.complete_rounds))
        return next((each for each in found if each is not None), None)

    def history(self, run: Run) -> History | None:
        """What stored answers of this suite took."""
        from pytest_promptgate.core.fingerprint import request_parts
        from pytest_promptgate.models.store_files import recent_history

        model = request_parts(run.plan.trials[0].request)["model"]
        return recent_history(self.store(run.suite.name).path, model=model)


def open_project(
    wanted: Sequence[str] = (),
    *,
    whole: bool = False,
    need_suites: bool = True,
    tolerant: bool = False,
    options: Sequence[str] = (),
    collect_errors: bool = False,
) -> Project:
    """Open the project of the working directory.

    Args:
        wanted: Paths as pytest takes them, or names of suites; none: what pytest would collect here.
        whole: Look for suites everywhere below the root directory.
        need_suites: Finding none is an error.
        tolerant: Suites that cannot be read are faults of the project, not the command's end.
        options: Further ones of pytest's.
        collect_errors: So are wrong project files (promptgate.yaml, the lockfile).

    Raises:
        Stop: With the message and the exit code that pytest would give.
    """
    names = [each for each in wanted if not _is_path(each)]
    probe = _Probe(whole=whole or bool(names), collect_errors=collect_errors)
    code, said = _collect(probe, [*options, *([] if names else wanted)])
    evals = probe.evals
    if code == INTERRUPTED and not probe.faults:
        raise KeyboardInterrupt  # which pytest took for itself
    if probe.faults and not tolerant:
        raise Stop("\n".join(probe.faults), INTERRUPTED)
    if evals is None or probe.usage or not probe.collected:
        raise Stop(probe.usage or said or "the plugin promptgate is switched off here", code or USAGE)
    runs = list(evals.runs.values())
    if need_suites and not runs:
        raise Stop(f"there is no *{SUFFIX} file below {evals.config.rootpath}\n  Write one, or name its path.", USAGE)
    return Project(evals, _named(runs, wanted, evals) if names else runs, probe.faults, probe.errors)


def run_suites(paths: Sequence[str], options: Sequence[str]) -> tuple[int, Sequence[Run]]:
    """Let pytest run suites, and say on the screen what it says; its exit code, and the runs with their reports."""
    probe = _Probe(whole=False, collect_errors=False)
    # The command itself has imported the package before pytest could rewrite its asserts; there are none to rewrite.
    quiet = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    code = pytest.main(["--prompt-evals", *quiet, *options, *paths], plugins=[probe])
    return int(code), tuple(probe.evals.runs.values()) if probe.evals else ()


def _is_path(wanted: str) -> bool:
    path = wanted.split("::", 1)[0]
    return Path(path).exists() or "/" in path or path.endswith(SUFFIX)


def _named(runs: Sequence[Run], wanted: Sequence[str], evals: EvalSession) -> list[Run]:
    known = {run.suite.name for run in runs}
    chosen: list[Run] = []
    for each in wanted:
        path = (evals.config.invocation_params.dir / each.split("::", 1)[0]).resolve()
        found = [
            run
            for run in runs
            if run.suite.name == each
            or (_is_path(each) and (evals.settings.root / run.suite.path).is_relative_to(path))
        ]
        if not found:
            raise Stop(f"no suite is called {each!r}\n  {did_you_mean(each, known, label='Suites')}", USAGE)
        chosen += [run for run in found if run not in chosen]
    return chosen


def _collect(probe: _Probe, paths: Sequence[str]) -> tuple[int, str]:
    """Let pytest collect; its exit code, and what it said on stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = pytest.main(["--collect-only", "-qq", "--prompt-evals", *paths], plugins=[probe])
    return int(code), err.getvalue().strip() or out.getvalue().strip()


class _Probe:
    """A pytest plugin that keeps what the eval hooks collected."""

    def __init__(self, *, whole: bool, collect_errors: bool) -> None:
        self.whole = whole
        self.collect_errors = collect_errors
        self.evals: EvalSession | None = None
        self.faults: list[str] = []
        self.errors: list[SuiteErrors] = []
        self.usage = ""
        self.collected = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        for name, value in _UNSELECTED:
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        if self.whole:
            config.args[:] = [str(config.rootpath)]
        try:
            return (yield)
        except pytest.UsageError as error:
            # Our own complaint that there are no suites comes last, and would hide pytest's about a wrong path.
            first = error.__context__ if isinstance(error.__context__, pytest.UsageError) else error
            if first is not error or not self.collected:
                self.usage = "\n".join(str(each) for each in first.args)
            raise

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        hooks: Any = config.pluginmanager.get_plugin("promptgate-evals")
        if hooks is not None:
            self.evals = hooks.evals
            hooks.evals.evals_only = True
            if self.collect_errors:
                hooks.evals.refuse = lambda error: self.errors.append((None, error))

    def pytest_exception_interact(self, node: pytest.Collector, call: pytest.CallInfo[object]) -> None:
        cause = call.excinfo.value.__cause__ if call.excinfo else None
        if isinstance(cause, PromptGateError):
            self.errors.append((node.path, cause))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.faults.append(str(report.longrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        self.collected = True
