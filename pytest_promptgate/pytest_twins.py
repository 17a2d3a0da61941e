"""Baselines are kept by suite name, so no two suites of a run may share one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_promptgate.core.types import Suite
    from pytest_promptgate.pytest_run import Run


def refuse_twin(suite: Suite, runs: Iterable[Run]) -> None:
    """Hold a suite's name against those of the suites that were read before.

    Raises:
        SuiteError: It is taken by another file.
    """
    twin = next((run.suite.path for run in runs if run.suite.name == suite.name), None)
    if twin is not None and twin != suite.path:
        raise SuiteError(
            suite.path,
            f"the suite name {suite.name!r} is taken by {twin}",
            hint="Baselines are kept by suite name. Give one of the two another `suite:` name.",
        )
