"""The small project that tests of the front door run in."""

from __future__ import annotations

# pytester forgets what a run in this process imported, and PyYAML's C part does not survive a second import.
# What is imported here stays, which also makes each run faster.
import aiohttp  # noqa: F401
import openai  # noqa: F401
import pytest
import yaml  # noqa: F401
from front_project import Project

import pytest_promptgate.core.plan
import pytest_promptgate.files.offers
import pytest_promptgate.files.suites
import pytest_promptgate.files.templates
import pytest_promptgate.models.offers
import pytest_promptgate.models.openai
import pytest_promptgate.models.store
import pytest_promptgate.models.store_files
import pytest_promptgate.pytest_hooks
import pytest_promptgate.pytest_session
import pytest_promptgate.scorers.offers
import pytest_promptgate.workflows.evaluate  # noqa: F401


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project, outside CI."""
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini("[pytest]\n")
    return Project(pytester)
