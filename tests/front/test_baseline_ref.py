"""``--baseline-ref``: what a required check is held against is not what the pull request says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from front_project import QUEUES, ROWS, SUITE, Project, asked, section
from git_project import commit, git, repository

LOCKFILE = "promptgate.lock.json"
REF = ("--baseline-ref", "main")


@pytest.fixture
def branch(project: Project) -> Project:
    """A project with a baseline on main, and a branch of it checked out."""
    project.standard().accept()
    repository(project.root)
    git(project.root, "switch", "--quiet", "--create", "change")
    return project


def first_lines(result: pytest.RunResult) -> list[str]:
    """The closing section down to the first suite's title."""
    lines = section(result, "prompt evals").splitlines()
    return lines[: next(index for index, line in enumerate(lines) if line.startswith("triage: triage@"))]


def failure(result: pytest.RunResult) -> list[str]:
    """The lines of the only failure, without its title."""
    return section(result, "FAILURES").splitlines()[1:]


def test_an_unchanged_project_is_green_and_asks_nothing(branch: Project) -> None:
    result = branch.evals(*REF)

    result.assert_outcomes(passed=11)
    assert asked(result) == ["10 cases: 10 unchanged, 0 asked"]
    assert first_lines(result) == ["promptgate.lock.json is that of main"]


def test_a_change_that_passes_and_brings_its_baseline_is_green(branch: Project) -> None:
    branch.prompt("v2", {**QUEUES, "the app crashes": "account"})
    branch.accept()

    result = branch.evals(*REF)

    result.assert_outcomes(passed=11)
    assert first_lines(result) == [
        "promptgate.lock.json against main:",
        "  triage: prompt: triage@v1 -> triage@v2",
        "  triage: 10 cases asked otherwise with the same answers: " + ", ".join(row[0] for row in ROWS),
    ]


def test_a_pull_request_cannot_pass_by_editing_its_own_lockfile(branch: Project) -> None:
    branch.worse()
    (branch.root / LOCKFILE).unlink()  # as if there had never been a better one
    branch.accept()
    branch.evals().assert_outcomes(passed=11)

    result = branch.evals(*REF)

    result.assert_outcomes(passed=10, failed=1)
    told = failure(result)
    assert told[0] == "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"
    assert told[-1] == (
        "to accept it: git checkout main -- promptgate.lock.json promptgate.baselines && "
        'pytest evals/triage.eval.yaml --update-baseline --accept-regression "why"'
    )


def test_what_was_accepted_for_this_very_step_counts(branch: Project) -> None:
    branch.worse()
    branch.accept("--accept-regression", "accounts are closed")

    result = branch.evals(*REF, "-v")

    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines(["*gate:accuracy* ACCEPTED*"])
    assert first_lines(result) == [
        "promptgate.lock.json against main:",
        "  triage: accuracy: 1 (n=10) -> 0.7 (n=10)",
        "  triage: prompt: triage@v1 -> triage@v2",
        "  triage: accepted accuracy: accounts are closed",
        "  triage: 3 cases scored otherwise: c-05 (queue 1 -> 0), c-06 (queue 1 -> 0), c-09 (queue 1 -> 0)",
        "  triage: 7 cases asked otherwise with the same answers: c-01, c-02, c-03, c-04, c-07, c-08, c-10",
    ]


def test_what_was_accepted_for_another_step_counts_for_nothing(branch: Project) -> None:
    branch.worse()
    branch.accept("--accept-regression", "accounts are closed")
    branch.prompt("v3", {"where is my parcel": "shipping"})  # worse still

    result = branch.evals(*REF)

    result.assert_outcomes(passed=10, failed=2)
    assert "accuracy fell from 1.000 to 0.300 (n=10, change -0.700, tolerance 0)" in result.stdout.str()


def test_an_acceptance_goes_on_to_count_for_what_replaces_its_baseline(branch: Project) -> None:
    branch.worse()
    branch.accept("--accept-regression", "accounts are closed")
    branch.prompt(
        "v3", {**{asked: queue for asked, queue in QUEUES.items() if queue != "account"}, "i cannot log in": "account"}
    )
    branch.accept()

    branch.evals(*REF).assert_outcomes(passed=11)


def test_a_lockfile_that_is_older_than_its_prompt_is_red(branch: Project) -> None:
    branch.prompt("v2", {**QUEUES, "the app crashes": "account"})

    result = branch.evals(*REF)

    result.assert_outcomes(passed=11, failed=1)
    assert failure(result)[0] == (
        "baseline stale: promptgate.lock.json stands for triage@v1 on embedded/nearest-example-1, "
        "and this is triage@v2 on embedded/nearest-example-1; "
        "run: pytest evals/triage.eval.yaml --update-baseline, and commit what it writes"
    )
    assert not [line for line in failure(result) if line.startswith("to accept it")]
    assert "gate:(baseline)[nearest-example-1]" in section(result, "FAILURES").splitlines()[0]


def test_a_suite_that_lost_its_entry_is_red(branch: Project) -> None:
    (branch.root / LOCKFILE).unlink()

    result = branch.evals(*REF)

    result.assert_outcomes(passed=11, failed=1)
    assert failure(result)[0] == (
        "baseline missing: promptgate.lock.json has none for it any more; "
        "run: pytest evals/triage.eval.yaml --update-baseline"
    )
    assert first_lines(result) == ["promptgate.lock.json against main:", "  triage: removed, without a reason"]


