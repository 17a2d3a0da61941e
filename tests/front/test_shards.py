"""``--prompt-shard I/N``: several machines ask, one judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from front_project import RIGHT, ROWS, Project, asked

from pytest_promptgate.core.shards import shard_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

CASES = [case for case, _, _ in ROWS]
MINE = {number: [case for case in CASES if shard_of(case, 3) == number] for number in (1, 2, 3)}
STORE = "responses/triage.jsonl"


def shard(project: Project, number: int, *args: str) -> None:
    """Run one of three shards, with a store of its own as on a machine of its own."""
    result = project.evals(f"--prompt-shard={number}/3", "-o", f"promptgate_dir=machine-{number}", *args)
    assert result.ret == 0, result.stdout.str()


def merge(project: Project) -> None:
    """``cat`` the stores of the three machines into the project's."""
    parts = [(project.root / f"machine-{number}" / STORE).read_text() for number in (1, 2, 3)]
    project.write(f".promptgate/{STORE}", "".join(parts))


def test_a_shard_runs_its_cases_and_deselects_the_others(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url)

    result = project.evals("--prompt-shard=2/3", "-v")

    result.assert_outcomes(passed=len(MINE[2]), deselected=10 - len(MINE[2]), skipped=1)
    assert server.count == len(MINE[2]) > 0
    for case in MINE[2]:
        result.stdout.fnmatch_lines([f"*::{case}?small-1? SCORED 1.00*"])


def test_gates_are_skipped_visibly(project: Project) -> None:
    result = project.standard().evals("--prompt-shard=1/3", "-rs")

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            f"  shard 1/3: {len(MINE[1])} of 10 cases: judged after the merge, no baseline is written",
            "SKIPPED [[]1] *: shard 1/3: judged after the merge",
        ]
    )


def test_the_merged_stores_are_judged_without_a_call_and_give_the_same_lockfile(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers={**RIGHT, "the invoice amount": "shipping"})
    project.served(server.base_url)
    project.suite(project.text("evals/triage.eval.yaml") + "samples: 2\n")
    project.accept("-o", "promptgate_dir=undisturbed")
    whole = project.text("promptgate.lock.json"), project.text("promptgate.baselines/triage.jsonl")
    (project.root / "promptgate.lock.json").unlink()
    (project.root / "promptgate.baselines/triage.jsonl").unlink()
    unsharded = server.count

    for number in (3, 1, 2):
        shard(project, number)
    merge(project)
    judged = project.accept()

    assert server.count == 2 * unsharded == 40
    assert asked(judged) == ["10 cases: 0 unchanged, 20 from the store, 0 asked"]
    assert (project.text("promptgate.lock.json"), project.text("promptgate.baselines/triage.jsonl")) == whole


def test_merged_stores_are_judged_offline(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url)
    for number in (1, 2, 3):
        shard(project, number)
    merge(project)

    result = project.evals("--prompt-offline")

    assert (result.ret, server.count) == (0, 10)
    result.stdout.fnmatch_lines(["*accuracy  -         1.000*"])


def test_a_shard_that_is_missing_is_asked_by_the_job_that_judges(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url)
    for number in (1, 2, 3):
        shard(project, number)
    (project.root / "machine-2" / STORE).write_text("")
    merge(project)

    result = project.evals()

    missing = len(MINE[2])
    assert asked(result)[0].startswith(f"10 cases: 0 unchanged, {10 - missing} from the store, {missing} asked")


def test_a_folded_suite_is_shared_out_too(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url)
    for number in (1, 2, 3):
        shard(project, number, "-o", "promptgate_items=suite")
    assert server.count == 10


def test_in_ci_a_shard_needs_no_baseline(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.standard()
    monkeypatch.setenv("CI", "true")

    assert project.evals("--prompt-shard=1/3").ret == 0


def test_a_gate_selected_alone_asks_nothing_in_a_shard(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url)

    result = project.evals("--prompt-shard=1/3", "-k", "gate")

    result.assert_outcomes(skipped=1, deselected=10)
    assert server.count == 0


def test_a_shard_never_writes_a_baseline(project: Project) -> None:
    result = project.standard().run("--update-baseline", "--prompt-shard=1/3")

    assert result.ret == 4
    assert (
        "ERROR: --prompt-shard runs a share of the cases, and --update-baseline needs all: merge the stores of all "
        "shards, then run it once without --prompt-shard"
    ) in result.stderr.lines
