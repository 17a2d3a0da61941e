"""Letters, words and the short summary: pytest's own outcomes, said in our words."""

from __future__ import annotations

import re

import pytest
from front_project import ROWS, SUITE, Project, section

V1 = "evals/triage.eval.yaml::triage@v1"
BROKEN = """\
from pytest_promptgate import Score, Unscored, hookimpl

def broken(completion, case):
    if case.id == "c-01":
        raise LookupError("no such thing")
    return Unscored(reason="cannot tell") if case.id == "c-02" else Score(value=0.25)

@hookimpl
def promptgate_scorers():
    return {"broken": broken}
"""


def words(result: pytest.RunResult) -> dict[str, str]:
    """The word that ``-v`` prints behind each node id of the suite, by the item's name without its model."""
    found = (re.match(r"\S+::([^:\[]+(?::\w+)?)\[\S+\] (.*?) +\[", line) for line in result.stdout.lines)
    return {match[1]: match[2] for match in found if match}


def test_a_right_answer_is_a_dot_a_wrong_one_a_comma_and_gates_are_g(project: Project) -> None:
    project.standard()
    project.worse("v1")

    result = project.evals()

    result.stdout.fnmatch_lines(["evals/triage.eval.yaml ....,,..,.g *"])


def test_a_red_gate_is_a_capital_g(project: Project) -> None:
    project.standard().accept()
    project.worse()

    project.evals().stdout.fnmatch_lines(["evals/triage.eval.yaml ....,,..,.G *"])


def test_v_tells_scores_and_where_they_come_from(project: Project) -> None:
    project.standard().accept()
    project.dataset([*ROWS[:2], ("new", "where is my password", "billing")])
    project.suite(SUITE + "gate: {accuracy: {tolerance: 1}}\n")

    told = words(project.evals("-v"))

    assert told["c-01"] == "UNCHANGED 1.00"
    assert told["new"] == "SCORED 0.00"


@pytest.mark.parametrize(
    ("examples", "word"), [("same", "UNCHANGED"), ("worse", "REGRESSED"), ("fewer rows", "INCONCLUSIVE")]
)
def test_v_tells_the_verdict_of_a_gate(project: Project, examples: str, word: str) -> None:
    project.standard().accept()
    if examples == "worse":
        project.worse()
    if examples == "fewer rows":
        project.dataset(ROWS[:5])

    assert words(project.evals("-v"))["gate:accuracy"] == word


def test_the_word_of_a_case_tells_what_is_missing(project: Project) -> None:
    project.standard()
    project.write("conftest.py", BROKEN)
    project.suite(SUITE.replace("scorers: {queue: exact_match}", "scorers: {queue: exact_match, ok: broken}"))

    told = words(project.evals("-v"))

    assert told["c-01"] == "UNSCORED"  # one scorer raised, whatever the other says
    assert told["c-02"] == "SCORED 1.00"
    assert told["c-03"] == "SCORED 0.62"


def test_the_word_of_an_unanswered_case_says_so(project: Project) -> None:
    project.scripted("fail(TransportFault('it/m-1', 'the line is dead'))")

    result = project.evals("-v")

    assert set(words(result).values()) == {"UNANSWERED", "INCONCLUSIVE"}
    assert section(result, "FAILURES").splitlines()[:2] == [
        "_____________________________ triage@v1::c-01[m-1] _____________________________",
        "c-01 could not be answered: it/m-1: the line is dead",
    ]


def test_the_short_summary_names_the_verdict_and_the_reason(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.standard().accept()
    project.worse()
    monkeypatch.setenv("COLUMNS", "200")

    result = project.evals()

    assert section(result, "short test summary info") == (
        "REGRESSED evals/triage.eval.yaml::triage@v2::gate:accuracy[nearest-example-1]"
        " - accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"
    )


def test_the_short_summary_of_a_case_that_must_pass_says_failed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.standard()
    project.suite(f"{SUITE}must_pass: [c-05]\n")
    project.worse("v1")
    monkeypatch.setenv("COLUMNS", "200")

    assert section(project.evals(), "short test summary info") == (
        f"FAILED 0.00 {V1}::c-05[nearest-example-1]"
        " - c-05 must pass, but queue scored 0 (needs 1): answered 'billing', expected 'account'"
    )


def test_outcomes_stay_those_of_pytest(project: Project) -> None:
    project.standard().accept()
    project.worse()

    result = project.evals()

    assert result.parseoutcomes() == {"failed": 1, "passed": 10}
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_the_list_of_passed_items_uses_the_same_words(project: Project) -> None:
    result = project.standard().evals("-rA")

    assert f"SCORED 1.00 {V1}::c-01[nearest-example-1]" in section(result, "short test summary info")


def test_ordinary_tests_keep_their_letters_and_words(project: Project) -> None:
    project.standard()
    project.write(
        "test_unit.py",
        "import pytest\n"
        "def test_fine(): pass\n"
        "def test_bad(): assert 0\n"
        "@pytest.mark.xfail\n"
        "def test_known(): assert 0\n"
        "def test_none(): pytest.skip('no')\n",
    )

    result = project.evals()

    result.stdout.fnmatch_lines(["test_unit.py .Fxs*"])
    result.assert_outcomes(passed=12, failed=1, xfailed=1, skipped=1)
