"""Test functions with ``@pytest.mark.prompt_eval(…)``: suites in Python, with items like those of a suite file.

::

    tests/test_router.py::test_router::t-017[gpt-4o-2024-11-20]
    tests/test_router.py::test_router::gate:accuracy[gpt-4o-2024-11-20]
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_promptgate.core.left_out import left_out, missed
from pytest_promptgate.core.printable import printable
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptGateError, SuiteError
from pytest_promptgate.files.python_suite import CASE, Marked, for_slot, load_marked
from pytest_promptgate.plugin import MARKER, marks_of, suite_marks
from pytest_promptgate.pytest_group import Group, exits, known_fixtures, unknown_fixtures
from pytest_promptgate.pytest_items import CaseItem, CasesItem, EvalFailure, EvalItem, GateItem, case_items
from pytest_promptgate.pytest_reading import add_run, read_suite
from pytest_promptgate.pytest_twins import refuse_twin

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from pytest_promptgate.pytest_run import Run
    from pytest_promptgate.pytest_session import EvalSession


class FunctionHooks:
    """Registered with pytest in the process that runs the evals."""

    def __init__(self, evals: EvalSession) -> None:
        self.evals = evals

    @pytest.hookimpl(wrapper=True, trylast=True)  # so pytest-asyncio, which replaces test functions, comes later
    def pytest_pycollect_makeitem(
        self, collector: pytest.Module | pytest.Class, name: str, obj: object
    ) -> Generator[None, Any, Any]:
        """Take marked functions, when pytest has found their fixtures and parameters."""
        found = yield
        marks = suite_marks(obj)
        if isinstance(obj, type):
            self._check_class(collector, obj, marked=bool(marks))
        carriers = [each for each in found if isinstance(each, pytest.Function)] if marks and found else []
        if not carriers:
            return found
        suite = FunctionCollector.of(collector, name, carriers, self.evals)
        functions = self.evals.functions.setdefault(self.evals.settings.shown(collector.path), set())
        functions.update((suite.marked.suite, slot) for slot in suite.marked.slots)
        return [suite]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Note the test files that were read, those without a marked function too: a suite may be gone from them."""
        report = yield
        if isinstance(collector, pytest.Module) and report.passed:
            self.evals.functions.setdefault(self.evals.settings.shown(collector.path), set())
        return report

    def _check_class(self, collector: pytest.Collector, owner: type, *, marked: bool) -> None:
        where = f"{self.evals.settings.shown(collector.path)}: {owner.__name__}"
        if marked:
            raise collector.CollectError(f"{where}: {MARKER} marks a class\n  Mark the methods that are to be asked.")
        cases = getattr(sys.modules.get("unittest"), "TestCase", None)
        if cases is None or not issubclass(owner, cases):
            return
        for name in dir(owner):
            if suite_marks(getattr(owner, name, None)):
                what = f"{where}.{name}: {MARKER} marks a method of a unittest.TestCase"
                hint = "Its methods take no arguments, so no `case`: write a function, or a plain class."
                raise collector.CollectError(f"{what}\n  {hint}")


