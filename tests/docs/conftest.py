"""What tests of the pages share."""

from __future__ import annotations

import shutil

import pytest
import warm  # noqa: F401
from doc_pages import REPOSITORY


@pytest.fixture
def example(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A copy of the example project, as a clone would have it."""
    monkeypatch.delenv("CI", raising=False)
    ignored = shutil.ignore_patterns(".promptgate", "__pycache__", ".pytest_cache")
    shutil.copytree(REPOSITORY / "example_project", pytester.path, ignore=ignored, dirs_exist_ok=True)
    return pytester
