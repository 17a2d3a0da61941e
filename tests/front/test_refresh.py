"""``--prompt-refresh``: asked anew, and kept apart until all new answers are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from front_project import RIGHT, SUITE, Project, asked, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer


def test_a_refresh_asks_for_everything_although_the_lockfile_and_the_store_answer(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url).accept()
    assert asked(project.evals()) == ["10 cases: 10 unchanged, 0 asked"]

    result = project.evals("--prompt-refresh")

    assert server.count == 20
    assert asked(result)[0].startswith("10 cases: 0 unchanged, 10 asked")
    assert lines_of(result, "triage: all") == ["triage: all 10 answers were asked anew; from now on these count"]
    assert result.ret == 0


def test_a_model_that_has_drifted_fails_the_nightly_run_and_stays_in_the_store(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url)
    project.suite(f"{SUITE}gate: {{rule: strict}}\n")
    project.accept()
    server.answers = {**RIGHT, "the invoice amount": "shipping"}

    drifted = project.evals("--prompt-refresh")
    (project.root / "promptgate.lock.json").unlink()
    later = project.evals()

    assert drifted.ret == 1
    drifted.stdout.fnmatch_lines(["accuracy fell from 1.000 to 0.900*"])
    assert asked(later) == ["10 cases: 0 unchanged, 10 from the store, 0 asked"]
    later.stdout.fnmatch_lines(["*accuracy  -         0.900*"])
    assert server.count == 20


def test_an_unfinished_refresh_is_told_and_resumed(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url)
    project.evals()

    part = project.evals("--prompt-refresh", "-k", "c-01 or c-02")
    plain = project.evals()
    rest = project.evals("--prompt-refresh")

    assert lines_of(part, "triage: 2 of 10") == [
        (
            "triage: 2 of 10 answers were asked anew; the earlier ones count until "
            "`pytest --prompt-refresh evals/triage.eval.yaml` has asked for the rest"
        )
    ]
    assert asked(plain) == ["10 cases: 0 unchanged, 10 from the store, 0 asked"]
    assert asked(rest)[0].startswith("10 cases: 0 unchanged, 2 from the store, 8 asked")
    assert server.count == 20


def test_a_refresh_may_write_the_baseline(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback(answers={**RIGHT, "the invoice amount": "shipping"})
    project.served(server.base_url).accept()
    server.answers = RIGHT

    project.accept("--prompt-refresh")

    assert server.count == 20
    result = project.evals()
    assert asked(result) == ["10 cases: 10 unchanged, 0 asked"]
    result.stdout.fnmatch_lines(["*accuracy  1.000     1.000*"])


def test_a_refresh_offline_is_a_contradiction(project: Project) -> None:
    result = project.standard().evals("--prompt-refresh", "--prompt-offline")

    assert result.ret == 4
    assert "ERROR: --prompt-refresh asks anew, and --prompt-offline asks nothing: drop one of the two" in (
        result.stderr.lines
    )
