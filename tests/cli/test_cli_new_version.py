"""``promptgate new-version``: what an edit in place costs, and the way out of it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from front_project import QUEUES
from git_project import repository

if TYPE_CHECKING:
    from cli_world import CliProject

SUITE_FILE = "evals/triage.eval.yaml"
V1, V2 = "prompts/triage/v1.prompty", "prompts/triage/v2.prompty"


def edited(project: CliProject) -> tuple[str, str]:
    """The text that a baseline was written from, and the one that stands in its place now."""
    project.standard().accept()
    old = project.text(V1)
    project.prompt("v1", dict(list(QUEUES.items())[:4]))
    return old, project.text(V1)


def test_an_edit_becomes_the_next_version_and_the_gate_judges_it(project: CliProject) -> None:
    old, new = edited(project)

    planned = project.cli("new-version", "triage", "--dry-run")
    assert project.text(V1) == new
    done = project.cli("new-version", "triage")

    assert planned.out == (
        f"would write {V2}: triage@v2, made from v1\n"
        f"would write {V1}: triage@v1, with the texts that the baseline keeps, and the front matter of the file\n"
    )
    assert done.out == (
        f"wrote {V2}: triage@v2, made from v1\n"
        f"wrote {V1}: triage@v1, with the texts that the baseline keeps, and the front matter of the file\n"
        "next: pytest --prompt-evals\n"
    )
    assert (done.code, project.text(V1), project.text(V2)) == (0, old, new)
    assert "triage@v2" in project.evals().stdout.str()


def test_in_a_repository_the_committed_bytes_come_back(project: CliProject) -> None:
    project.standard().accept()
    old = project.text(V1)
    repository(project.root)
    project.prompt("v1", dict(list(QUEUES.items())[:4]), model='"embedded/nearest-example-1"')

    done = subprocess.run(
        [sys.executable, "-c", "from pytest_promptgate.cli.main import main; main()", "new-version", "triage"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr, project.text(V1)) == (0, "", old)
    assert f"wrote {V1}: triage@v1, as commit " in done.stdout


def test_a_suite_that_names_another_version_is_told(project: CliProject) -> None:
    project.standard()
    project.suite(project.text(SUITE_FILE).replace("prompt: triage", "prompt: triage@v1"))

    assert project.cli("new-version", "triage").out == (
        f"wrote {V2}: triage@v2, made from v1\n"
        "evals/triage.eval.yaml:1:1: this suite runs triage@v1; to run the new text: triage@v2\n"
        "next: pytest --prompt-evals\n"
    )


def test_a_version_that_is_gone_stops_the_run_and_is_brought_back(project: CliProject) -> None:
    project.standard().accept()
    old = project.text(V1)
    repository(project.root)
    (project.root / V1).rename(project.root / V2)

    refused = project.evals().stdout.str()
    done = project.cli("new-version", "triage", "--restore")

    assert "prompts/triage: triage@v1 is gone, and the baseline of triage was written from it" in refused
    assert "prompts/triage/v2.prompty has its content: was it renamed?" in refused
    assert done.out.startswith(f"wrote {V1}: triage@v1, as commit ")
    assert project.text(V1) == old
    assert project.cli("new-version", "triage", "--restore").out == (
        "nothing to do: every version that a baseline names is as it was\n"
    )


def test_an_edited_partial_stops_every_suite_before_any_call(project: CliProject) -> None:
    project.standard()
    shared = '{% include "shared/safety.txt" %}'
    project.write("prompts/shared/safety.txt", "Be safe.\n")
    project.write(V1, project.text(V1).replace("Route the", f"{shared}\nRoute the"))
    project.accept()
    project.write("prompts/shared/safety.txt", "Be safer.\n")

    refused = project.evals()
    done = project.cli("new-version", "triage")

    assert refused.ret == 2
    assert (
        "prompts/shared/safety.txt: this partial was edited, and that changes what baselines were written from: "
        "triage@v1" in refused.stdout.str()
    )
    assert "-Be safe." in refused.stdout.str()
    assert done.code == 0
    assert "Be safe.\nRoute" in project.text(V1)
    assert shared in project.text(V2)
    assert project.evals().ret == 0


def test_a_wrong_name_and_contradicting_options_are_told(project: CliProject) -> None:
    project.standard()
    said = [project.cli("new-version", *args) for args in (["triag"], ["triage", "other", "--from", "v1"])]

    assert [(each.err, each.code) for each in said] == [
        ("there is no prompt 'triag'\n  Did you mean 'triage'? Prompts: triage.\n", 4),
        ("--from goes with one name, and not with --restore\n", 4),
    ]
