"""Whole processes: how long they took, how much processor time and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]  # of the repository
# No other plugin of this environment, no key, no CI, compiled modules kept: a run is the same wherever it is measured.
_DROPPED = (
    "CI",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "PYTEST_ADDOPTS",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process took, as the operating system counts it."""

    seconds: float
    cpu_s: float  # user and system
    memory_mb: float  # largest resident size
    output: str


class Failed(Exception):
    """A measured command did not end well; its figures would mean nothing."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a measured process."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | more


def run(command: Sequence[str], *, directory: Path, more: Mapping[str, str] | None = None) -> Cost:
    """Run `command` to its end.

    Raises:
        Failed: Its exit code is not 0.
    """
    code, cost = ended(command, directory=directory, variables=environment(**(more or {})))
    if code != 0:
        raise Failed(f"{' '.join(command)} ended with {code}:\n{cost.output[-4000:]}")
    return cost


def ended(command: Sequence[str], *, directory: Path, variables: Mapping[str, str]) -> tuple[int, Cost]:
    """Run `command` to its end, in exactly this environment; its exit code, and what it took."""
    log = directory / "measured.log"
    with log.open("w+", encoding="utf-8") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=directory, env=variables, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    cost = Cost(seconds=seconds, cpu_s=usage.ru_utime + usage.ru_stime, memory_mb=_megabytes(usage), output=text)
    return process.returncode, cost


def python(*arguments: str) -> list[str]:
    """A command of this interpreter."""
    return [sys.executable, *arguments]


def _megabytes(usage: Any) -> float:
    # Linux counts kilobytes, macOS bytes.
    return float(usage.ru_maxrss) / (1024 * 1024 if sys.platform == "darwin" else 1024)
