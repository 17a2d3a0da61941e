"""What pytest collects: suite file → prompt version → cases, then gates.

Node ids put the model at the very end (``file::support-triage@v3::t-017[gpt-4o-2024-11-20]``): pytest cuts an
argument at its first "[", so this is the one layout in which every part can be pasted back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from _pytest._code.code import ReprFileLocation, TerminalRepr
from _pytest.mark import KeywordMatcher
from _pytest.mark.expression import Expression

from pytest_promptgate.core.printable import printable
from pytest_promptgate.errors import PromptGateError, SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _pytest._io import TerminalWriter

    from pytest_promptgate.core.types import Result
    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession

SUFFIX = ".eval.yaml"


class SuiteFile(pytest.File):
    """One ``*.eval.yaml``."""

    eval_session: EvalSession

    @classmethod
    def of(cls, parent: pytest.Collector, path: Any, session: EvalSession) -> SuiteFile:
        """The collector of `path`, marked so that ``-m prompt_eval`` selects all below it."""
        file = cls.from_parent(parent, path=path)
        file.eval_session = session
        file.add_marker("prompt_eval")
        if file.config.pluginmanager.hasplugin("timeout"):
            # Items wait in a queue for their answer; pytest-timeout would take that for a hang.
            file.add_marker(pytest.mark.timeout(0))
        return file

    def collect(self) -> Iterator[pytest.Collector]:
        """Read the suite and plan it: whatever can be wrong before the first call is told here."""
        if self.path.is_dir():
            fault = _directory(self.eval_session.settings.shown(self.path))
            raise self.CollectError(str(fault)) from fault
        try:
            runs = self.eval_session.open_suite(self.path)
        except PromptGateError as error:
            raise self.CollectError(printable(str(error))) from error
        yield VersionCollector.of(self, runs)


def _directory(shown: str) -> SuiteError:
    hint = "Suites are files; give the directory another name, or write the suite in its place."
    return SuiteError(shown, "cannot be read: Is a directory", hint=hint)


class VersionCollector(pytest.Collector):
    """One prompt version of a suite, for all its models."""

    runs: tuple[Run, ...]

    @classmethod
    def of(cls, parent: SuiteFile, runs: tuple[Run, ...]) -> VersionCollector:
        """The collector named ``prompt@version``."""
        collector = cls.from_parent(parent, name=runs[0].suite.prompt.node)
        collector.runs = runs
        return collector

    def collect(self) -> Iterator[pytest.Item]:
        """Per model: the cases (or one item for all of them), then the gates."""
        for run in self.runs:
            if run.folded:
                yield from self._folded(run)
            else:
                yield from (CaseItem.of(self, run, case) for case in run.cases)
            for metric in run.gated:
                yield GateItem.of(self, run, metric)

    def _folded(self, run: Run) -> Iterator[pytest.Item]:
        """One item for all cases; but a case that was named, and those that ``-k`` picks, get their own."""
        named = self._named()
        picked = list(picked_cases(self.config, (CaseItem.of(self, run, case) for case in run.cases)))
        if 0 < len(picked) < len(run.cases):
            yield from picked
        else:
            yield CasesItem.of(self, run)
            yield from (CaseItem.of(self, run, case) for case in run.cases if case in named)

    def _named(self) -> frozenset[str]:
        """What stands behind the last ``::`` of arguments that name this file, up to the model."""
        here = self.config.invocation_params.dir
        parts = (argument.split("::") for argument in self.config.args if "::" in argument)
        return frozenset(last.partition("[")[0] for path, *_, last in parts if (here / path).resolve() == self.path)


def picked_cases(config: pytest.Config, cases: Iterable[CaseItem]) -> Iterator[CaseItem]:
    """Those that ``-k`` and ``--deselect`` leave; none if neither is given."""
    away = tuple(config.option.deselect or ())
    if not config.option.keyword and not away:
        return
    try:
        wanted = Expression.compile(config.option.keyword or "")
    except Exception:  # noqa: BLE001 pytest itself tells what is wrong with -k, a moment later
        return
    yield from (
        case
        for case in cases
        if not case.nodeid.startswith(away)
        and (not config.option.keyword or wanted.evaluate(KeywordMatcher.from_item(case)))
    )


class EvalItem(pytest.Item):
    """What cases and gates share."""

    run: Run
    latency_s: float | None = None  # of the slowest call it stands for; None: nothing was asked for it

    @classmethod
    def build(cls, parent: VersionCollector, run: Run, name: str) -> Any:
        """An item of this class named ``name[model]``."""
        full = f"{name}[{run.bracket}]"
        # Given as text: pytest 9.2 would otherwise build an id that does not compare equal to the one --lf remembers.
        item = cls.from_parent(parent, name=full, nodeid=f"{parent.nodeid}::{full}")
        item.run = run
        return item

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where, for ``--durations`` and JUnit: the suite file."""
        return self.path, 0, f"{cast('VersionCollector', self.parent).name}::{self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        """Our own failures and errors as their text; anything else as pytest shows it."""
        if isinstance(excinfo.value, EvalFailure | PromptGateError):
            return FailureText(printable(str(excinfo.value)), str(self.path))
        return super().repr_failure(excinfo, style)


class CaseItem(EvalItem):
    """One case, all its samples: passes when it was answered and scored."""

    case_id: str
    results: tuple[Result, ...] = ()  # once they are there

    @classmethod
    def of(cls, parent: VersionCollector, run: Run, case_id: str) -> CaseItem:
        """The item of one case."""
        item = cast("CaseItem", cls.build(parent, run, case_id))
        item.case_id = case_id
        return item

    def runtest(self) -> None:
        """Wait for this case's results."""
        self.run.check_case(self)


class CasesItem(EvalItem):
    """All cases of a large suite in one item; lists the failing ones itself."""

    @classmethod
    def of(cls, parent: VersionCollector, run: Run) -> CasesItem:
        """The item ``cases[model]``."""
        return cast("CasesItem", cls.build(parent, run, "cases"))

    def runtest(self) -> None:
        """Wait for the results of every selected case."""
        self.run.check_cases(self)


class GateItem(EvalItem):
    """One gated metric: fails when the metric is worse than its baseline."""

    metric: str

    @classmethod
    def of(cls, parent: VersionCollector, run: Run, metric: str) -> GateItem:
        """The item ``gate:metric[model]``."""
        item = cast("GateItem", cls.build(parent, run, f"gate:{metric}"))
        item.metric = metric
        return item

    def runtest(self) -> None:
        """Wait for the whole suite and judge."""
        self.run.check_gate(self)


class EvalFailure(Exception):
    """A case or a gate is red. The first line is the verdict; the rest explains it."""


class RepeatedFailure(EvalFailure):
    """A case is red for what is shown in full elsewhere, once."""


class FailureText(TerminalRepr):
    """A failure on the screen, in the short summary and in JUnit, without a traceback."""

    def __init__(self, text: str, path: str) -> None:
        self.lines = text.splitlines()
        self.reprcrash = ReprFileLocation(path, 0, self.lines[0])

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def toterminal(self, tw: TerminalWriter) -> None:
        """The verdict in red, the explanation as it is, diff lines in their colours."""
        tw.line(self.lines[0], red=True, bold=True)
        for line in self.lines[1:]:
            mark = line.lstrip()[:1]
            tw.line(line, green=mark == "+", red=mark == "-")
