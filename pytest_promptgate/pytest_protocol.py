"""A shorter way through pytest for cases whose results are at hand: a second run of an unchanged suite is mostly these.

pytest's own way spends ten times as long on an item as we do: three phases, each between its plugins' fixtures,
captures and log handlers, which do nothing for an item without fixtures, output or logs. The reports are the same.
Cases that have to wait, that failed or are marked, and gates go pytest's way; so does everything as soon as a plugin
or conftest that is not pytest's takes part in the phases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_promptgate.pytest_items import CaseItem

if TYPE_CHECKING:
    from pytest_promptgate.pytest_run import Run

_PHASES = ("pytest_runtest_protocol", "pytest_runtest_setup", "pytest_runtest_call", "pytest_runtest_teardown")
_OURS = frozenset({"_pytest", "pytest_promptgate"})
_HARMLESS = frozenset({"prompt_eval", "timeout", "flaky"})  # marks that say nothing of a case that is done


class ShortProtocol:
    """Registered with pytest in the process that runs the evals."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._alone: bool | None = None  # nobody else takes part in the phases
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
        _report(item)
        return True

    def _nobody_else(self) -> bool:
        if self._alone is None:
            option, hooks = self._config.option, self._config.hook
            takers = (taker for name in _PHASES for taker in getattr(hooks, name).get_hookimpls())
            alone = all(taker.function.__module__.partition(".")[0] in _OURS for taker in takers)
            self._alone = alone and not option.setupshow and not option.setuponly
        return self._alone


def _unmarked(item: pytest.Item) -> bool:
    return all(mark.name in _HARMLESS for mark in item.iter_markers())


def _report(item: CaseItem) -> None:
    hook: Any = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for when in ("setup", "call", "teardown"):
        step = item.runtest if when == "call" else _nothing
        call = pytest.CallInfo.from_call(step, when=when)
        hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _nothing() -> None:
    """A phase in which nothing happens."""
