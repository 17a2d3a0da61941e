"""``--prompt-report run.json``: what a run leaves behind, however it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from front_project import SUITE, Project
from run_documents import run_validator

from pytest_promptgate.core.run_document import Mark, RunDocument, Status
from pytest_promptgate.core.types import Outcome
from pytest_promptgate.files.run_file import read_run

if TYPE_CHECKING:
    from collections.abc import Sequence


def document(project: Project, name: str = "run.json") -> RunDocument:
    """The document that was written, which its schema describes."""
    run_validator().validate(json.loads(project.text(name)))
    return read_run(project.root / name)


def marked(found: RunDocument, mark: Mark) -> Sequence[str]:
    return [case.id for case in found.suites[0].cases if mark in case.marks]


def test_a_red_run_is_there_with_everything_that_makes_it_red(project: Project) -> None:
    project.standard()
    project.accept()
    project.worse()

    result = project.evals("--prompt-report", "run.json")
    found = document(project)
    suite, verdict = found.red[0]

    assert result.ret == found.exit_code == 1
    assert "wrote run.json" in result.stdout.lines
    assert (found.status, found.failures) == (Status.COMPLETE, 1)
    assert (verdict.metric, verdict.outcome, verdict.compared) == ("accuracy", Outcome.REGRESSED, 10)
    assert verdict.change_interval is not None
    assert verdict.change_interval[0] < -0.3 < verdict.change_interval[1]
    assert [move.case for move in verdict.worse] == marked(found, Mark.WORSE) == ["c-05", "c-06", "c-09"]
    assert suite.title == "triage: triage@v2 on embedded/nearest-example-1"
    assert suite.production is not None
    assert suite.production.prompt.label == "triage@v1"
    assert len(suite.production.prompt.messages) == len(suite.prompt.messages) + 4
    lost = next(case for case in suite.cases if case.id == "c-05")
    assert [each.answer and each.answer.text for each in (*lost.before, *lost.now)] == ["account", "billing"]
    assert suite.metrics[0].sight is not None
    assert suite.metrics[0].sight.sees_any_drop


def test_a_case_that_was_not_asked_anew_has_the_baselines_answer(project: Project) -> None:
    project.standard()
    project.accept()

    project.evals("--prompt-report", "run.json")
    case = document(project).suites[0].cases[0]

    assert case.marks == (Mark.UNCHANGED,)
    assert case.now[0].answer == case.before[0].answer
    assert case.now[0].answer is not None


def test_a_suite_that_may_not_run_says_why(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    project.standard()

    project.evals("--prompt-report", "run.json")
    found = document(project)

    assert found.mode.ci
    assert not found.suites[0].judged
    assert found.suites[0].not_judged.startswith("evals/triage.eval.yaml: no baseline for 'triage'")


def test_a_run_that_could_not_be_collected_leaves_a_document(project: Project) -> None:
    project.standard()
    project.suite(SUITE.replace("exact_match", "exact_mach"))

    result = project.evals("--prompt-report", "run.json")
    found = document(project)

    assert (found.status, found.suites) == (Status.BROKE, ())
    assert result.ret == found.exit_code == 2
    assert found.reasons[0].startswith("evals/triage.eval.yaml:3:11: unknown scorer 'exact_mach'\n  Did you mean")


def test_ctrl_c_while_collecting_is_an_interruption(project: Project) -> None:
    project.standard()
    project.write("conftest.py", "def pytest_collection_modifyitems():\n    raise KeyboardInterrupt\n")

    project.run_apart("--prompt-evals", "--prompt-report", "run.json")
    found = document(project)

    assert (found.status, found.reasons) == (Status.INTERRUPTED, ("Ctrl-C before anything was asked",))


def test_a_test_that_cannot_be_collected_breaks_the_run(project: Project) -> None:
    project.standard()
    project.write("test_it.py", "import nowhere\n")

    project.evals("--prompt-report", "run.json")

    assert document(project).status is Status.BROKE


def test_a_run_that_stops_at_the_first_failure_is_not_complete(project: Project) -> None:
    project.standard()
    project.suite(SUITE + "must_pass: [c-01]\n")
    project.prompt("v1", {"where is my parcel": "shipping"})

    project.evals("-x", "--prompt-report", "run.json")
    found = document(project)

    assert (found.status, found.reasons) == (Status.INTERRUPTED, ("stopping after 1 failures",))
    assert found.suites[0].not_judged == "the run ended before all its answers were in"
    assert marked(found, Mark.FAILED) == ["c-01"]


def test_no_secret_of_the_command_line_is_in_it(project: Project) -> None:
    project.standard()
    project.write(
        "conftest.py",
        "def pytest_addoption(parser):\n    parser.addoption('--api-token')\n    parser.addoption('--url')\n",
    )

    project.evals("--prompt-report", "run.json", "--api-token", "hunter2", "--url=https://me:pw@host/x")

    found = document(project).arguments
    assert "hunter2" not in str(found)
    assert found[found.index("--api-token") + 1 :][:2] == ("[secret]", "--url=https://[secret]@host/x")


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("missing/run.json", "there is no such directory"),
        ("there.json", "it is a directory"),
        ("/dev/full/run.json", "there is no such directory"),
    ],
)
def test_what_cannot_be_written_is_told_and_changes_no_exit_code(project: Project, target: str, why: str) -> None:
    project.standard()
    (project.root / "there.json").mkdir()

    result = project.evals("--prompt-report", target)

    assert result.ret == 0
    assert f"{target}: the report was not written: {why}" in result.stdout.lines


def test_a_report_of_an_unknown_kind_is_refused_before_anything_is_asked(project: Project) -> None:
    project.standard()

    result = project.evals("--prompt-report", "run.pdf")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: --prompt-report 'run.pdf': a report ends in .json or .md or .html" in result.stderr.lines


def test_a_full_disk_and_a_directory_that_may_not_be_written_are_told(project: Project) -> None:
    project.standard()
    locked = project.root / "locked"
    locked.mkdir()
    (project.root / "full.md").symlink_to("/dev/full/x")
    (locked / "run.json").symlink_to("/proc/version")

    result = project.evals("--prompt-report", "full.md", "--prompt-report", "locked/run.json")

    assert result.ret == 0
    told = [line for line in result.stdout.lines if "the report was not written" in line]
    assert [line.partition(":")[0] for line in told] == ["full.md", "locked/run.json"]


def test_github_gets_the_markdown_on_the_page_of_the_job(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.root / "summary.md"))
    project.standard()
    project.write("summary.md", "# Of another step\n")

    project.evals()

    assert project.text("summary.md").startswith("# Of another step\n## 🆕 NEW: 1 metric on 10 cases")


def test_a_page_that_cannot_be_written_changes_no_exit_code(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    project.standard()

    result = project.evals()

    assert result.ret == 0
    assert "GITHUB_STEP_SUMMARY: the report was not written: No space left on device" in result.stdout.lines
