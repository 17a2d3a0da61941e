"""The small project that tests of the front door run in."""

from __future__ import annotations

import pytest
import warm  # noqa: F401
from front_project import Project


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project, outside CI."""
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini("[pytest]\n")
    return Project(pytester)
