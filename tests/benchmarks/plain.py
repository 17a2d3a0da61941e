"""What a plain pytest run pays for the plugin being installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .processes import python, run
from .project import empty_tests
from .table import Figure, middle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .processes import Cost

MODULES = """\
import sys

def test_modules():
    print("ours:", sum(name.split(".")[0] == "pytest_promptgate" for name in sys.modules))
"""

# A plugin that times ours from inside, which noise of the machine hardly reaches.
TIMED = """\
import functools
import time

spent = []


def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        began = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent.append(time.thread_time() - began)

    return wrapper


began = time.thread_time()
import pytest_promptgate.plugin as ours

spent.append(time.thread_time() - began)
for name in ("pytest_addoption", "pytest_configure", "pytest_cmdline_main"):
    setattr(ours, name, timed(getattr(ours, name)))


def pytest_unconfigure():
    print(f"spent: {sum(spent) * 1000:.3f} ms")
"""


def plain(root: Path, pairs: int) -> list[Figure]:
    """One test, with the plugin and without."""
    empty = empty_tests(root / "empty", 1)
    plugin = ("-p", "pytest_promptgate.plugin")
    costs: dict[tuple[str, ...], list[float]] = {plugin: [], (): []}
    for _ in range(pairs * 7):
        for arguments, taken in costs.items():
            taken.append(run(python("-m", "pytest", "-q", *arguments), directory=empty).cpu_s)
    (empty / "timed.py").write_text(TIMED, encoding="utf-8")
    inside = [
        run(python("-m", "pytest", "-q", "-p", "timed", *plugin), directory=empty, more={"PYTHONPATH": str(empty)})
        for _ in range(pairs * 3)
    ]
    (empty / "test_empty.py").write_text(MODULES, encoding="utf-8")
    told = run(python("-m", "pytest", "-q", "-s", *plugin), directory=empty).output
    return [
        Figure(
            name="plain run: CPU in the plugin", value=middle([_spent(each) for each in inside]), unit="ms", target=5
        ),
        # A busy machine only ever adds, and by more than what is looked for: so the least of each.
        Figure(name="plain run: CPU of the whole process", value=_more(costs[plugin], costs[()]), unit="ms more"),
        Figure(name="plain run: modules of ours", value=int(told.split("ours:")[1].split()[0]), unit="", target=3),
    ]


def _spent(cost: Cost) -> float:
    return float(cost.output.split("spent:")[1].split()[0])


def _more(these: Sequence[float], those: Sequence[float]) -> float:
    return (min(these) - min(those)) * 1000
