"""From the first run to a red gate, an accepted regression and an improvement."""

from __future__ import annotations

import json
import shutil

import pytest
from front_project import QUEUES, ROWS, SUITE, Project, asked, section

SUITE_FILE = "evals/triage.eval.yaml"
LOCKFILE = "promptgate.lock.json"


def edited(rows: tuple[tuple[str, str, str], ...], count: int) -> list[tuple[str, str, str]]:
    """`rows`, the messages of the first `count` of them said more politely."""
    polite = [(case, f"{message}, thanks", queue) for case, message, queue in rows[:count]]
    return [*polite, *rows[count:]]


def gated(gate: str) -> str:
    """The suite with this gate."""
    return f"{SUITE}gate: {{accuracy: {gate}}}\n"


# --- first run, update, unchanged ------------------------------------------------------------------------------------


def test_the_first_run_is_green_and_everything_is_new(project: Project) -> None:
    result = project.standard().evals()

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals") == (
        "triage: triage@v1 on embedded/nearest-example-1\n"
        "  10 cases: 0 unchanged, 10 asked, 591 tokens, $0.00\n"
        "  metric    baseline  current  change  verdict  n/unscored/errored\n"
        "  accuracy  -         1.000    -       new      10/0/0"
    )
    assert not (project.root / LOCKFILE).exists()


def test_an_update_writes_the_baseline_and_prints_what_it_wrote(project: Project) -> None:
    result = project.standard().run("--update-baseline")

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals").splitlines()[-4:] == [
        "triage: new baseline: triage@v1 on embedded/nearest-example-1, 10 cases",
        "triage: accuracy: 1 (n=10)",
        "wrote promptgate.baselines/triage.jsonl",
        "wrote promptgate.lock.json",
    ]
    locked = json.loads(project.text(LOCKFILE))
    assert len(locked["suites"]["triage"]["default"]["cases"]) == len(ROWS)


def test_an_unchanged_suite_asks_nothing(project: Project) -> None:
    project.standard().accept()

    result = project.evals()

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals") == (
        "triage: triage@v1 on embedded/nearest-example-1\n"
        "  10 cases: 10 unchanged, 0 asked\n"
        "  metric    baseline  current  change  verdict    n/unscored/errored\n"
        "  accuracy  1.000     1.000    +0.000  unchanged  10/0/0"
    )


def test_an_unchanged_suite_asks_nothing_on_a_machine_without_a_store(project: Project) -> None:
    project.standard().accept()
    shutil.rmtree(project.root / ".promptgate")

    result = project.evals()

    assert asked(result) == ["10 cases: 10 unchanged, 0 asked"]
    assert not (project.root / ".promptgate").exists()


def test_an_unchanged_suite_asks_nothing_when_the_kept_outputs_are_gone(project: Project) -> None:
    project.standard().accept()
    shutil.rmtree(project.root / "promptgate.baselines")
    shutil.rmtree(project.root / ".promptgate")

    assert asked(project.evals()) == ["10 cases: 10 unchanged, 0 asked"]


def test_a_second_update_leaves_the_files_untouched(project: Project) -> None:
    project.standard().accept()
    files = [project.root / LOCKFILE, project.root / "promptgate.baselines/triage.jsonl"]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]

    result = project.accept()

    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in files] == before
    assert section(result, "prompt evals").splitlines()[-1] == "triage: baseline unchanged"


def test_ten_new_rows_cost_ten_calls(project: Project) -> None:
    project.standard().accept()
    project.dataset([*ROWS, *((f"n-{number}", f"where is parcel {number}", "shipping") for number in range(10))])

    result = project.evals()

    result.assert_outcomes(passed=21)
    assert asked(result) == ["20 cases: 10 unchanged, 10 asked, 570 tokens, $0.00"]


# --- worse, accepted, better -----------------------------------------------------------------------------------------


