"""The second run: everything is stored, nothing is asked; against pytest on as many tests that do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cold import ask_cold
from .processes import Failed, python, run
from .project import empty_tests, make_project
from .serve import Served
from .table import Figure, median_ratio, middle

if TYPE_CHECKING:
    from pathlib import Path

CASES = 1_000


def warm(root: Path, pairs: int) -> list[Figure]:
    """1,000 cases. The server is gone: a request would fail the run."""
    with Served() as server:
        project = make_project(root / "project", cases=CASES, base_url=server.base_url)
        ask_cold(project, connections=50)
    empty = empty_tests(root / "empty", CASES)
    run(python("-m", "pytest", "-q"), directory=empty)
    ours, tests = [], []
    for _ in range(pairs * 3):
        again = project.evals()
        if f"{CASES} from the store, 0 asked" not in again.output:
            raise Failed(f"the second run asked:\n{again.output}")
        ours.append(again)
        tests.append(run(python("-m", "pytest", "-q"), directory=empty))
    seconds = median_ratio([each.seconds for each in ours], [each.seconds for each in tests])
    processor = median_ratio([each.cpu_s for each in ours], [each.cpu_s for each in tests])
    name = "warm 1,000"
    return [
        Figure(name=f"{name}: / pytest on 1,000 empty tests", value=seconds, target=1.5),
        Figure(name=f"{name}: CPU / pytest on 1,000 empty tests", value=processor),
        Figure(name=f"{name}: seconds", value=middle([each.seconds for each in ours]), unit="s"),
    ]
