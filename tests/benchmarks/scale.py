"""One suite of 100,000 cases: cold, warm, and what a case costs at each size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bare import bare
from .cold import ask_cold
from .processes import Failed
from .project import make_project
from .serve import Served
from .table import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from .processes import Cost

SIZES = (1_000, 10_000, 100_000)
MOST = SIZES[-1]


def scale(root: Path, _pairs: int) -> list[Figure]:
    """Takes several minutes. Suites are folded at each size, so that sizes alone differ."""
    colds: dict[int, Cost] = {}
    warms: dict[int, Cost] = {}
    with Served(latency=0.02) as server:
        projects = {n: make_project(root / str(n), cases=n, base_url=server.base_url) for n in SIZES}
        for n, project in projects.items():
            colds[n] = ask_cold(project, *FOLDED, connections=200)
        reference = bare(projects[MOST].root, server.base_url, cases=MOST, connections=200)
    for n, project in projects.items():
        warms[n] = project.evals(*FOLDED)
        if f"{n} from the store, 0 asked" not in warms[n].output:
            raise Failed(f"the second run asked:\n{warms[n].output}")
    name = "100,000 cases"
    return [
        Figure(
            name=f"{name}, cold, 20 ms × 200: / bare script, aiohttp", value=ratio(colds[MOST], reference), target=1.3
        ),
        Figure(name=f"{name}, cold: memory", value=colds[MOST].memory_mb, unit="MB", target=1500),
        Figure(name=f"{name}, warm: seconds", value=warms[MOST].seconds, unit="s", target=90),
        Figure(name=f"{name}, warm: memory", value=warms[MOST].memory_mb, unit="MB", target=1500),
        Figure(name="CPU per further case, cold, 1,000 to 10,000", value=per_case(colds, 0) * 1000, unit="ms"),
        Figure(name="CPU per further case, cold, 10,000 to 100,000", value=per_case(colds, 1) * 1000, unit="ms"),
        Figure(name="… their ratio", value=per_case(colds, 1) / per_case(colds, 0), target=1.2),
        Figure(name="CPU per further case, warm, 1,000 to 10,000", value=per_case(warms, 0) * 1000, unit="ms"),
        Figure(name="CPU per further case, warm, 10,000 to 100,000", value=per_case(warms, 1) * 1000, unit="ms"),
        Figure(name="… their ratio", value=per_case(warms, 1) / per_case(warms, 0), target=1.2),
    ]


FOLDED = ("-o", "promptgate_items=suite")


def ratio(ours: Cost, reference: Cost) -> float:
    """Of the wall clocks."""
    return ours.seconds / reference.seconds


def per_case(costs: dict[int, Cost], step: int) -> float:
    """Seconds of processor time per case, from one size to the next."""
    small, large = SIZES[step], SIZES[step + 1]
    return (costs[large].cpu_s - costs[small].cpu_s) / (large - small)