def test_a_worse_version_fails_its_gate_alone_and_says_why(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.evals()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=10, failed=1)
    assert section(result, "FAILURES") == (
        "_________________ triage@v2::gate:accuracy[nearest-example-1] __________________\n"
        "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)\n"
        "worse (3):\n"
        "  c-05  1 -> 0  answered 'billing', expected 'account'\n"
        "      expected: account\n"
        "      before:   account\n"
        "      now:      billing\n"
        "  c-06  1 -> 0  answered 'shipping', expected 'account'\n"
        "      expected: account\n"
        "      before:   account\n"
        "      now:      shipping\n"
        "  c-09  1 -> 0  answered 'billing', expected 'account'\n"
        "      expected: account\n"
        "      before:   account\n"
        "      now:      billing\n"
        "what differs from the baseline:\n"
        "  prompt: v1 -> v2\n"
        "    --- triage@v1\n"
        "    +++ triage@v2\n"
        "    @@ -18,11 +18,3 @@\n"
        "     shipping\n"
        "     user:\n"
        "    -i cannot log in\n"
        "    -assistant:\n"
        "    -account\n"
        "    -user:\n"
        "    -please reset my password\n"
        "    -assistant:\n"
        "    -account\n"
        "    -user:\n"
        "     {{ message }}\n"
        'to accept it: pytest evals/triage.eval.yaml --update-baseline --accept-regression "why"'
    )


def without(lost: str) -> dict[str, str]:
    """The examples of all queues but one."""
    return {message: queue for message, queue in QUEUES.items() if queue != lost}


def test_cases_that_got_better_are_told_beside_those_that_got_worse(project: Project) -> None:
    project.standard()
    project.dataset(ROWS[:9])
    project.prompt("v1", without("billing"))
    project.accept()
    project.prompt("v2", without("account"))
    project.suite(f"{SUITE}gate: {{accuracy: {{floor: 0.9}}}}\n")

    told = section(project.evals(), "FAILURES").splitlines()

    assert told[1] == "accuracy is 0.667, below its floor 0.900 (n=9)"
    assert "better (3): c-01 0 -> 1, c-02 0 -> 1, c-07 0 -> 1" in told


def test_more_than_ten_cases_are_shown_as_ten_and_named_as_the_rest(project: Project) -> None:
    project.standard()
    project.dataset([(f"p-{number:02}", f"reset my password {number}", "account") for number in range(12)])
    project.accept()
    project.worse()

    told = section(project.evals(), "FAILURES").splitlines()

    assert told[2] == "worse (12):"
    assert sum(line.startswith("  p-") for line in told) == 10
    assert "  … and 2 more: p-10, p-11" in told


def test_an_improvement_is_green_and_can_become_the_baseline(project: Project) -> None:
    project.standard()
    project.worse("v1")
    project.accept()
    project.prompt("v2")

    result = project.evals("-v")

    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines(["*::gate:accuracy[[]nearest-example-1[]] IMPROVED*"])
    assert "  accuracy  0.700     1.000    +0.300  improved  10/0/0" in section(result, "prompt evals").splitlines()
    written = section(project.accept(), "prompt evals").splitlines()
    assert "triage: accuracy: 0.7 (n=10) -> 1 (n=10)" in written
    assert "triage: prompt: triage@v1 -> triage@v2" in written
    assert asked(project.evals()) == ["10 cases: 10 unchanged, 0 asked"]


def test_a_red_run_writes_no_baseline(project: Project) -> None:
    project.standard().accept()
    before = project.text(LOCKFILE)
    project.worse()

    result = project.run("--update-baseline")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert section(result, "prompt evals").splitlines()[-1] == (
        "triage: baseline NOT written: accuracy is regressed "
        "(accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0))"
    )
    assert project.text(LOCKFILE) == before


