"""What the suites of a pytest run may refer to, and how the run ends if the project's own files are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_promptgate.errors import PromptGateError
    from pytest_promptgate.files.suite_context import SuiteContext
    from pytest_promptgate.pytest_session import EvalSession


def suite_context(evals: EvalSession) -> SuiteContext:
    """The scorers, providers and formats that are known by now."""
    from pytest_promptgate.files.suite_context import SuiteContext
    from pytest_promptgate.scorers.extraction import EXTRACTION

    tools = evals.toolbox()
    return SuiteContext(
        root=evals.settings.root,
        prompts=evals.settings.prompts,
        providers=evals.project.providers,
        scorers=tools.scorers,
        aggregates=tools.aggregates,
        loaders=tools.loaders,
        extraction=EXTRACTION,
    )


def usage_error(error: PromptGateError) -> None:
    """End the run with the message.

    Raises:
        pytest.UsageError: Always.
    """
    raise pytest.UsageError(str(error)) from None
