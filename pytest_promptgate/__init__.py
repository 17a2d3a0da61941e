"""pytest-promptgate: a prompt change that makes any metric worse cannot merge.

The names that users write. Each is imported when it is first used, so that a plain pytest run pays nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from pytest_promptgate._version import __version__

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import Row
    from pytest_promptgate.core.types import Case, Completion, Score, ToolCall, Unscored
    from pytest_promptgate.hookspecs import hookimpl
    from pytest_promptgate.notebook import load_run

__all__ = ["Case", "Completion", "Row", "Score", "ToolCall", "Unscored", "__version__", "hookimpl", "load_run"]

_HOMES = {
    "Case": "core.types",
    "Completion": "core.types",
    "Row": "core.ports",
    "Score": "core.types",
    "ToolCall": "core.types",
    "Unscored": "core.types",
    "hookimpl": "hookspecs",
    "load_run": "notebook",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
