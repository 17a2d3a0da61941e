"""Baselines are kept by suite name, so no two suites of a run may share one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_promptgate.core.types import Suite
    from pytest_promptgate.pytest_run import Run


def refuse_twin(suite: Suite, runs: Iterable[Run], *, same_file: bool = False) -> None:
    """Hold a suite's name against those of the suites that were read before.

    Args:
        suite: That was read.
        runs: Of the others.
        same_file: Its file may hold several suites.

    Raises:
        SuiteError: It is taken.
    """
    twin = next((run.suite.path for run in runs if run.suite.name == suite.name), None)
    if twin is not None and (same_file or twin != suite.path):
        raise SuiteError(
            suite.path,
            f"the suite name {suite.name!r} is taken by {twin}",
            hint="Baselines are kept by suite name. Give one of the two another `suite:` name.",
        )
