"""``promptgate migrate OLD NEW``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cli_world import CliProject, Said
from front_project import RIGHT, SUITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

OLD, NEW, WORSE = "gpt-4o-2024-11-20", "gpt-4.1-2025-04-14", "gpt-4o-mini-2024-07-18"
LARGE = f'{SUITE}# two models\nmodel: {{a: "openai/{OLD}",  # quoted\n        b: {{id: gpt-4o-2024-08-06}}}}\n'
PRICES = f"prices: {{openai/{OLD}: {{input: 2, output: 8}}, openai/{NEW}: {{input: 1, output: 4}}}}\n"


def answer(body: dict[str, Any]) -> str:
    return "?" if body["model"] == WORSE else RIGHT[body["messages"][-1]["content"]]


@pytest.fixture
def migrating(project: CliProject, remote: Callable[..., LoopbackServer]) -> tuple[CliProject, LoopbackServer]:
    """A suite on its prompt's pin and one on pins of its own, both with baselines."""
    server = remote(answers=answer)
    project.suite(LARGE, "large")
    project.write("promptgate.yaml", PRICES)
    project.accept()
    return project, server


def files(project: CliProject) -> dict[str, str]:
    """Everything that a user writes."""
    found = [*(project.root / "prompts").rglob("*"), *(project.root / "evals").rglob("*")]
    return {each.name: each.read_text(encoding="utf-8") for each in found if each.is_file()}


def test_suites_that_pass_move_with_their_files(migrating: tuple[CliProject, LoopbackServer]) -> None:
    project, server = migrating
    before, asked = files(project), server.count

    said = project.cli("migrate", OLD, NEW)

    assert said.code == 0, said
    assert said.out.endswith(
        f"wrote evals/large.eval.yaml: suite large on openai/{NEW}\n"
        f"wrote prompts/triage/v2.prompty: triage@v2 on openai/{NEW}\n"
        "wrote 2 files\n"
        "Next, which asks nothing again: pytest --update-baseline evals/large.eval.yaml evals/triage.eval.yaml\n"
    )
    assert "    cost per case              $0.0000" in said.out
    assert files(project) == {
        **before,
        "large.eval.yaml": before["large.eval.yaml"].replace(OLD, NEW),
        "v2.prompty": before["v1.prompty"].replace(OLD, NEW),
    }
    assert server.count == asked + 20

    project.accept("evals")
    assert server.count == asked + 20


def test_one_that_fails_leaves_every_file_as_it_was(migrating: tuple[CliProject, LoopbackServer]) -> None:
    project, _ = migrating
    before = files(project)

    said = project.cli("migrate", OLD, WORSE)

    assert said.code == 1
    lines = said.err.splitlines()
    assert (lines[0], lines[-1]) == ("not migrated:", "  No file was changed; the answers are stored.")
    assert [line.split(" fell")[0] for line in lines[1:-1]] == ["  large[a]: accuracy", "  triage: accuracy"]
    assert files(project) == before


def test_a_dry_run_asks_and_writes_nothing(migrating: tuple[CliProject, LoopbackServer]) -> None:
    project, server = migrating
    before, asked = files(project), server.count

    said = project.cli("migrate", OLD, f"openai/{NEW}", "--dry-run")

    assert said.out.splitlines()[-5:] == [
        "20 calls, about 902 tokens, less than $0.01",
        "large, triage: tokens from stored answers",
        f"would write evals/large.eval.yaml: suite large on openai/{NEW}",
        f"would write prompts/triage/v2.prompty: triage@v2 on openai/{NEW}",
        "would write 2 files",
    ]
    assert (files(project), server.count) == (before, asked)


def test_a_budget_that_does_not_suffice_stops_before_any_call(migrating: tuple[CliProject, LoopbackServer]) -> None:
    project, server = migrating
    before, asked = files(project), server.count

    said = project.cli("migrate", OLD, NEW, "--max-cost", "0.0000001")

    assert said.code == 1
    assert "not migrated:" in said.err
    assert (files(project), server.count) == (before, asked)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "gpt-4o-2024-11-02",
            NEW,
            "no suite runs on openai/gpt-4o-2024-11-02\n"
            f"  Did you mean 'openai/{OLD}'? Models of suites: openai/gpt-4o-2024-08-06, openai/{OLD}.\n",
        ),
        (
            OLD,
            "gpt-4.1",
            f"openai/gpt-4.1 is a floating alias\n  Write openai/{NEW}, the snapshot that it was last seen to name.\n",
        ),
        (OLD, f"openai/{OLD}", f"OLD and NEW are both openai/{OLD}\n"),
    ],
)
def test_models_that_cannot_be_meant_are_usage_errors(
    migrating: tuple[CliProject, LoopbackServer], old: str, new: str, expected: str
) -> None:
    assert migrating[0].cli("migrate", old, new) == Said(out="", err=expected, code=4)


def test_without_a_baseline_there_is_nothing_to_hold_it_against(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    server = remote()

    assert project.cli("migrate", OLD, NEW) == Said(
        out="",
        err=f"openai/{NEW} cannot be held against {OLD}: there is no baseline\n"
        "  Run: pytest --update-baseline evals/triage.eval.yaml\n",
        code=1,
    )
    assert server.count == 0


def test_a_suite_that_holds_on_to_an_older_version_names_the_model_itself(
    migrating: tuple[CliProject, LoopbackServer],
) -> None:
    project, _ = migrating
    project.suite(SUITE.replace("prompt: triage", "prompt: triage@v1   # why"))
    project.prompt("v2")

    assert project.cli("migrate", OLD, NEW).code == 0

    assert project.text("evals/triage.eval.yaml").startswith(f"prompt: triage@v1   # why\nmodel: openai/{NEW}\n")
    assert sorted(each.name for each in (project.root / "prompts/triage").iterdir()) == ["v1.prompty", "v2.prompty"]
