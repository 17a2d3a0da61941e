"""Nothing disappears in silence: what a baseline recorded is there, or somebody said why not (DECISIONS 2)."""

from __future__ import annotations

import json

import pytest
from front_project import ROWS, SUITE, Project, section

LOCKFILE = "promptgate.lock.json"
TWO = SUITE.replace("queue: exact_match", "queue: exact_match, short: {exact_match: {normalize: [casefold]}}").replace(
    "accuracy: mean(queue)", "accuracy: mean(queue), brevity: mean(short)"
)


def told(result: pytest.RunResult) -> list[str]:
    """The first line of each failure."""
    lines = section(result, "FAILURES").splitlines()
    return [lines[index + 1] for index, line in enumerate(lines) if line.startswith("___")]


def last(result: pytest.RunResult) -> str:
    """The last line of the last failure."""
    return section(result, "FAILURES").splitlines()[-1]


# --- cases -----------------------------------------------------------------------------------------------------------


def test_a_deleted_case_is_red_until_it_is_accepted(project: Project) -> None:
    project.standard().accept()
    project.dataset(ROWS[1:])

    result = project.evals()

    result.assert_outcomes(passed=10, failed=1)
    assert told(result) == ["the dataset has changed: 1 recorded case is gone: c-01 (used to pass: c-01)"]
    assert last(result) == (
        'to accept it: pytest evals/triage.eval.yaml --update-baseline --accept-dataset-change "why"'
    )
    project.run("--update-baseline").assert_outcomes(passed=10, failed=1)
    project.accept("--accept-dataset-change", "c-01 was c-10 once more")
    project.evals().assert_outcomes(passed=10)


def test_a_deleted_case_that_never_passed_is_told_as_such(project: Project) -> None:
    project.standard()
    project.dataset([("c-00", "where is my parcel", "account"), *ROWS])
    project.accept()
    project.dataset()

    assert told(project.evals()) == [
        "the dataset has changed: 1 recorded case is gone: c-00 (none of them used to pass)"
    ]


def test_deleting_the_cases_that_broke_does_not_hide_that_they_broke(project: Project) -> None:
    project.standard().accept()
    project.worse()
    project.dataset([row for row in ROWS if row[2] != "account"])

    result = project.evals()

    result.assert_outcomes(passed=7, failed=2)
    uncovered, lost = told(result)
    assert uncovered == (
        "accuracy cannot be judged: only 7 of 10 baseline cases can be compared (3 missing from this run), "
        "less than 90 %"
    )
    assert lost == (
        "the dataset has changed: 3 recorded cases are gone: c-05, c-06, c-09 (used to pass: c-05, c-06, c-09); "
        "3 of 10 are gone or edited, more than 10 %"
    )


def test_an_accepted_regression_is_no_accepted_dataset(project: Project) -> None:
    project.standard().accept()
    before = project.text(LOCKFILE)
    project.dataset(ROWS[3:])

    result = project.run("--update-baseline", "--accept-regression", "why not")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert project.text(LOCKFILE) == before


def test_a_dataset_may_be_replaced_with_a_reason(project: Project) -> None:
    project.standard().accept()
    project.dataset([(f"d-{case}", message, queue) for case, message, queue in ROWS])

    project.accept("--accept-dataset-change", "the cases have new names").assert_outcomes(passed=12)
    project.evals().assert_outcomes(passed=11)


# --- promises --------------------------------------------------------------------------------------------------------


PROMISED = TWO + "samples: 2\ngate: {accuracy: {tolerance: 0.1, floor: 0.5}}\nmust_pass: [c-01, c-02]\n"


@pytest.mark.parametrize(
    ("suite", "sentence"),
    [
        (PROMISED.replace(", brevity: mean(short)", ""), "the gate on brevity is gone"),
        (
            PROMISED.replace(", short: {exact_match: {normalize: [casefold]}}", "").replace(
                ", brevity: mean(short)", ""
            ),
            "the gate on brevity is gone; c-01, c-02 need not pass short any more",
        ),
        (
            PROMISED.replace("[c-01, c-02]", "[c-02, {id: c-01, pass_at: 0.5}]"),
            "c-01 had to reach 1 in queue, and 0.5 now; c-01 had to reach 1 in short, and 0.5 now",
        ),
        (
            PROMISED.replace("tolerance: 0.1", "direction: lower, tolerance: 0.1").replace("floor: 0.5", "floor: 1"),
            "accuracy was better when higher, and is better when lower now; "
            "the ceiling of accuracy was 0.5, and is 1 now",
        ),
        (PROMISED.replace("gate: {", "gate: {brevity: report, "), "brevity was gated, and is only shown now"),
        (PROMISED.replace("tolerance: 0.1", "tolerance: 0.2"), "the tolerance of accuracy was 0.1, and is 0.2 now"),
        (PROMISED.replace("tolerance: 0.1", "tolerance: 1%"), "the tolerance of accuracy was 0.1, and is 1% now"),
        (PROMISED.replace("floor: 0.5", "floor: 0.4"), "the floor of accuracy was 0.5, and is 0.4 now"),
        (PROMISED.replace(", floor: 0.5", ""), "the floor of accuracy was 0.5, and is gone"),
        (PROMISED.replace("samples: 2", "samples: 1"), "samples were 2, and are 1 now"),
        (PROMISED.replace("[c-01, c-02]", "[c-02]"), "no longer must pass: c-01"),
    ],
)
def test_what_the_suite_no_longer_promises_is_red_until_it_is_accepted(
    project: Project, suite: str, sentence: str
) -> None:
    project.standard()
    project.suite(PROMISED)
    project.accept()
    project.suite(suite)

    result = project.evals()

    assert told(result) == [f"the suite promises less than its baseline: {sentence}"]
    assert last(result) == 'to accept it: pytest evals/triage.eval.yaml --update-baseline --accept-regression "why"'
    assert project.run("--update-baseline").ret == pytest.ExitCode.TESTS_FAILED
    project.accept("--accept-regression", "it was too strict")
    assert project.evals().ret == pytest.ExitCode.OK


