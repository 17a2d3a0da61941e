"""Cold runs: nothing is stored, every case is asked once. Against the bare script in the same minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bare import AIOHTTP, DEFAULT, bare
from .processes import Cost, Failed
from .project import Project, make_project
from .serve import Served
from .table import Figure, median_ratio, middle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BASE_CASES, MORE_CASES = 1_000, 4_000  # their difference is free of what a process costs to start


def cold(root: Path, pairs: int) -> list[Figure]:
    """1,000 cases on 50 connections, with 200 ms and with 20 ms latency."""
    return [
        *_cold_slow(root / "slow", pairs),
        *_cold_fast(root / "fast", pairs),
    ]


def cold_many(root: Path, pairs: int) -> list[Figure]:
    """10,000 cases on 200 connections with 20 ms latency: the processor is what limits both."""
    with Served(latency=0.02) as server:
        project = make_project(root, cases=10_000, base_url=server.base_url)
        ours, same, default = _in_turn(project, server.base_url, connections=200, pairs=pairs)
    name = "cold 10,000 × 20 ms × 200"
    return [
        Figure(name=f"{name}: / bare script, aiohttp", value=median_ratio(ours, same), target=1.0),
        Figure(name=f"{name}: / bare script, default transport", value=median_ratio(ours, default), target=0.6),
        Figure(name=f"{name}: seconds", value=middle(ours), unit="s"),
    ]


def _cold_slow(root: Path, pairs: int) -> list[Figure]:
    with Served(latency=0.2) as server:
        project = make_project(root, cases=1_000, base_url=server.base_url)
        ours, same, default = _in_turn(project, server.base_url, connections=50, pairs=pairs)
    name = "cold 1,000 × 200 ms × 50"
    return [
        Figure(name=f"{name}: / bare script, aiohttp", value=median_ratio(ours, same), target=1.10),
        Figure(name=f"{name}: / bare script, default transport", value=median_ratio(ours, default), target=1.25),
        Figure(name=f"{name}: / the ideal 4.0 s", value=middle(ours) / 4.0, target=1.45),
        Figure(name=f"{name}: bare script, aiohttp / the ideal 4.0 s", value=middle(same) / 4.0),
    ]


def _cold_fast(root: Path, pairs: int) -> list[Figure]:
    with Served(latency=0.02) as server:
        project = make_project(root, cases=1_000, base_url=server.base_url)
        ours, same, _ = _in_turn(project, server.base_url, connections=50, pairs=pairs)
    name = "cold 1,000 × 20 ms × 50"
    return [
        Figure(name=f"{name}: / bare script, aiohttp", value=median_ratio(ours, same), target=1.35),
        Figure(name=f"{name}: seconds", value=middle(ours), unit="s"),
    ]


def _in_turn(
    project: Project, base_url: str, *, connections: int, pairs: int
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of ours, of the bare script on aiohttp, and of the bare script on the default transport."""
    ours: list[float] = []
    bares: dict[str, list[float]] = {AIOHTTP: [], DEFAULT: []}
    for _ in range(pairs):
        ours.append(ask_cold(project, connections=connections).seconds)
        for transport, seconds in bares.items():
            reference = bare(project.root, base_url, cases=project.cases, connections=connections, transport=transport)
            seconds.append(reference.seconds)
    return ours, bares[AIOHTTP], bares[DEFAULT]


def ask_cold(project: Project, *arguments: str, connections: int) -> Cost:
    """One run without a store; every case must have been answered once."""
    project.forget()
    cost = project.evals(*arguments, connections=connections)
    if project.stored != project.cases:
        raise Failed(f"{project.stored} of {project.cases} answers are stored:\n{cost.output}")
    return cost


def cpu(root: Path, pairs: int) -> list[Figure]:
    """Processor time per case: the slope from 1,000 to 4,000 cases, without latency."""
    with Served() as server:
        projects = [make_project(root / str(n), cases=n, base_url=server.base_url) for n in (BASE_CASES, MORE_CASES)]
        ours = _slopes([[ask_cold(each, connections=50).cpu_s for each in projects] for _ in range(pairs)])
        create, post = (
            _slopes(
                [
                    [
                        bare(each.root, server.base_url, cases=each.cases, connections=50, call=call).cpu_s
                        for each in projects
                    ]
                    for _ in range(pairs)
                ]
            )
            for call in ("create", "post")
        )
    return [
        Figure(name="CPU per case: ours", value=ours, unit="ms"),
        Figure(name="CPU per case: bare script, aiohttp", value=create, unit="ms"),
        Figure(name="CPU per case beyond the client's own post, aiohttp", value=ours - post, unit="ms", target=0.7),
    ]


def _slopes(pairs: Sequence[Sequence[float]]) -> float:
    """Milliseconds per case."""
    return middle([(more - base) / (MORE_CASES - BASE_CASES) * 1000 for base, more in pairs])