class FunctionCollector(pytest.Collector):
    """One marked function, for all combinations of its parameters."""

    carriers: list[pytest.Function]
    marked: Marked
    evals: EvalSession

    @classmethod
    def of(cls, parent: Any, name: str, carriers: list[pytest.Function], evals: EvalSession) -> FunctionCollector:
        """The collector named as the function."""
        collector = cls.from_parent(parent, name=name)
        function = carriers[0].obj
        qualified = ".".join(each.name for each in collector.listchain() if isinstance(each, pytest.Class))
        code = inspect.unwrap(getattr(function, "__func__", function)).__code__
        marks = suite_marks(function)
        collector.evals, collector.carriers = evals, carriers
        collector.marked = Marked(
            path=collector.path,
            line=code.co_firstlineno,
            name=f"{qualified}.{name}" if qualified else name,
            function=function,
            keywords=marks[0].kwargs,
            combinations=[each.callspec.id if hasattr(each, "callspec") else "" for each in carriers],
        )
        collector.own_markers += marks_of(function)
        if collector.config.pluginmanager.hasplugin("timeout"):
            collector.add_marker(pytest.mark.timeout(0))  # see `SuiteFile`
        return collector

    def collect(self) -> Iterator[pytest.Item]:
        """Per combination: the cases (or one item for all of them), then the gates."""
        try:
            runs = self._opened()
        except PromptGateError as error:
            raise self.CollectError(printable(str(error))) from error
        for run in runs:
            if run.group is not None and run.group.in_turn:
                self.warn(pytest.PytestWarning(_slow(self.marked.name, run.group.narrow)))
            yield from self.cases(run)
            yield from self._dressed(run, (GateItem.of(self, run, metric) for metric in run.gated))

    def cases(self, run: Run) -> Iterator[pytest.Item]:
        """New items for the cases of a run."""
        return self._dressed(run, case_items(self, run, FunctionCaseItem, FunctionCasesItem))

    def _dressed(self, run: Run, items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
        """`items` with what pytest's plugins read of a test function's."""
        carrier = self.carriers[self.marked.slots.index(run.slot)]
        for item in items:
            cast("Any", item).obj = carrier.obj  # where conditions of `skipif` look their names up
            item.own_markers += [mark for mark in carrier.own_markers if mark not in self.own_markers]
            yield item

    def _opened(self) -> list[Run]:
        """The runs, one per combination.

        Raises:
            PromptGateError: With everything that is wrong with the marker, the function or the dataset.
        """
        evals, marked = self.evals, self.marked
        if known := [run for run in evals.runs.values() if run.origin == self.nodeid]:
            return known
        self._check_marks()
        self._check_arguments()
        suite = read_suite(evals, lambda context: load_marked(marked, context))
        refuse_twin(suite, evals.runs.values(), same_file=True)
        runs = []
        for slot, carrier in zip(marked.slots, self.carriers, strict=True):
            group = Group(carrier, suite.prompt.name)
            run = add_run(evals, for_slot(suite, slot, group.call), slot)
            run.group, run.origin = group, self.nodeid
            runs.append(run)
        return runs

    def _check_marks(self) -> None:
        marks = suite_marks(self.carriers[0].obj)
        if len(marks) > 1:
            raise self._fault(f"{self.name} has {len(marks)} markers {MARKER}", "Write all keywords into one of them.")
        if marks[0].args:
            raise self._fault(
                f"the marker {MARKER} takes keywords only", 'Write `dataset="…", scorers=["exact_match"]`.'
            )

    def _check_arguments(self) -> None:
        carrier = self.carriers[0]
        if CASE not in carrier._fixtureinfo.argnames:
            return  # told with what else is wrong with the function
        if CASE in carrier._fixtureinfo.name2fixturedefs:
            raise self._fault("`case` is a fixture or a parameter here", "It is the row: give that another name.")
        if unknown := unknown_fixtures(carrier):
            names = ", ".join(map(repr, unknown))
            hint = did_you_mean(unknown[0], known_fixtures(self.session), label="Fixtures")
            raise self._fault(f"{self.name} uses {names}, which is no fixture", hint)

    def _fault(self, what: str, hint: str) -> SuiteError:
        file = self.evals.settings.shown(self.path)
        return SuiteError(Place(file=file, line=self.marked.line), what, hint=hint)


def _slow(name: str, narrow: tuple[str, ...]) -> str:
    names = ", ".join(narrow)
    return (
        f"{name} asks its cases one at a time, since it uses {names} of function scope: "
        "with fixtures of module scope or wider its calls overlap"
    )


class _SetsUp(EvalItem):
    """An item of a marked function's cases."""

    def setup(self) -> None:
        """Set the fixtures up, and have the cases asked."""
        group = self.run.group
        assert group is not None
        group.set_up(self.run, self, self.own if group.in_turn else self.run.cases)

    @property
    def own(self) -> tuple[str, ...]:
        """The cases that this item stands for."""
        return self.run.cases


class FunctionCaseItem(_SetsUp, CaseItem):
    """One case of a marked function."""

    @classmethod
    def of(cls, parent: Any, run: Run, case_id: str) -> FunctionCaseItem:
        """The item of one case."""
        return cast("FunctionCaseItem", super().of(parent, run, case_id))

    @property
    def own(self) -> tuple[str, ...]:
        """One case."""
        return (self.case_id,)

    def runtest(self) -> None:
        """As for a suite file, but ``pytest.xfail`` in the function is its case's outcome."""
        try:
            with exits(self.run.group):
                super().runtest()
        except pytest.skip.Exception:
            if why := missed(self.run.suite, self.results).get(self.case_id):
                raise EvalFailure(why) from None
            grade = left_out(self.results).get(self.case_id)
            if grade is not None and grade.left_out == "xfail":
                pytest.xfail(grade.reason)
            raise


class FunctionCasesItem(_SetsUp, CasesItem):
    """All cases of a marked function with a large dataset."""

    def runtest(self) -> None:
        """As for a suite file."""
        with exits(self.run.group):
            super().runtest()
