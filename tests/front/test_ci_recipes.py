"""The workflows of docs/ci.md: each is checked, and its shell steps run on branches that are worse and that are not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_github import FakeGitHub
from front_project import QUEUES, QUIET_PLUGINS, Project
from git_project import commit, git, repository
from workflow_world import Machine, Step, workflows

GITHUB = ".github/workflows/"
NAMES = ("prompt-gate", "prompt-gate-comment", "prompt-gate-affected", "prompt-drift", "prompt-gate-sharded")


def test_the_page_has_all_of_them() -> None:
    assert list(workflows()) == [*(f"{GITHUB}{name}.yml" for name in NAMES), ".gitlab-ci.yml"]


@pytest.mark.parametrize("path", list(workflows()))
def test_the_schema_of_workflows_holds(path: str, tmp_path: Path) -> None:
    file = tmp_path / "workflow.yml"
    file.write_text(workflows()[path], encoding="utf-8")
    schema = "vendor.gitlab-ci" if "gitlab" in path else "vendor.github-workflows"
    program = str(Path(sys.executable).parent / "check-jsonschema")

    done = subprocess.run([program, "--builtin-schema", schema, str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_actionlint_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    file = tmp_path / "workflow.yml"
    file.write_text(workflows()[f"{GITHUB}{name}.yml"], encoding="utf-8")

    done = subprocess.run(["actionlint", "-no-color", str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.fixture
def machine(project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A clone of a project with a baseline on main, on a branch of its own."""
    project.standard().accept()
    project.write("requirements.txt", "pytest-promptgate\n")
    origin = repository(project.root)
    git(origin, "config", "receive.denyCurrentBranch", "updateInstead")
    outside = tmp_path_factory.mktemp("outside")
    clone = outside / "clone"
    git(outside, "clone", "--quiet", str(origin), str(clone))
    git(clone, "switch", "--quiet", "--create", "change")
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    return Machine(
        clone=clone,
        outside=outside,
        context={
            "github.base_ref": "main",
            "github.ref": "refs/pull/7/merge",
            "github.run_id": "1",
            "github.run_attempt": "1",
            "github.token": "ghs_of_the_tests",
        },
        environment={"PYTEST_ADDOPTS": " ".join((*QUIET_PLUGINS, "-p no:cacheprovider"))},
    )


def propose(machine: Machine, *, worse: bool) -> None:
    """Commit a new version of the prompt: one without the examples for accounts, or one with an example more."""
    text = (machine.clone / "prompts/triage/v1.prompty").read_text(encoding="utf-8")
    examples = {asked: queue for asked, queue in QUEUES.items() if queue == "account"}
    for asked, queue in examples.items() if worse else ():
        text = text.replace(f"\nuser:\n{asked}\n\nassistant:\n{queue}\n", "")
    if not worse:
        text = text.replace("Route the message", "Route this message")
    (machine.clone / "prompts/triage/v2.prompty").write_text(text, encoding="utf-8")
    if not worse:
        gate = [sys.executable, "-m", "pytest", "-q", *QUIET_PLUGINS, "evals", "--update-baseline"]
        subprocess.run(gate, cwd=machine.clone, check=True, capture_output=True)
    commit(machine.clone, "another version")


def codes(steps: list[Step]) -> list[int]:
    """The exit codes, in order."""
    return [step.code for step in steps]


def test_the_required_check_is_red_for_a_worse_prompt_and_green_for_an_equal_one(machine: Machine) -> None:
    propose(machine, worse=False)
    green = machine.run_job(f"{GITHUB}prompt-gate.yml", "prompt-gate")
    (machine.clone / "prompts/triage/v2.prompty").unlink()
    git(machine.clone, "reset", "--quiet", "--hard", "origin/main")
    propose(machine, worse=True)
    red = machine.run_job(f"{GITHUB}prompt-gate.yml", "prompt-gate")

    assert codes(green) == [0, 0], green[-1].said
    assert codes(red) == [0, 1]
    assert "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)" in red[-1].said
    assert (machine.outside / "cache/.promptgate/responses/triage.jsonl").is_file()
    kept = {path.name for path in (machine.outside / "artifacts/prompt-gate").iterdir()}
    assert kept == {"prompt-gate.xml", "prompt-gate.json"}


