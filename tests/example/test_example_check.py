"""The required check of the example: its own command line, run in a clone as Actions makes it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from git_project import commit, git, repository

EXAMPLE = Path(__file__).parents[2] / "example_project"
WORKFLOW = yaml.safe_load((EXAMPLE / ".github/workflows/prompt-gate.yml").read_text(encoding="utf-8"))
STEPS = WORKFLOW["jobs"]["prompt-gate"]["steps"]
CHECK = next(step for step in STEPS if "pytest" in step.get("run", ""))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the example whose branch has a worse prompt and claims that this is the baseline."""
    main, clone = tmp_path / "main", tmp_path / "clone"
    ignored = shutil.ignore_patterns(".promptgate", "__pycache__", ".pytest_cache")
    shutil.copytree(EXAMPLE, main, ignore=ignored)
    repository(main)
    git(tmp_path, "clone", "--quiet", str(main), str(clone))
    git(clone, "switch", "--quiet", "--create", "change")
    shutil.copy(clone / "walk/v4-worse.prompty", clone / "prompts/support-triage/v4.prompty")
    (clone / "promptgate.lock.json").unlink()
    assert run(clone, "pytest -q --update-baseline").returncode == 0
    return commit(clone, "Shorter")


def run(directory: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as Actions does: bash, and CI is set."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command],
        cwd=directory,
        env={**os.environ, "CI": "true", "PATH": path, "PYTEST_ADDOPTS": "-p no:cacheprovider", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_pull_request_is_held_against_its_target(clone: Path) -> None:
    assert CHECK["env"] == {"TARGET": "${{ github.base_ref }}"}
    assert STEPS[0]["with"]["fetch-depth"] == 0

    done = run(clone, CHECK["run"], TARGET="main")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "accuracy fell from 0.864 to 0.818 (n=66, change -0.045, tolerance 0.02)" in done.stdout
    assert "promptgate.lock.json against origin/main:" in done.stdout


def test_a_push_is_held_against_its_own_baselines(clone: Path) -> None:
    done = run(clone, CHECK["run"], TARGET="")

    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "against origin/main" not in done.stdout
