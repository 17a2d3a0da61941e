"""Small losses that passed one by one: what the gate says when they have added up, merge by merge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from front_project import Project, section
from git_project import commit, repository
from varying_world import PLAIN, World, begun

if TYPE_CHECKING:
    import pytest
    from loopback.server import LoopbackServer

SUITE = f"{PLAIN}gate: {{rule: {{significant: {{max_drop: 0.9}}}}}}\nsamples: 5\n"
# How many of five answers to m0 … m5, and to m20 … m25, are wrong: a little more per version, none of it certain.
WRONG = {
    "v1": (2, 2, 2, 2, 2, 2),
    "v2": (3, 3, 3, 2, 2, 2),
    "v3": (3, 3, 3, 3, 3, 3),
    "v4": (4, 4, 4, 3, 3, 3),
    "v5": (4, 4, 4, 4, 4, 4),
}


def decaying(version: str, case: int, before: int) -> bool:
    return case % 20 > 5 or before % 5 >= WRONG[version][case % 20]


def merged(world: World, version: str, *args: str) -> None:
    """One change that passes, and its merge."""
    world.version(version)
    world.project.accept("-q", *args)
    commit(world.project.root, f"Shorter (#{version[1:]})", date="2025-02-01T12:00:00Z")


def failed(world: World, version: str) -> list[str]:
    """One change that does not, and what the gate says."""
    world.version(version)
    result: pytest.RunResult = world.evals()
    assert result.ret == 1
    return section(result, "FAILURES").splitlines()


def test_losses_that_passed_one_by_one_are_told_by_merge(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    world = begun(project, loopback, SUITE, script=decaying)
    repository(project.root)
    for version in ("v2", "v3", "v4"):
        merged(world, version)

    told = failed(world, "v5")

    assert "accuracy: this change -0.030 (within noise), but since the anchor echo@v1: -0.120; p=.0026" in told
    assert "since 2025-01-10 over 3 merges: #2 -0.030, #3 -0.030, #4 -0.030" in told


def test_rows_that_were_replaced_on_the_way_are_nobodys_loss(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    world = begun(project, loopback, SUITE, script=decaying)
    repository(project.root)
    harder = [*range(14), *range(20, 26)]  # six rows of twenty are replaced by ones that fail more often
    project.dataset([(f"c-{number:02}", f"m{number}", f"m{number}") for number in harder])
    merged(world, "v2", "--accept-dataset-change", "the new season")
    merged(world, "v3")

    told = failed(world, "v4")

    since = "since the anchor echo@v2, with what was lost before it: -0.163"
    assert f"accuracy: this change -0.060 (within noise), but {since}" in told
    assert "since 2025-01-10 over 2 merges: #2 -0.043, #3 -0.060" in told