def test_a_regression_is_accepted_with_a_reason(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.accept("--accept-regression", "the account queue is closed")

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals").splitlines()[-7:] == [
        "triage: accuracy: 1 (n=10) -> 0.7 (n=10)",
        "triage: prompt: triage@v1 -> triage@v2",
        "triage: accepted accuracy: the account queue is closed",
        "triage: 3 cases scored otherwise: c-05 (queue 1 -> 0), c-06 (queue 1 -> 0), c-09 (queue 1 -> 0)",
        "triage: 7 cases asked otherwise with the same answers: c-01, c-02, c-03, c-04, c-07, c-08, c-10",
        "wrote promptgate.baselines/triage.jsonl",
        "wrote promptgate.lock.json",
    ]
    project.evals().assert_outcomes(passed=11)


def test_one_red_suite_does_not_keep_the_other_from_its_baseline(project: Project) -> None:
    project.standard().accept()
    project.worse()
    project.suite("suite: other\n" + SUITE.replace("prompt: triage", "prompt: triage@v1"), name="other")

    result = project.run("--update-baseline")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert section(result, "prompt evals").splitlines()[-4:] == [
        "other: new baseline: triage@v1 on embedded/nearest-example-1, 10 cases",
        "other: accuracy: 1 (n=10)",
        "wrote promptgate.baselines/other.jsonl",
        "wrote promptgate.lock.json",
    ]
    locked = json.loads(project.text(LOCKFILE))["suites"]
    assert locked["other"]["default"]["prompt"] == locked["triage"]["default"]["prompt"] == "triage@v1"


# --- no baseline -----------------------------------------------------------------------------------------------------


