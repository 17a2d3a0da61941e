"""A shorter way through pytest for cases whose results are at hand: a second run of an unchanged suite is mostly these.

pytest's own way spends ten times as long on an item as we do: three phases, each between its plugins' fixtures,
captures and log handlers, which do nothing for an item without fixtures, output or logs. Reports of setup and
teardown are written for those who read them. Cases that have to wait, that failed or are marked, and gates go pytest's
way; so does everything as soon as a plugin or conftest that is not pytest's takes part in the phases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_promptgate.pytest_items import CaseItem

if TYPE_CHECKING:
    from pytest_promptgate.pytest_run import Run

_REPORTS = ("pytest_runtest_makereport", "pytest_runtest_logreport")
_PHASES = ("pytest_runtest_protocol", "pytest_runtest_setup", "pytest_runtest_call", "pytest_runtest_teardown")
_OPTIONS = ("setupshow", "setuponly", "xmlpath", "durations")  # pytest's, that tell of phases
_OURS = frozenset({"_pytest", "pytest_promptgate"})
_HARMLESS = frozenset({"prompt_eval", "timeout", "flaky"})  # marks that say nothing of a case that is done


class ShortProtocol:
    """Registered with pytest in the process that runs the evals."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._alone: bool | None = None  # nobody else takes part in the phases; None: not looked yet
        self._phases: tuple[Literal["setup", "call", "teardown"], ...] = ("call",)  # that are reported
        self._waited: set[Run] = set()  # runs of which a case went pytest's way, and waited there

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Report a case that is done and passed; leave everything else to pytest."""
        if not isinstance(item, CaseItem) or item.parent is not getattr(nextitem, "parent", None):
            # The last item of a collector goes pytest's way, which tears the collector down.
            return None
        if item.run not in self._waited:
            self._waited.add(item.run)
            return None
        if not item.run.passed(item.case_id) or not self._nobody_else() or not _unmarked(item):
            return None
        self._report(item)
        return True

    def _nobody_else(self) -> bool:
        if self._alone is None:
            given = {name for name in _OPTIONS if getattr(self._config.option, name, None) not in (None, False)}
            self._alone = self._only_ours(_PHASES) and not given & {"setupshow", "setuponly"}
            # JUnit writes an item's properties when its teardown is reported; --durations lists all three.
            if given & {"xmlpath", "durations"} or not self._only_ours(_REPORTS):
                self._phases = ("setup", "call", "teardown")
        return self._alone

    def _only_ours(self, hooks: tuple[str, ...]) -> bool:
        takers = (taker for name in hooks for taker in getattr(self._config.hook, name).get_hookimpls())
        return all(taker.function.__module__.partition(".")[0] in _OURS for taker in takers)

    def _report(self, item: CaseItem) -> None:
        hook: Any = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for when in self._phases:
            call = pytest.CallInfo.from_call(item.runtest if when == "call" else _nothing, when=when)
            hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _unmarked(item: pytest.Item) -> bool:
    return all(mark.name in _HARMLESS for mark in item.iter_markers())


def _nothing() -> None:
    """A phase in which nothing happens."""
