"""Under GitHub Actions: annotations at suite and prompt, and nothing that a model says is obeyed."""

from __future__ import annotations

import pytest
from front_project import QUEUES, SUITE, Project

COMMANDS = "::error::x\\n  ::add-mask::a\\n##[error]y\\n::set-output name=a::b\\r::stop-commands::t"


@pytest.fixture
def actions(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in a job of GitHub Actions, whose repository begins one directory above it."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.root.parent))
    return project


def commands(result: pytest.RunResult) -> list[str]:
    """The lines that the runner would take for commands to itself."""
    lines = result.stdout.str().replace("\r", "\n").split("\n")
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def test_a_red_gate_is_shown_at_its_metric_and_at_its_prompt(actions: Project) -> None:
    actions.standard().accept()
    actions.worse()
    here = actions.root.name
    fell = "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"

    assert commands(actions.evals()) == [
        f"::error file={here}/evals/triage.eval.yaml,line=4,title=triage%3A accuracy::{fell}",
        f"::error file={here}/prompts/triage/v2.prompty,line=1,title=1 gate red::triage: {fell}",
    ]


def test_a_green_run_has_no_annotations(actions: Project) -> None:
    actions.standard().accept()

    assert commands(actions.evals()) == []


def test_elsewhere_there_are_no_annotations(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    project.standard().accept()
    project.worse()

    assert commands(project.evals()) == []


def test_a_missing_baseline_is_shown_at_the_suite(actions: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    assert commands(actions.standard().evals()) == [
        f"::error file={actions.root.name}/evals/triage.eval.yaml,line=1,title=no baseline::evals/triage.eval.yaml: "
        "no baseline for 'triage' (nearest-example-1), and CI is set: nothing was asked%0A"
        "Run `pytest evals/triage.eval.yaml --update-baseline` locally and commit the lockfile."
    ]


def test_what_a_model_says_is_no_command(actions: Project) -> None:
    actions.scripted(f"Completion(text='{COMMANDS}')")
    actions.suite(f"{SUITE}must_pass: [c-01]\n")

    result = actions.evals("-rA", "-vv")

    assert commands(result) == []
    assert "\\x3a:error::x" in result.stdout.str()


def test_what_a_provider_says_is_no_command(actions: Project) -> None:
    actions.scripted(f"fail(RequestRefused('{COMMANDS}', '{COMMANDS}', hint='{COMMANDS}'))")

    result = actions.evals("-rA", "-vv")

    assert "add-mask" in result.stdout.str()
    assert [line for line in commands(result) if not line.startswith("::error file=")] == []


def test_the_diff_of_a_prompt_is_no_command(actions: Project) -> None:
    actions.prompt("v1", {**QUEUES, "::error::here": "account\n\n::add-mask::x"})
    actions.dataset()
    actions.suite()
    actions.accept()
    actions.prompt("v2", {"::error::here": "account\n\n::add-mask::x"})

    result = actions.evals("-v")

    assert result.ret == 1
    assert all(line.startswith("::error file=") for line in commands(result))