def test_in_ci_a_missing_baseline_fails_before_any_call(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.standard()
    monkeypatch.setenv("CI", "1")

    result = project.evals()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(skipped=10, failed=1)
    assert section(result, "FAILURES") == (
        "_________________ triage@v1::gate:accuracy[nearest-example-1] __________________\n"
        "evals/triage.eval.yaml: no baseline for 'triage' (nearest-example-1), and CI is set: nothing was asked\n"
        "  Run `pytest evals/triage.eval.yaml --update-baseline` locally and commit the lockfile."
    )
    assert not (project.root / ".promptgate").exists()


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_an_environment_that_denies_being_ci_is_none(
    project: Project, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CI", value)

    project.standard().evals().assert_outcomes(passed=11)


@pytest.mark.parametrize("gate", ["{tolerance: 0}", "report"], ids=["not selected", "none"])
def test_in_ci_a_missing_baseline_fails_without_a_gate_to_say_so(
    project: Project, monkeypatch: pytest.MonkeyPatch, gate: str
) -> None:
    project.standard()
    project.suite(gated(gate))
    monkeypatch.setenv("CI", "1")

    result = project.evals("-k", "c-0")

    result.assert_outcomes(skipped=8, failed=1, deselected=2 if "tolerance" in gate else 1)
    assert section(result, "FAILURES").splitlines()[1] == (
        "evals/triage.eval.yaml: no baseline for 'triage' (nearest-example-1), and CI is set: nothing was asked"
    )


def test_in_ci_a_baseline_can_still_be_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")

    project.standard().accept()

    project.evals().assert_outcomes(passed=11)


# --- tolerances, floors, must_pass -----------------------------------------------------------------------------------


def test_a_tolerance_that_was_widened_with_the_prompt_is_red_until_it_is_accepted(project: Project) -> None:
    project.standard().accept()
    project.worse()
    project.suite(gated("{tolerance: 0.3}"))

    result = project.evals()

    result.assert_outcomes(passed=11, failed=1)
    assert "the tolerance of accuracy was 0, and is 0.3 now" in section(result, "FAILURES")
    project.accept("--accept-regression", "we allow more").assert_outcomes(passed=12)
    project.evals().assert_outcomes(passed=11)


@pytest.mark.parametrize("tolerance", ["0.3", "30%"])
def test_a_drop_within_the_tolerance_that_the_baseline_knew_is_green(project: Project, tolerance: str) -> None:
    project.standard()
    project.suite(gated(f"{{tolerance: {tolerance}}}"))
    project.accept()
    project.worse()

    result = project.evals()

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals").splitlines()[-1] == (
        "  accuracy  1.000     0.700    -0.300  within-noise  10/0/0"
    )


def test_a_drop_beyond_a_relative_tolerance_is_red_and_names_it(project: Project) -> None:
    project.standard()
    project.suite(gated("{tolerance: 29%}"))
    project.accept()
    project.worse()

    told = section(project.evals(), "FAILURES").splitlines()

    assert told[1] == "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 29%)"


def test_a_metric_for_the_report_alone_has_no_gate(project: Project) -> None:
    project.standard()
    project.suite(gated("report"))
    project.accept()
    project.worse()

    result = project.evals()

    result.assert_outcomes(passed=10)
    assert section(result, "prompt evals").splitlines()[-1] == (
        "  accuracy  1.000     0.700    -0.300  regressed (not gated)  10/0/0"
    )


def test_a_floor_holds_without_a_baseline(project: Project) -> None:
    project.standard()
    project.worse("v1")
    project.suite(gated("{floor: 0.8}"))

    result = project.evals()

    assert section(result, "FAILURES") == (
        "_________________ triage@v1::gate:accuracy[nearest-example-1] __________________\n"
        "accuracy is 0.700, below its floor 0.800 (n=10)\n"
        "the floor stands in evals/triage.eval.yaml; no baseline moves it"
    )


def test_a_must_pass_case_fails_its_own_item(project: Project) -> None:
    project.standard()
    project.suite(f"{SUITE}must_pass: [c-05, c-01]\ngate: {{accuracy: {{tolerance: 0.5}}}}\n")
    project.accept()
    project.worse()

    result = project.evals()

    result.assert_outcomes(passed=10, failed=1)
    assert section(result, "FAILURES") == (
        "______________________ triage@v2::c-05[nearest-example-1] ______________________\n"
        "c-05 must pass, but queue scored 0 (needs 1): answered 'billing', expected 'account'\n"
        "  answer: billing"
    )


# --- what cannot be compared -----------------------------------------------------------------------------------------


def test_a_changed_scorer_scores_the_kept_outputs_of_the_baseline_anew(project: Project) -> None:
    project.standard()
    project.suite(SUITE.replace("exact_match", "{contains: {text: bill}}"))
    project.accept()
    project.suite(SUITE.replace("exact_match", "{contains: {text: ship}}"))
    project.worse()

    told = section(project.evals(), "prompt evals").splitlines()

    assert told[-1] == "  accuracy  0.300     0.400    +0.100  improved  10/0/0"


def test_a_changed_scorer_makes_its_metric_incomparable_without_the_outputs(project: Project) -> None:
    project.standard().accept()
    shutil.rmtree(project.root / "promptgate.baselines")
    shutil.rmtree(project.root / ".promptgate")
    project.worse()
    project.suite(SUITE.replace("exact_match", "{exact_match: {normalize: [strip, casefold]}}"))

    result = project.evals()

    result.assert_outcomes(passed=10, failed=1)
    told = section(result, "FAILURES").splitlines()
    assert told[1] == (
        "accuracy cannot be compared: its scorer queue has changed since the baseline, "
        "whose answers are not at hand to be scored anew"
    )
    assert told[-2:] == [
        "  scorers changed: queue",
        'to accept it: pytest evals/triage.eval.yaml --update-baseline --accept-regression "why"',
    ]
    project.accept("--accept-regression", "letter case does not matter")
    project.evals().assert_outcomes(passed=11)


def test_an_edited_row_leaves_the_pairs_and_is_listed(project: Project) -> None:
    project.standard().accept()
    project.dataset(edited(tuple(ROWS), 1))

    result = project.evals()

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals").splitlines()[1:3] == [
        "  10 cases: 9 unchanged, 1 asked, 62 tokens, $0.00",
        "  since the baseline: rows edited: c-01",
    ]


def test_added_and_removed_rows_are_listed(project: Project) -> None:
    project.standard().accept()
    project.dataset([*ROWS[1:], ("c-11", "the courier again", "shipping")])

    result = project.evals()

    assert section(result, "prompt evals").splitlines()[2] == (
        "  since the baseline: rows added: c-11; rows removed: c-01"
    )