def test_a_promise_that_grows_is_green(project: Project) -> None:
    project.standard().accept()
    project.suite(PROMISED.replace("tolerance: 0.1, ", ""))

    assert project.evals().ret == pytest.ExitCode.OK


# --- suites and slots ------------------------------------------------------------------------------------------------


@pytest.fixture
def twins(project: Project) -> Project:
    """Two suites with baselines."""
    project.standard()
    project.suite(SUITE, "twin")
    project.accept()
    return project


GONE = (
    "evals/twin.eval.yaml: 'twin' has a baseline, but the file is gone\n"
    '  Restore it, or accept that it is gone: pytest --update-baseline --accept-regression "why"'
)


def test_a_deleted_suite_is_an_error_before_any_call(twins: Project) -> None:
    (twins.root / "evals/twin.eval.yaml").unlink()
    twins.worse()

    result = twins.evals()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    assert section(result, "ERRORS").splitlines()[1:] == GONE.splitlines()
    result.stdout.no_fnmatch_line("*asked*")


@pytest.mark.parametrize("argument", [".", "evals"])
def test_a_deleted_suite_is_missed_wherever_it_would_have_been_run(twins: Project, argument: str) -> None:
    (twins.root / "evals/twin.eval.yaml").unlink()

    twins.evals(argument).assert_outcomes(errors=1)


def test_a_run_that_would_not_have_held_it_does_not_miss_it(twins: Project) -> None:
    (twins.root / "evals/twin.eval.yaml").unlink()
    twins.write("tests/test_one.py", "def test_one():\n    pass\n")

    twins.evals("evals/triage.eval.yaml").assert_outcomes(passed=11)
    twins.evals("-k", "c-01").assert_outcomes(passed=1, deselected=11)


def test_a_suite_that_was_only_not_selected_is_not_gone(twins: Project) -> None:
    twins.evals("--ignore=evals/twin.eval.yaml").assert_outcomes(passed=11)


def test_a_moved_suite_is_not_gone(twins: Project) -> None:
    (twins.root / "suites").mkdir()
    (twins.root / "evals/twin.eval.yaml").rename(twins.root / "suites/twin.eval.yaml")

    twins.evals().assert_outcomes(passed=22)


def test_a_renamed_suite_is_gone_under_its_old_name(twins: Project) -> None:
    twins.suite("suite: other\n" + SUITE, "twin")

    result = twins.evals()

    assert section(result, "ERRORS").splitlines()[1] == (
        "evals/twin.eval.yaml: 'twin' has a baseline, but the suite in this file is called 'other' now"
    )


def test_a_deleted_suite_leaves_the_lockfile_with_a_reason(twins: Project) -> None:
    (twins.root / "evals/twin.eval.yaml").unlink()

    result = twins.accept("--accept-regression", "nobody asks that any more")

    lines = section(result, "prompt evals").splitlines()
    assert "twin: removed from the lockfile: nobody asks that any more" in lines
    assert "wrote promptgate.baselines/twin.jsonl" not in lines
    assert "deleted promptgate.baselines/twin.jsonl" in lines
    lockfile = json.loads(twins.text(LOCKFILE))
    assert lockfile["suites"].keys() == {"triage"}
    assert lockfile["removed"]["twin"]["default"]["reason"] == "nobody asks that any more"
    assert not (twins.root / "promptgate.baselines/twin.jsonl").exists()
    twins.evals().assert_outcomes(passed=11)
    twins.suite(SUITE, "twin")
    twins.accept()
    assert "removed" not in json.loads(twins.text(LOCKFILE))


def test_the_last_suite_may_go_too(project: Project) -> None:
    project.standard().accept()
    (project.root / "evals/triage.eval.yaml").unlink()

    project.evals().assert_outcomes(errors=1)
    result = project.run("--update-baseline", "--accept-regression", "prompts are over")

    assert json.loads(project.text(LOCKFILE))["suites"] == {}
    assert "triage: removed from the lockfile: prompts are over" in result.stdout.lines


def test_a_deleted_model_slot_is_an_error_until_it_is_accepted(project: Project) -> None:
    project.standard()
    pin = "embedded/nearest-example-1"
    project.suite(SUITE + f"model: {{one: {pin}, two: {pin}}}\n")
    project.accept()
    project.suite(SUITE + f"model: {{one: {pin}}}\n")

    result = project.evals()

    assert section(result, "ERRORS").splitlines()[1] == (
        "evals/triage.eval.yaml: 'triage (two)' has a baseline, but its suite has no model slot 'two' any more"
    )
    project.accept("--accept-regression", "two is too dear")
    project.evals().assert_outcomes(passed=11)


def test_beside_xdist_a_deleted_suite_is_missed_too(twins: Project) -> None:
    (twins.root / "evals/twin.eval.yaml").unlink()
    twins.write("tests/test_one.py", "def test_one():\n    pass\n")

    result = twins.run_apart("--prompt-evals", "-n", "1")

    assert result.ret != pytest.ExitCode.OK
    assert GONE.splitlines()[0] in result.stdout.lines
