"""Evals are selected, deselected and re-run as any test is; a part of a suite never passes for the whole."""

from __future__ import annotations

import json
import shutil

import pytest
from front_project import ROWS, SUITE, Project, asked, section

V1 = "evals/triage.eval.yaml::triage@v1"
GATE = f"{V1}::gate:accuracy[nearest-example-1]"
UNIT = "def test_fine():\n    pass\n"
BROKEN_UNIT = "def test_broken():\n    assert False\n"


def is_asked(project: Project) -> bool:
    """Whether any answer was ever asked for and stored."""
    return (project.root / ".promptgate").exists()


def selected(result: pytest.RunResult) -> list[str]:
    """The node ids that ``--collect-only -q`` prints."""
    return [line for line in result.stdout.lines if "::" in line]


# --- choosing --------------------------------------------------------------------------------------------------------


def test_k_compares_what_it_chooses_and_says_so(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.evals("-k", "c-05 or c-01 or gate")

    result.assert_outcomes(passed=2, failed=1, deselected=8)
    assert section(result, "FAILURES").splitlines()[1] == (
        "accuracy fell from 1.000 to 0.500 (n=2, change -0.500, tolerance 0)"
    )
    assert section(result, "FAILURES").splitlines()[-1] == (
        "compared on a part only (partial selection: 2 of 10 cases); a baseline needs all cases"
    )
    assert section(result, "prompt evals").splitlines()[:4] == [
        "triage: triage@v2 on embedded/nearest-example-1",
        "  2 cases: 0 unchanged, 2 asked, 92 tokens, $0.00",
        "  since the baseline: prompt: v1 -> v2",
        "  partial selection: 2 of 10 cases: compared on these cases, no baseline is written",
    ]


def test_a_partial_run_is_judged_in_the_table_without_its_gate(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.evals("-k", "c-05")

    result.assert_outcomes(passed=1, deselected=10)
    assert section(result, "prompt evals").splitlines()[-1] == (
        "  accuracy  1.000     0.000    -1.000  regressed  1/0/0"
    )


def test_a_partial_run_never_writes_a_baseline(project: Project) -> None:
    project.standard()

    result = project.run("--update-baseline", "-k", "c-01")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert section(result, "prompt evals").splitlines()[-1] == (
        "triage: baseline NOT written: the run is not complete: partial selection: 1 of 10 cases"
    )
    assert not (project.root / "promptgate.lock.json").exists()


def test_m_takes_the_evals_alone_or_leaves_them_out(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", UNIT)

    project.evals("-m", "prompt_eval").assert_outcomes(passed=11, deselected=1)
    project.evals("-m", "not prompt_eval").assert_outcomes(passed=1, deselected=11)


def test_every_printed_node_id_can_be_pasted_back(project: Project) -> None:
    project.standard()
    project.suite(f"{SUITE}model: {{fast: embedded/nearest-example-1, sure: embedded/nearest-example-1}}\n", name="two")
    ids = selected(project.evals("--collect-only", "-q"))

    assert len(ids) == 11 + 22
    for start in range(0, len(ids), 11):
        part = ids[start : start + 11]
        assert selected(project.evals("--collect-only", "-q", *part)) == part
    assert [selected(project.evals("--collect-only", "-q", each)) for each in ids[8:14]] == [
        [each] for each in ids[8:14]
    ]


@pytest.mark.parametrize(("part", "count"), [("", 11), ("::c-01", 1), ("::gate:accuracy", 1)])
def test_a_node_id_without_its_model_takes_all_models(project: Project, part: str, count: int) -> None:
    project.standard()

    assert len(selected(project.evals("--collect-only", "-q", f"{V1}{part}"))) == count


def test_a_gate_alone_pulls_its_whole_suite_in(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.evals(f"{V1.replace('v1', 'v2')}::gate:accuracy")

    result.assert_outcomes(failed=1)
    assert section(result, "FAILURES").splitlines()[1] == (
        "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"
    )


def test_a_suite_that_is_named_twice_is_asked_once(project: Project) -> None:
    result = project.standard().evals("--keep-duplicates", "evals", "evals")

    result.assert_outcomes(passed=22)
    assert asked(result) == ["10 cases: 0 unchanged, 10 asked, 591 tokens, $0.00"]


def test_a_suite_with_a_space_in_its_name_can_be_pasted_back(project: Project) -> None:
    project.standard()
    project.suite(f"suite: spaced\n{SUITE}", name="with space")

    result = project.evals("evals/with space.eval.yaml::triage@v1::c-01[nearest-example-1]")

    result.assert_outcomes(passed=1)


def test_deselected_cases_are_not_asked(project: Project) -> None:
    project.standard()

    result = project.evals("--deselect", f"{V1}::c-01", "--deselect", f"{V1}::c-02")

    result.assert_outcomes(passed=9, deselected=2)
    assert asked(result) == ["8 cases: 0 unchanged, 8 asked, 471 tokens, $0.00"]


# --- asking nothing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan", "--setup-only"])
@pytest.mark.parametrize("update", ["--prompt-evals", "--update-baseline"])
def test_looking_at_what_would_run_asks_nothing_and_writes_nothing(project: Project, option: str, update: str) -> None:
    result = project.standard().run(option, update)

    assert result.ret == pytest.ExitCode.OK
    assert not is_asked(project)
    assert not (project.root / "promptgate.lock.json").exists()
    assert "prompt evals" not in result.stdout.str()


def test_a_failing_ordinary_test_under_x_asks_nothing(project: Project) -> None:
    project.standard()
    project.write("zz/test_unit.py", BROKEN_UNIT)

    result = project.evals("-x")

    result.assert_outcomes(failed=1)
    assert not is_asked(project)


def test_ordinary_tests_run_before_evals(project: Project) -> None:
    project.standard()
    project.write("zz/test_unit.py", UNIT)

    ids = selected(project.evals("--collect-only", "-q"))

    assert ids[0] == "zz/test_unit.py::test_fine"
    assert ids[-1] == GATE


# --- running again ---------------------------------------------------------------------------------------------------


def test_lf_after_a_red_gate_runs_that_gate_over_the_whole_suite(project: Project) -> None:
    project.standard().accept()
    project.worse()
    project.evals().assert_outcomes(passed=10, failed=1)

    result = project.evals("--lf")

    result.assert_outcomes(failed=1, deselected=10)
    assert section(result, "FAILURES").splitlines()[1].startswith("accuracy fell from 1.000 to 0.700 (n=10,")


def test_ff_puts_no_gate_before_its_cases(project: Project) -> None:
    project.standard().accept()
    project.worse()
    project.evals().assert_outcomes(passed=10, failed=1)

    result = project.evals("--ff", "-v")

    result.assert_outcomes(passed=10, failed=1)
    assert "gate:accuracy" in [line for line in result.stdout.lines if "::" in line and "%]" in line][-1]


def test_sw_goes_on_at_the_red_gate(project: Project) -> None:
    project.standard().accept()
    project.worse()
    assert project.evals("--sw").ret == pytest.ExitCode.INTERRUPTED

    result = project.evals("--sw")

    result.assert_outcomes(failed=1, deselected=10)


def test_x_stops_at_the_first_failing_case_and_judges_nothing(project: Project) -> None:
    project.standard()
    project.suite(f"{SUITE}must_pass: [c-01]\n")
    project.dataset([("c-01", "the card was charged two times", "account"), *ROWS[1:]])

    result = project.evals("-x")

    result.assert_outcomes(failed=1)
    assert "  not judged: the run ended early; answers are stored, the next run goes on from there" in section(
        result, "prompt evals"
    )


def test_maxfail_counts_cases_and_gates(project: Project) -> None:
    project.standard()
    project.suite(f"{SUITE}must_pass: [c-01, c-02, c-03]\n")
    project.dataset([(case, message, "nobody") for case, message, _ in ROWS])

    project.evals("--maxfail=2").assert_outcomes(failed=2)


def test_an_update_that_ends_early_writes_nothing_and_says_so(project: Project) -> None:
    project.standard()
    project.suite(f"{SUITE}must_pass: [c-01]\n")
    project.dataset([("c-01", "the card was charged two times", "account"), *ROWS[1:]])

    result = project.run("--update-baseline", "-x")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert section(result, "prompt evals").splitlines()[-1] == "no baseline was written: the run ended early"
    assert not (project.root / "promptgate.lock.json").exists()


# --- nothing ---------------------------------------------------------------------------------------------------------


def test_a_filter_that_matches_nothing_is_no_success(project: Project) -> None:
    result = project.standard().evals("-k", "nonsense")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not is_asked(project)


def test_an_update_for_which_nothing_is_selected_fails(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", UNIT)

    result = project.run("--update-baseline", "-k", "test_fine")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert section(result, "prompt evals") == "triage: baseline NOT written: no case of it was selected"


def test_a_directory_without_suites_is_an_error(project: Project) -> None:
    project.write("test_unit.py", UNIT)

    result = project.evals()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        f"ERROR: --prompt-evals found no *.eval.yaml file below {project.root}\n"
        "  Name the suite, its directory, or a directory above it."
    )


def test_one_ordinary_test_file_may_run_where_evals_are_always_on(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", UNIT)
    project.write("pytest.ini", "[pytest]\naddopts = --prompt-evals\n")

    project.run("test_unit.py").assert_outcomes(passed=1)


def test_an_update_of_no_suite_is_an_error_whatever_the_arguments(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", UNIT)

    result = project.run("--update-baseline", "test_unit.py")

    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_an_unknown_case_is_not_found(project: Project) -> None:
    result = project.standard().evals(f"{V1}::c-99")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: not found: {project.root}/{V1}::c-99" in result.stderr.str()


# --- folded suites ---------------------------------------------------------------------------------------------------


def folded(project: Project) -> Project:
    """The standard project with one item for all cases."""
    project.write("pytest.ini", "[pytest]\npromptgate_items = suite\n")
    return project.standard()


def test_a_folded_suite_is_one_item_and_its_gates(project: Project) -> None:
    result = folded(project).evals("-v")

    result.assert_outcomes(passed=2)
    assert selected(result)[0].startswith(f"{V1}::cases[nearest-example-1] SCORED")
    assert asked(result) == ["10 cases: 0 unchanged, 10 asked, 591 tokens, $0.00"]


def test_a_folded_suite_lists_the_failing_cases_itself(project: Project) -> None:
    folded(project)
    project.suite(f"{SUITE}must_pass: [c-01, c-02, c-03]\n")
    project.dataset([("c-01", "the invoice", "account"), ("c-02", "a parcel", "account"), *ROWS[2:]])

    result = project.evals()

    result.assert_outcomes(passed=1, failed=1)
    assert section(result, "FAILURES") == (
        "_____________________ triage@v1::cases[nearest-example-1] ______________________\n"
        "2 of 10 cases failed\n"
        "c-01 must pass, but queue scored 0 (needs 1): answered 'billing', expected 'account'\n"
        "  answer: billing\n"
        "c-02 must pass, but queue scored 0 (needs 1): answered 'shipping', expected 'account'\n"
        "  answer: shipping"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((f"{V1}::c-05",), ["c-05"]),
        ((f"{V1}::c-05[nearest-example-1]", f"{V1}::c-01"), ["c-05", "c-01"]),
        (("-k", "c-05 or c-06"), ["c-05", "c-06"]),
        (("-k", "c-05 or gate"), ["c-05", "gate:accuracy"]),
        (("-k", "triage"), ["cases", "gate:accuracy"]),
        (("-k", "gate"), ["gate:accuracy"]),
        (("-k", "not (c-0 or gate)"), ["c-10"]),
        (("-k", "c-0", "--deselect", f"{V1}::c-01"), [f"c-0{number}" for number in range(2, 10)]),
        (("-k", "cases"), ["cases"]),
    ],
)
def test_of_a_folded_suite_single_cases_can_be_chosen(
    project: Project, arguments: tuple[str, ...], expected: list[str]
) -> None:
    ids = selected(folded(project).evals("--collect-only", "-q", *arguments))

    assert ids == [f"{V1}::{name}[nearest-example-1]" for name in expected]


def test_above_five_thousand_cases_a_suite_folds_by_itself(project: Project) -> None:
    project.standard()
    project.dataset([(f"r-{number}", "a parcel", "shipping") for number in range(5001)])

    ids = selected(project.evals("--collect-only", "-q"))

    assert ids == [f"{V1}::cases[nearest-example-1]", GATE]


def test_a_chosen_case_of_a_folded_suite_runs_alone(project: Project) -> None:
    result = folded(project).evals("-k", "c-05")

    result.assert_outcomes(passed=1, deselected=1)
    assert asked(result) == ["1 case: 0 unchanged, 1 asked, 58 tokens, $0.00"]


def test_a_wrong_k_expression_is_told_by_pytest_itself(project: Project) -> None:
    result = folded(project).evals("-k", "c-05 or (")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Wrong expression passed to '-k': c-05 or (" in result.stderr.str()


def test_an_unknown_way_to_make_items_is_a_usage_error(project: Project) -> None:
    project.standard().write("pytest.ini", "[pytest]\npromptgate_items = row\n")

    result = project.evals()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == "ERROR: promptgate_items = 'row': expected one of auto, case, suite"


SMOKE = ("c-05", "c-06", "c-09")  # those that a worse prompt breaks

# --- the smoke tier --------------------------------------------------------------------------------------------------


def test_the_smoke_tier_runs_a_few_cases_and_says_so(project: Project) -> None:
    project.standard()
    project.suite(f"{SUITE}smoke: 3\n")
    project.accept()

    result = project.evals("--prompt-smoke")

    result.assert_outcomes(passed=4)
    assert section(result, "prompt evals").splitlines()[1:3] == [
        "  3 cases: 3 unchanged, 0 asked",
        "  smoke tier: 3 of 10 cases: compared on these cases, no baseline is written",
    ]


def test_the_smoke_tier_is_compared_with_the_same_cases_of_the_baseline_and_leaves_it_alone(project: Project) -> None:
    project.standard()
    rows = [{"id": case, "message": text, "expected": queue, "smoke": case in SMOKE} for case, text, queue in ROWS]
    project.write("datasets/mails.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    project.suite(f"{SUITE}smoke: 2\n")
    project.accept()
    before = project.text("promptgate.lock.json")
    project.worse()

    result = project.evals("--prompt-smoke")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    summary = section(result, "prompt evals")
    assert "  accuracy  1.000     0.000    -1.000  regressed  2/0/0" in summary
    assert (
        "  note: 3 rows are marked `smoke` and the tier takes 2: c-09 left out. Mark fewer, or write `smoke: 3` into "
        in summary
    )
    assert project.text("promptgate.lock.json") == before


def test_the_smoke_tier_cannot_write_a_baseline(project: Project) -> None:
    result = project.standard().run("--prompt-smoke", "--update-baseline")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: --prompt-smoke runs a few cases only, and --update-baseline needs all: drop one of the two"
    )


# --- pytest's own ways -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ("-p", "no:cacheprovider"),
        ("-q",),
        ("-qq",),
        ("-vv",),
        ("-s", "-l"),
        ("-W", "error", "--strict-markers", "--strict-config"),
        ("--no-summary",),
        ("--tb=short",),
        ("--tb=no",),
        ("--tb=native", "--import-mode=importlib"),
    ],
    ids=" ".join,
)
def test_verdicts_and_exit_codes_do_not_depend_on_how_pytest_talks(project: Project, options: tuple[str, ...]) -> None:
    project.standard().accept()
    project.worse()

    assert project.evals(*options).ret == pytest.ExitCode.TESTS_FAILED
    shutil.rmtree(project.root / "prompts/triage")
    project.prompt("v1")
    assert project.evals(*options).ret == pytest.ExitCode.OK


def test_without_a_terminal_reporter_the_exit_code_still_tells(project: Project) -> None:
    project.standard().accept()
    project.worse()

    assert project.evals("-p", "no:terminal").ret == pytest.ExitCode.TESTS_FAILED


def test_no_summary_leaves_the_tables_out(project: Project) -> None:
    result = project.standard().evals("--no-summary")

    result.assert_outcomes(passed=11)
    assert "= prompt evals =" not in result.stdout.str()


def test_durations_show_how_long_the_answer_took_not_how_long_pytest_waited(project: Project) -> None:
    project.scripted("Completion(text='billing', latency_s=12.25)")

    result = project.evals("--durations=1")

    result.stdout.re_match_lines([r"12\.25s call +evals/triage\.eval\.yaml::triage@v1::c-\d\d\[m-1\]"])


def test_cases_without_their_gates_are_measured_and_fail_nothing(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.evals("-k", "c-05 or c-06")

    result.assert_outcomes(passed=2, deselected=9)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["MEASURED: what was selected passed; of what was not: accuracy fell from 1.000 to", "  0.000 (n=2, *"]
    )
