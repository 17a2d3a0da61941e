"""The reference: ``bare_openai.py``, what a user writes by hand, as a whole process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .processes import ROOT, Cost, python, run

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ROOT / "tests" / "benchmarks" / "bare_openai.py"
DEFAULT, AIOHTTP = "default", "aiohttp"


def bare(
    directory: Path, base_url: str, *, cases: int, connections: int, transport: str = AIOHTTP, call: str = "create"
) -> Cost:
    """Ask as many questions as a project of `cases` does.

    Args:
        call: ``create``, what users write, or ``post``, the client's generic call that costs it least.
    """
    numbers = ("--cases", str(cases), "--connections", str(connections))
    return run(python(str(SCRIPT), base_url, *numbers, "--transport", transport, "--call", call), directory=directory)
