"""What a plain pytest run pays for the plugin being installed."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from .processes import python, run
from .project import empty_tests
from .table import Figure

if TYPE_CHECKING:
    from pathlib import Path

MODULES = """\
import sys

def test_modules():
    print("ours:", sum(name.split(".")[0] == "pytest_promptgate" for name in sys.modules))
"""


def plain(root: Path, pairs: int) -> list[Figure]:
    """One test, with the plugin and without."""
    empty = empty_tests(root / "empty", 1)
    plugin = ("-p", "pytest_promptgate.plugin")
    more = []
    for _ in range(pairs * 7 + 1):
        with_plugin = run(python("-m", "pytest", "-q", *plugin), directory=empty)
        without = run(python("-m", "pytest", "-q"), directory=empty)
        more.append((with_plugin.cpu_s - without.cpu_s) * 1000)
    (empty / "test_empty.py").write_text(MODULES, encoding="utf-8")
    told = run(python("-m", "pytest", "-q", "-s", *plugin), directory=empty).output
    modules = int(told.split("ours:")[1].split()[0])
    return [
        Figure(name="plain run: CPU for the plugin", value=statistics.median(more[1:]), unit="ms", target=5),
        Figure(name="plain run: modules of ours", value=modules, unit="", target=3),
    ]