def test_a_new_suite_counts_if_its_entry_was_written_from_it(branch: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    branch.suite(SUITE, "twin")
    branch.accept()

    result = branch.evals(*REF)

    result.assert_outcomes(passed=22)
    assert asked(result) == ["10 cases: 10 unchanged, 0 asked"] * 2
    assert first_lines(result) == [
        "promptgate.lock.json against main:",
        "  twin: new baseline: triage@v1 on embedded/nearest-example-1, 10 cases",
        "  twin: accuracy: 1 (n=10)",
    ]


def test_a_new_suite_that_was_changed_since_its_entry_counts_for_nothing(
    branch: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    branch.suite(SUITE, "twin")
    branch.accept()
    branch.suite(SUITE + "samples: 2\n", "twin")

    result = branch.evals(*REF)

    result.assert_outcomes(passed=11, failed=1, skipped=10)
    assert failure(result)[0] == (
        "evals/twin.eval.yaml: no baseline for 'twin' (nearest-example-1), and CI is set: nothing was asked"
    )


def test_a_first_lockfile_makes_every_suite_a_new_one(project: Project) -> None:
    project.standard()
    repository(project.root)
    git(project.root, "switch", "--quiet", "--create", "change")
    project.accept()

    project.evals(*REF).assert_outcomes(passed=11)


def test_outputs_are_those_of_the_ref(branch: Project) -> None:
    branch.worse()
    branch.accept("--accept-regression", "accounts are closed")
    branch.prompt("v3", {"where is my parcel": "shipping"})

    result = branch.evals(*REF)

    assert "      before:   account" in result.stdout.lines  # the answers of main, not those of v2


# --- what a pull request removes -------------------------------------------------------------------------------------


def test_a_removed_suite_is_an_error_until_the_lockfile_says_why(branch: Project) -> None:
    branch.suite(SUITE, "twin")
    branch.accept()
    commit(branch.root, "twin")
    git(branch.root, "branch", "--force", "main")
    (branch.root / "evals/twin.eval.yaml").unlink()

    result = branch.evals(*REF)

    result.assert_outcomes(errors=1)
    branch.accept("--accept-regression", "nobody asks that any more")
    result = branch.evals(*REF)
    result.assert_outcomes(passed=11)
    assert first_lines(result) == [
        "promptgate.lock.json against main:",
        "  twin: removed, accepted: nobody asks that any more",
    ]


# --- what Git may not know -------------------------------------------------------------------------------------------


def refused(project: Project, *args: str) -> str:
    """The message of a run that ends as a usage error."""
    result = project.evals(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    return "\n".join(line for line in result.stderr.str().splitlines() if line)


def test_outside_of_a_repository_it_is_refused(project: Project) -> None:
    project.standard().accept()

    told = refused(project, *REF)

    assert told.splitlines()[0] == (
        "ERROR: --baseline-ref: Git finds no repository here, so nothing can be read from 'main'"
    )
    assert told.splitlines()[2] == "  Run it in a clone of the repository, or leave the option out."


def test_a_ref_that_is_not_there_is_refused_with_the_command_that_fetches_it(branch: Project) -> None:
    assert refused(branch, "--baseline-ref", "origin/main") == (
        "ERROR: --baseline-ref: there is no commit 'origin/main' in this clone\n  Fetch it first: git fetch origin main"
    )


def test_a_ref_that_looks_like_an_option_is_none(branch: Project) -> None:
    assert refused(branch, "--baseline-ref=--output=x").splitlines()[0] == (
        "ERROR: --baseline-ref: there is no commit '--output=x' in this clone"
    )
    assert not (branch.root / "x").exists()


def test_an_empty_ref_is_refused(branch: Project) -> None:
    assert refused(branch, "--baseline-ref", "") == "ERROR: --baseline-ref is empty: name a commit, such as origin/main"


def test_a_shallow_clone_is_told_as_such(branch: Project, tmp_path: Path) -> None:
    target = tmp_path / "clone"
    git(branch.root, "clone", "--quiet", "--depth=1", branch.root.as_uri(), str(target))

    result = branch.evals("--rootdir", str(target), str(target), "--baseline-ref", "origin/main")

    assert [line for line in result.stderr.lines if line] == [
        "ERROR: --baseline-ref: there is no commit 'origin/main' in this clone",
        "  This clone is shallow. Fetch it first: git fetch origin main",
        "  In GitHub Actions: actions/checkout with fetch-depth: 0.",
    ]


def test_without_git_it_is_refused(branch: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(branch.root))

    assert refused(branch, *REF) == (
        "ERROR: --baseline-ref: Git is not installed, so nothing can be read from 'main'\n"
        "  Install Git, or leave the option out."
    )


def test_a_renamed_lockfile_is_no_way_to_have_no_baseline(branch: Project) -> None:
    (branch.root / LOCKFILE).rename(branch.root / "other.lock.json")
    branch.pytester.makeini("[pytest]\npromptgate_lockfile = other.lock.json\n")

    assert refused(branch, *REF) == (
        "ERROR: --baseline-ref: 'main' has no other.lock.json, but the same suites in promptgate.lock.json: "
        "was it renamed?\n"
        "  Rename it in two steps: merge a copy under the new name first, and then set promptgate_lockfile and delete "
        "the old one."
    )


def test_a_broken_lockfile_of_the_ref_is_told_with_the_ref(branch: Project) -> None:
    text = branch.text(LOCKFILE)
    branch.write(LOCKFILE, "{")
    commit(branch.root, "broken")
    git(branch.root, "branch", "--force", "main")
    branch.write(LOCKFILE, text)

    assert refused(branch, *REF) == (
        "ERROR: main:promptgate.lock.json:1:2: no valid JSON: Expecting property name enclosed in double quotes\n"
        "  This run is held against it: mend it there first."
    )


def test_it_does_not_go_with_an_update(branch: Project) -> None:
    assert refused(branch, *REF, "--update-baseline") == (
        "ERROR: --baseline-ref judges by what a commit holds, and --update-baseline replaces what the work tree holds: "
        "drop one of the two"
    )
