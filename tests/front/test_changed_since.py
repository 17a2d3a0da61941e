"""``--prompt-changed-since REF``: what nothing has touched is left out, visibly; in doubt a suite runs."""

from __future__ import annotations

import json

import pytest
from calibration_values import CALIBRATION
from front_project import ROWS, SUITE, Project, lines_of
from git_project import commit, git, repository

from pytest_promptgate.files.lockfile import save_calibration

SINCE = "--prompt-changed-since=main"
OTHER = SUITE.replace("mails.jsonl", "others.jsonl").replace("triage", "other")


@pytest.fixture
def branch(project: Project) -> Project:
    """Two suites with baselines on main, and a branch of it checked out."""
    project.standard()
    project.dataset(name="others")
    project.suite(OTHER, name="other")
    text = (project.root / "prompts/triage/v1.prompty").read_text(encoding="utf-8")
    project.write("prompts/other/v1.prompty", text.replace("name: triage", "name: other"))
    project.accept()
    repository(project.root)
    git(project.root, "switch", "--quiet", "--create", "change")
    return project


def told(result: pytest.RunResult) -> list[str]:
    """What is said of the choice."""
    return [
        *lines_of(result, "prompt evals: "),
        *lines_of(result, "  other: "),
        *lines_of(result, "  triage: "),
    ]


def test_nothing_changed_nothing_runs_and_the_check_is_green(branch: Project) -> None:
    result = branch.evals(SINCE, "-rs", "--junitxml=out.xml")

    assert result.ret == 0
    result.assert_outcomes(skipped=2, deselected=20)
    assert told(result) == [
        "prompt evals: 0 of 2 suites run: nothing that they may read has changed since main",
    ]
    assert "SKIPPED [1] evals/triage.eval.yaml: unchanged since main" in result.stdout.lines
    assert "unchanged since main" in branch.text("out.xml")


def test_only_the_suite_whose_prompt_changed_runs(branch: Project) -> None:
    branch.worse()

    result = branch.evals(SINCE, "-v")

    assert result.ret == 1
    result.assert_outcomes(passed=10, failed=1, skipped=1, deselected=10)
    assert told(result)[0] == "prompt evals: 1 of 2 suites run: triage changed since main; 1 skipped (unchanged)"
    assert "  other: skipped: unchanged" in told(result)
    assert "  triage: prompts/triage/v2.prompty is not in main" in told(result)


def test_an_edit_that_git_was_told_to_overlook_still_counts(branch: Project) -> None:
    git(branch.root, "update-index", "--assume-unchanged", "datasets/mails.jsonl")
    branch.dataset(ROWS[:9])

    result = branch.evals(SINCE, "-v")

    assert "  triage: datasets/mails.jsonl changed" in told(result)


def test_a_file_that_git_does_not_know_is_in_doubt(branch: Project) -> None:
    branch.write(".git/info/exclude", "datasets/secret.jsonl\n")
    branch.dataset(name="secret")
    branch.suite(SUITE.replace("mails.jsonl", "secret.jsonl"))
    branch.accept("--accept-dataset-change", "it moved")
    commit(branch.root, "a dataset outside of Git")

    result = branch.evals("--prompt-changed-since=HEAD", "-v")

    assert "  triage: datasets/secret.jsonl is not in HEAD" in told(result)


def test_a_link_is_in_doubt(branch: Project) -> None:
    (branch.root / "datasets/mails.jsonl").rename(branch.root / "datasets/real.jsonl")
    (branch.root / "datasets/mails.jsonl").symlink_to("real.jsonl")
    commit(branch.root, "a link")

    result = branch.evals("--prompt-changed-since=HEAD", "-v")

    assert told(result)[2] == "  triage: datasets/mails.jsonl is a link, and what it leads to may have changed"


def test_a_prompt_that_git_ignores_is_in_doubt(branch: Project) -> None:
    branch.write(".git/info/exclude", "prompts/shared.md\n")
    branch.write("prompts/shared.md", "Be kind.\n")

    result = branch.evals(SINCE, "-v")

    assert told(result)[2:] == ["  triage: prompts/shared.md changed, and any suite may read it"]


def test_what_a_link_among_the_prompts_leads_to_is_in_doubt(branch: Project) -> None:
    branch.write("words/shared.md", "Be kind.\n")
    (branch.root / "prompts/words").symlink_to("../words")
    commit(branch.root, "a link")

    result = branch.evals("--prompt-changed-since=HEAD", "-v")

    assert told(result)[2:] == ["  triage: prompts/words changed, and any suite may read it"]


@pytest.mark.parametrize("name", ["promptgate.yaml", "conftest.py"])
def test_configuration_that_git_ignores_is_in_doubt(branch: Project, name: str) -> None:
    branch.write(".git/info/exclude", f"{name}\n")
    branch.write(name, "")

    result = branch.evals(SINCE, "-v")

    assert told(result)[2:] == [f"  triage: {name} is not in main"]