def test_a_row_that_is_gone_is_red_until_it_is_accepted(project: Project) -> None:
    project.standard().accept()
    project.dataset(ROWS[1:])

    result = project.evals()

    result.assert_outcomes(passed=10, failed=1)
    assert section(result, "FAILURES") == (
        "_________________ triage@v1::gate:(dataset)[nearest-example-1] _________________\n"
        "the dataset has changed: 1 recorded case is gone: c-01 (used to pass: c-01)\n"
        "what differs from the baseline:\n"
        "  rows removed: c-01\n"
        'to accept it: pytest evals/triage.eval.yaml --update-baseline --accept-dataset-change "why"'
    )
    project.accept("--accept-dataset-change", "a duplicate").assert_outcomes(passed=11)
    project.evals().assert_outcomes(passed=10)


def test_too_many_edited_rows_are_no_comparison_until_they_are_accepted(project: Project) -> None:
    project.standard().accept()
    project.dataset(edited(tuple(ROWS), 2))

    result = project.evals()

    result.assert_outcomes(passed=10, failed=2)
    told = section(result, "FAILURES").splitlines()
    assert told[1] == (
        "accuracy cannot be judged: only 8 of 10 baseline cases can be compared (2 edited), less than 90 %"
    )
    assert told[-1] == ('to accept it: pytest evals/triage.eval.yaml --update-baseline --accept-dataset-change "why"')
    project.accept("--accept-dataset-change", "politer customers").assert_outcomes(passed=12)
    project.evals().assert_outcomes(passed=11)


def test_a_run_with_errors_cannot_be_accepted(project: Project) -> None:
    project.standard().accept()
    before = project.text(LOCKFILE)
    project.write(
        "conftest.py",
        "from pytest_promptgate import hookimpl\n"
        "def broken(completion, case):\n"
        "    raise RuntimeError('out of order')\n"
        "@hookimpl\n"
        "def promptgate_scorers():\n"
        "    return {'broken': broken}\n",
    )
    project.suite(SUITE.replace("exact_match", "broken"))

    result = project.run("--update-baseline", "--accept-regression", "whatever")

    result.assert_outcomes(failed=11)
    assert (
        section(result, "FAILURES")
        .splitlines()[-1]
        .startswith(
            "no baseline can be written from this run: 10 of 10 trials failed or were not asked, first c-01: "
            "queue: the scorer raised RuntimeError: out of order"
        )
    )
    assert project.text(LOCKFILE) == before


# --- a mapping of models ---------------------------------------------------------------------------------------------


def test_each_model_of_a_mapping_has_its_own_cases_gates_and_baseline(project: Project) -> None:
    project.standard()
    slots = "{fast: embedded/nearest-example-1, careful: {id: embedded/nearest-example-1, parameters: {seed: 7}}}"
    project.suite(f"{SUITE}model: {slots}\n")

    result = project.accept("-v")

    result.assert_outcomes(passed=22)
    result.stdout.fnmatch_lines(
        [
            "evals/triage.eval.yaml::triage@v1::c-01[[]careful[]] SCORED 1.00 *",
            "evals/triage.eval.yaml::triage@v1::gate:accuracy[[]careful[]] NEW *",
            "evals/triage.eval.yaml::triage@v1::c-01[[]fast[]] SCORED 1.00 *",
            "evals/triage.eval.yaml::triage@v1::gate:accuracy[[]fast[]] NEW *",
        ]
    )
    told = section(result, "prompt evals").splitlines()
    assert [line for line in told if " on " in line and not line.startswith("triage (")] == [
        "triage: triage@v1 on fast",
        "triage: triage@v1 on careful",
    ]
    assert set(json.loads(project.text(LOCKFILE))["suites"]["triage"]) == {"fast", "careful"}
    project.evals(f"{SUITE_FILE}::triage@v1::gate:accuracy[fast]").assert_outcomes(passed=1)