def test_a_push_to_main_is_held_against_its_own_baselines(machine: Machine) -> None:
    git(machine.clone, "switch", "--quiet", "main")

    steps = machine.run_job(f"{GITHUB}prompt-gate.yml", "prompt-gate", github_base_ref="")

    assert codes(steps) == [0, 0], steps[-1].said
    assert "against origin/main" not in steps[-1].said


@pytest.fixture
def github(machine: Machine) -> Iterator[FakeGitHub]:
    """Where the machine's comments go."""
    with FakeGitHub(login=None) as fake:
        event = machine.outside / "event.json"
        event.write_text('{"pull_request": {"number": 7}}', encoding="utf-8")
        machine.environment = {
            **machine.environment,
            "GITHUB_API_URL": fake.url,
            "GITHUB_REPOSITORY": "acme/desk",
            "GITHUB_EVENT_PATH": str(event),
            "no_proxy": "127.0.0.1",
        }
        yield fake


def test_the_comment_is_written_once_and_then_updated(machine: Machine, github: FakeGitHub) -> None:
    propose(machine, worse=True)
    red = machine.run_job(f"{GITHUB}prompt-gate-comment.yml", "prompt-gate")
    first = github.bodies
    git(machine.clone, "reset", "--quiet", "--hard", "origin/main")
    green = machine.run_job(f"{GITHUB}prompt-gate-comment.yml", "prompt-gate")

    assert codes(red) == [0, 1, 0], red[-1].said
    assert codes(green) == [0, 0, 0], green[-1].said
    assert len(first) == len(github.bodies) == 1
    assert first != github.bodies
    assert "accuracy" in first[0]


def test_only_what_a_change_touches_runs(machine: Machine) -> None:
    (machine.clone / "README.md").write_text("# Desk\n", encoding="utf-8")
    commit(machine.clone, "words")
    untouched = machine.run_job(f"{GITHUB}prompt-gate-affected.yml", "prompt-gate")
    propose(machine, worse=True)
    touched = machine.run_job(f"{GITHUB}prompt-gate-affected.yml", "prompt-gate")

    assert codes(untouched) == [0, 0], untouched[-1].said
    assert "prompt evals: 0 of 1 suite run: nothing that they may read has changed since origin/main" in (
        untouched[-1].said
    )
    assert codes(touched) == [0, 1]
    assert "prompt evals: 1 of 1 suite run: triage changed since origin/main" in touched[-1].said


def test_the_nightly_run_adds_to_the_history_on_main(machine: Machine, project: Project) -> None:
    git(machine.clone, "switch", "--quiet", "main")

    steps = machine.run_job(f"{GITHUB}prompt-drift.yml", "drift", github_ref="refs/heads/main")

    assert codes(steps) == [0, 0, 0], steps[-1].said
    assert '"series":"drift"' in project.text("promptgate.history.jsonl")
    assert (
        git(project.root, "log", "-1", "--format=%s|%an") == "History of prompts: the nightly run|github-actions[bot]\n"
    )


def test_shards_ask_and_the_last_job_judges(machine: Machine) -> None:
    propose(machine, worse=True)
    for number in ("1", "2", "3", "4"):
        steps = machine.run_job(f"{GITHUB}prompt-gate-sharded.yml", "shard", matrix_shard=number)
        assert codes(steps) == [0, 0], steps[-1].said
        shutil.rmtree(machine.clone / ".promptgate", ignore_errors=True)

    judged = machine.run_job(f"{GITHUB}prompt-gate-sharded.yml", "prompt-gate")

    assert codes(judged) == [0, 0, 1], judged[1].said
    assert "10 from the store, 0 asked" in judged[-1].said


def test_the_pipeline_of_gitlab_is_red_for_a_worse_prompt_and_green_for_an_equal_one(machine: Machine) -> None:
    machine.environment = {**machine.environment, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    green = machine.run_script("prompt gate")
    propose(machine, worse=True)
    red = machine.run_script("prompt gate")
    nightly = machine.run_script("prompt drift")

    assert codes([*green, *red, *nightly]) == [0, 1, 1], green[0].said
    assert (machine.clone / "prompt-gate.xml").is_file()
    assert (machine.clone / "promptgate.history.jsonl").is_file()
