"""What a plain pytest run pays for the plugin being installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .processes import python, run
from .project import empty_tests
from .table import Figure, middle

if TYPE_CHECKING:
    from pathlib import Path

# Runs of one test in one process, with the plugin and without in turn: between whole processes the noise of a machine
# is larger than what is looked for.
IN_TURN = """\
import contextlib
import io
import statistics
import sys
import time

import pytest

began = time.thread_time()
import pytest_promptgate.plugin as ours

imported = time.thread_time() - began


def once(plugins):
    began = time.thread_time()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-q", "-p", "no:cacheprovider", "test_empty.py"], plugins=plugins)
    return time.thread_time() - began


once([ours])
more = statistics.median(once([ours]) - once([]) for _ in range(60))
print("spent:", (imported + more) * 1000)
print("ours:", sum(name.split(".")[0] == "pytest_promptgate" for name in sys.modules))
"""


def plain(root: Path, pairs: int) -> list[Figure]:
    """One test, with the plugin and without."""
    empty = empty_tests(root / "empty", 1)
    (empty / "in_turn.py").write_text(IN_TURN, encoding="utf-8")
    told = [run(python("in_turn.py"), directory=empty).output for _ in range(pairs)]
    modules = int(told[0].split("ours:")[1].split()[0])
    return [
        Figure(
            name="plain run: CPU for the plugin", value=middle([_spent(each) for each in told]), unit="ms", target=5
        ),
        Figure(name="plain run: modules of ours", value=modules, unit="", target=3),
    ]


def _spent(output: str) -> float:
    return float(output.split("spent:")[1].split(maxsplit=1)[0])