def test_a_changed_baseline_runs_its_suite(branch: Project) -> None:
    branch.write("promptgate.lock.json", branch.text("promptgate.lock.json").replace("triage.eval.yaml", "t.eval.yaml"))

    result = branch.evals(SINCE, "-v")

    assert told(result)[:3] == [
        "prompt evals: 1 of 2 suites run: triage changed since main; 1 skipped (unchanged)",
        "  other: skipped: unchanged",
        "  triage: its baseline is not that of main",
    ]


def test_a_suite_without_a_baseline_there_runs(branch: Project) -> None:
    git(branch.root, "rm", "--quiet", "promptgate.lock.json")
    commit(branch.root, "no lockfile")

    result = branch.evals("--prompt-changed-since=HEAD", "-v")

    assert "  triage: HEAD has no baseline of it" in told(result)


def test_another_calibration_of_judges_runs_everything(branch: Project) -> None:
    save_calibration(branch.root / "promptgate.lock.json", "rubrics/tone.yaml", CALIBRATION)

    result = branch.evals(SINCE, "-v")

    assert told(result)[1:] == [
        "  other: the calibrations of judges are not those of main",
        "  triage: the calibrations of judges are not those of main",
    ]


def test_a_suite_without_gates_is_spoken_for_by_its_first_case(branch: Project) -> None:
    branch.suite(f"{SUITE}gate: {{accuracy: report}}\n")
    branch.accept("--accept-regression", "shown only")
    commit(branch.root, "no gate")

    result = branch.evals("--prompt-changed-since=HEAD", "evals/triage.eval.yaml")

    assert result.ret == 0
    result.assert_outcomes(skipped=1, deselected=9)


def test_a_lockfile_that_cannot_be_read_there_runs_everything(branch: Project) -> None:
    good = branch.text("promptgate.lock.json")
    branch.write("promptgate.lock.json", "{")
    commit(branch.root, "broken")
    branch.write("promptgate.lock.json", good)

    result = branch.evals("--prompt-changed-since=HEAD", "-v")

    assert lines_of(result, "  triage: the lockfile of HEAD cannot be read: no valid JSON")


def test_users_code_in_a_suite_is_in_doubt_when_any_code_changes(branch: Project) -> None:
    branch.write("mine.py", "def polite(completion, case):\n    return 1.0\n")
    branch.write("helper.py", "LIMIT = 1\n")
    branch.suite(SUITE.replace("{queue: exact_match}", "{queue: 'mine:polite'}"))
    branch.accept("--accept-regression", "another scorer")
    commit(branch.root, "own scorer")
    branch.write("helper.py", "LIMIT = 2\n")

    result = branch.evals("--prompt-changed-since=HEAD", "-v")

    assert told(result)[1:] == [
        "  other: skipped: unchanged",
        "  triage: helper.py changed, and mine:polite may read it",
    ]


def test_what_runs_write_is_no_change_and_reports_name_what_was_left_out(branch: Project) -> None:
    branch.write(".gitignore", "")
    commit(branch.root, "nothing is ignored")
    options = ("--junitxml=out.xml", "--prompt-report=run.json", "--prompt-report=run.md", "--prompt-history")
    since = "--prompt-changed-since=HEAD"
    branch.evals(*options, "-p", "no:cacheprovider")

    result = branch.evals(since, *options, "-v", "-p", "no:cacheprovider")

    assert told(result)[0] == "prompt evals: 0 of 2 suites run: nothing that they may read has changed since HEAD"
    assert json.loads(branch.text("run.json"))["notes"] == ["skipped, unchanged since HEAD: other, triage"]
    assert "- note: skipped, unchanged since HEAD: other, triage" in branch.text("run.md").splitlines()


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            ["--prompt-changed-since=mian"],
            "ERROR: --prompt-changed-since: there is no commit 'mian' in this clone\n"
            "  Fetch it first: git fetch origin mian",
        ),
        (["--prompt-changed-since= "], "ERROR: --prompt-changed-since is empty: name a commit, such as origin/main"),
        (
            [SINCE, "--update-baseline"],
            "ERROR: --prompt-changed-since leaves out what has not changed, and --update-baseline writes the baselines "
            "of all that it collects: drop one of the two",
        ),
        (
            [SINCE, "--prompt-refresh"],
            "ERROR: --prompt-changed-since leaves out what has not changed, and --prompt-refresh asks anew what has not "
            "changed: drop one of the two",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(branch: Project, args: list[str], text: str) -> None:
    result = branch.evals(*args)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == text


def test_a_shallow_clone_is_told_how_to_fetch(branch: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    shallow = tmp_path_factory.mktemp("clones") / "shallow"
    git(branch.root, "clone", "--quiet", "--depth=1", f"file://{branch.root}", str(shallow))

    result = branch.evals("--prompt-changed-since=origin/release", "--rootdir", str(shallow), str(shallow / "evals"))

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: --prompt-changed-since: there is no commit 'origin/release' in this clone\n"
        "  This clone is shallow. Fetch it first: git fetch origin release\n"
        "  In GitHub Actions: actions/checkout with fetch-depth: 0."
    )


def test_without_a_repository_nothing_passes_for_unchanged(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.root.parent))

    result = project.standard().evals(SINCE)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().splitlines()[0] == (
        "ERROR: --prompt-changed-since: Git finds no repository here, so nothing can be read from 'main'"
    )
