"""A small project, and the command line run in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import warm  # noqa: F401
from cli_world import REMOTE, SECRET, CliProject
from front_project import QUIET_PLUGINS

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> CliProject:
    """An empty project in the working directory."""
    for name in ("CI", "OPENAI_API_KEY", "OPENAI_BASE_URL", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    project = CliProject(pytester)
    project.write("pytest.ini", f"[pytest]\naddopts = {' '.join(QUIET_PLUGINS)}\n")
    return project


@pytest.fixture
def remote(
    project: CliProject, loopback: Callable[..., LoopbackServer], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., LoopbackServer]:
    """The standard project on a model of the loopback server: ``server = remote(answers=...)``."""

    def start(**settings: Any) -> LoopbackServer:
        server = loopback(**settings)
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", SECRET)
        project.standard().prompt("v1", model=REMOTE)
        return server

    return start
