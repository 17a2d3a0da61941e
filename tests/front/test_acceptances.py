"""What was accepted is in the lockfile with its reason, and the anchor remembers where small losses began."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_project import QUEUES, ROWS, SUITE, Project, section
from git_project import commit, repository

LOCKFILE = "promptgate.lock.json"
TOLERANT = SUITE + "gate: {accuracy: {tolerance: 0.15}}\n"
WITHOUT_PASSWORD = {asked: queue for asked, queue in QUEUES.items() if "password" not in asked}


def entry(project: Project) -> dict[str, Any]:
    """The lockfile's entry of the suite."""
    found: dict[str, Any] = json.loads(project.text(LOCKFILE))["suites"]["triage"]["default"]
    return found


def closing(result: pytest.RunResult) -> list[str]:
    """The lines of the closing section."""
    return section(result, "prompt evals").splitlines()


def test_a_first_baseline_has_neither_anchor_nor_acceptances(project: Project) -> None:
    project.standard().accept()

    assert {"accepted", "anchor"}.isdisjoint(entry(project))


def test_an_accepted_regression_is_recorded_with_its_step_and_its_reason(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.accept("--accept-regression", "accounts are closed")

    assert "triage: accepted accuracy: accounts are closed" in closing(result)
    (accepted,) = entry(project)["accepted"]
    assert {**accepted, "from": "", "to": ""} == {
        "from": "",
        "kind": "regression",
        "metric": "accuracy",
        "reason": "accounts are closed",
        "to": "",
    }
    assert len(accepted["from"]) == len(accepted["to"]) == 32
    assert "anchor" not in entry(project)  # it went down with the baseline


def test_a_second_update_changes_no_byte(project: Project) -> None:
    project.standard().accept()
    project.worse()
    project.accept("--accept-regression", "accounts are closed")
    before = project.text(LOCKFILE)

    project.accept("--accept-regression", "accounts are closed")
    project.accept()

    assert project.text(LOCKFILE) == before


def test_a_reason_covers_no_suite_that_is_not_lower(project: Project) -> None:
    project.standard()
    project.suite(SUITE, "twin")
    project.accept()
    project.prompt("v2", {**QUEUES, "the app crashes": "account"})

    project.accept("--accept-regression", "just in case")

    assert "accepted" not in entry(project)


def test_an_accepted_dataset_is_recorded_as_such(project: Project) -> None:
    project.standard().accept()
    project.dataset(ROWS[1:])

    result = project.accept("--accept-dataset-change", "c-01 was c-10 once more")

    assert "triage: accepted dataset: c-01 was c-10 once more" in closing(result)
    (accepted,) = entry(project)["accepted"]
    assert (accepted["kind"], accepted["metric"]) == ("dataset", "*")


@pytest.mark.parametrize("option", ["--accept-regression", "--accept-dataset-change"])
def test_a_reason_goes_with_an_update_and_is_not_empty(project: Project, option: str) -> None:
    project.standard()

    alone, empty = project.evals(option, "why"), project.run("--update-baseline", option, " ")

    assert [line for line in alone.stderr.lines if line] == [
        f"ERROR: {option} goes with --update-baseline: alone it would accept nothing"
    ]
    assert [line for line in empty.stderr.lines if line] == [
        f"ERROR: {option} needs a reason: it is what the next reader of the lockfile sees"
    ]


# --- the anchor ------------------------------------------------------------------------------------------------------


@pytest.fixture
def decaying(project: Project) -> Project:
    """One loss within the tolerance is the baseline; the anchor is the baseline before it."""
    project.standard()
    project.suite(TOLERANT)
    project.accept()
    repository(project.root)
    project.prompt("v2", WITHOUT_PASSWORD)
    project.accept()
    commit(project.root, "A shorter prompt (#12)", date="2025-02-01T12:00:00Z")
    return project


def test_the_anchor_stays_when_the_baseline_goes_down_within_the_tolerance(decaying: Project) -> None:
    anchor = entry(decaying)["anchor"]

    assert entry(decaying)["metrics"]["accuracy"]["value"] == 0.9
    assert (anchor["prompt"], anchor["reason"], len(anchor["cases"])) == ("triage@v1", "first baseline", 10)


def test_small_losses_may_not_add_up(decaying: Project) -> None:
    shorter = {asked: queue for asked, queue in WITHOUT_PASSWORD.items() if "courier" not in asked}
    decaying.prompt("v3", shorter)

    result = decaying.evals()

    result.assert_outcomes(passed=10, failed=1)
    told = section(result, "FAILURES").splitlines()
    assert told[1] == ("accuracy: this change -0.100 (within what is allowed), but since the anchor triage@v1: -0.200")
    assert told[-1] == "since 2025-01-10 over 1 merge: #12 -0.100"
    assert decaying.run("--update-baseline").ret == pytest.ExitCode.TESTS_FAILED
    decaying.accept("--accept-regression", "fewer words")
    assert "anchor" not in entry(decaying)


def test_a_change_that_lowers_nothing_is_not_blamed_for_earlier_losses(decaying: Project) -> None:
    decaying.suite(TOLERANT.replace("0.15", "0.05"))

    decaying.evals().assert_outcomes(passed=11)


def test_a_baseline_that_is_the_anchor_again_needs_none(decaying: Project) -> None:
    decaying.prompt("v3", QUEUES)
    decaying.accept()

    assert "anchor" not in entry(decaying)


def test_a_significant_rise_moves_the_anchor_up(project: Project) -> None:
    project.prompt("v1", {"where is my parcel": "shipping"})
    project.dataset([(f"{case}-{number}", message, queue) for case, message, queue in ROWS for number in range(2)])
    project.suite()
    project.accept()
    project.prompt("v2")

    result = project.accept()

    assert entry(project)["metrics"]["accuracy"]["value"] == 1
    assert "anchor" not in entry(project)
    assert "triage: accuracy: 0.3 (n=20) -> 1 (n=20)" in closing(result)


def test_a_rise_that_may_be_luck_leaves_the_anchor_where_it_is(project: Project) -> None:
    project.prompt("v1", WITHOUT_PASSWORD)
    project.dataset()
    project.suite()
    project.accept()
    project.prompt("v2")
    project.accept()

    assert entry(project)["anchor"]["prompt"] == "triage@v1"


def test_a_replaced_dataset_lays_the_anchor_anew_and_keeps_what_was_lost(decaying: Project) -> None:
    decaying.dataset([*ROWS[:7], *[(f"n-{case}", message, queue) for case, message, queue in ROWS[7:]]])

    result = decaying.accept("--accept-dataset-change", "new names")

    anchor = entry(decaying)["anchor"]
    assert "cases" not in anchor  # they are the baseline's
    assert anchor["prompt"] == "triage@v2"
    assert anchor["drift"]["accuracy"]["change"] == pytest.approx(-0.1)
    assert "triage: anchor: triage@v1 -> triage@v2 (the dataset or a scorer changed)" in closing(result)
