"""Plugins that watch a run: told of answers and reports, and never able to stop or change it."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_promptgate.workflows.scoring import described, place_in_users_code

if TYPE_CHECKING:
    from collections.abc import Callable

    import pluggy

    from pytest_promptgate.core.types import Completion, Report, Trial


class Observers:
    """The observers of one run.

    Args:
        manager: The plugin manager of our hooks, once there is one; asked at every call, for conftests arrive late.
    """

    def __init__(self, manager: Callable[[], pluggy.PluginManager | None]) -> None:
        self._manager = manager
        self._faults: dict[tuple[str, str], str] = {}

    @property
    def faults(self) -> tuple[str, ...]:
        """What went wrong, once per hook and plugin."""
        return tuple(self._faults.values())

    def completion(self, trial: Trial, completion: Completion) -> None:
        """Called in the engine's thread."""
        self._tell("promptgate_completion", {"trial": trial, "completion": completion})

    def report(self, report: Report) -> None:
        """Called in the main thread."""
        self._tell("promptgate_report", {"report": report})

    def _tell(self, hook: str, values: dict[str, object]) -> None:
        manager = self._manager()
        for each in getattr(manager.hook, hook).get_hookimpls() if manager is not None else ():
            key = hook, each.plugin_name
            try:
                returned = each.function(*(values[name] for name in each.argnames))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt) and hook == "promptgate_report":
                    raise
                where = place_in_users_code(error.__traceback__)
                self._faults.setdefault(key, _told(key, f"raised {described(error)}", where))
                continue
            if inspect.iscoroutine(returned):
                returned.close()
                self._faults.setdefault(key, _told(key, "is async, and observers are called, not awaited", ""))


def _told(key: tuple[str, str], what: str, where: str) -> str:
    hook, name = key
    plugin = name.removeprefix(f"{Path.cwd()}{os.sep}")  # pytest calls a conftest by its path
    return f"{plugin}: {hook} {what}{f' at {where}' if where else ''}; the run went on, and further faults are not told"
