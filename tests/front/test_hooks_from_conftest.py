"""A conftest.py, a plugin or a module of the project offers scorers, metrics, dataset formats and providers."""

from __future__ import annotations

import pytest
from front_project import ROWS, SUITE, Project, asked, section

HEAD = "from pytest_promptgate import Completion, Row, Score, Unscored, hookimpl\n"
POLITE = """\
from pytest_promptgate import Score, hookimpl

def polite(completion, case):
    return Score(value=0.5, reason="no please")

@hookimpl
def promptgate_scorers():
    return {"polite": polite}
"""


def test_a_scorer_of_the_conftest_is_used_by_its_name(project: Project) -> None:
    project.standard()
    project.write("conftest.py", POLITE)
    project.suite(SUITE.replace("exact_match", "polite"))

    assert (
        section(project.evals(), "prompt evals").splitlines()[-1]
        == "  accuracy  -         0.500    -       new      10/0/0"
    )


def test_a_conftest_beside_the_suites_is_heard_too(project: Project) -> None:
    project.standard()
    project.write("evals/conftest.py", POLITE)
    project.suite(SUITE.replace("exact_match", "polite"))

    project.evals().assert_outcomes(passed=11)


def test_a_scorer_class_takes_settings_from_the_suite(project: Project) -> None:
    project.standard()
    project.write(
        "conftest.py",
        f"{HEAD}from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\n"
        "class Length:\n"
        "    most: int = 5\n"
        "    def __call__(self, completion, case):\n"
        "        return Score(value=float(len(completion.text) <= self.most))\n"
        "@hookimpl\n"
        "def promptgate_scorers():\n"
        "    return {'short': Length}\n",
    )
    project.suite(SUITE.replace("exact_match", "{short: {most: 7}}"))

    assert "  accuracy  -         0.700" in section(project.evals(), "prompt evals")


def test_an_async_scorer_is_awaited(project: Project) -> None:
    project.standard()
    project.write("conftest.py", POLITE.replace("def polite", "async def polite"))
    project.suite(SUITE.replace("exact_match", "polite"))

    project.evals().assert_outcomes(passed=11)


def test_an_aggregate_of_the_conftest_makes_a_metric(project: Project) -> None:
    project.standard()
    project.worse("v1")
    project.write(
        "conftest.py",
        f"{HEAD}@hookimpl\n"
        "def promptgate_metrics():\n"
        "    return {'spread': lambda values: max(values) - min(values)}\n",
    )
    project.suite(SUITE.replace("mean(queue)", "spread(queue)"))

    result = project.accept()

    assert "  accuracy  -         1.000    -       new      10/0/0" in section(result, "prompt evals")
    assert asked(project.evals()) == ["10 cases: 10 unchanged, 0 asked"]


def test_a_dataset_format_of_the_conftest_is_read(project: Project) -> None:
    project.standard()
    project.write(
        "conftest.py",
        f"{HEAD}from pathlib import Path\n"
        "def read(path):\n"
        "    lines = enumerate(Path(path).read_text().splitlines(), 1)\n"
        "    parts = ((number, line.split('|')) for number, line in lines)\n"
        "    return [Row(fields={'id': i, 'message': m, 'expected': e}, line=n) for n, (i, m, e) in parts]\n"
        "@hookimpl\n"
        "def promptgate_dataset_loaders():\n"
        "    return {'.pipes': read}\n",
    )
    project.write("datasets/mails.pipes", "".join("|".join(row) + "\n" for row in ROWS))
    project.suite(SUITE.replace(".jsonl", ".pipes"))

    project.evals().assert_outcomes(passed=11)


def test_a_provider_of_the_conftest_answers(project: Project) -> None:
    project.scripted("Completion(text=answers[question])")

    result = project.accept()

    result.assert_outcomes(passed=11)
    assert asked(project.evals()) == ["10 cases: 10 unchanged, 0 asked"]


def test_a_plugin_given_with_p_is_heard(project: Project) -> None:
    project.standard()
    project.write("manners.py", POLITE)
    project.pytester.syspathinsert()
    project.suite(SUITE.replace("exact_match", "polite"))

    project.evals("-p", "manners").assert_outcomes(passed=11)


def test_a_clash_of_names_is_an_error_that_names_both(project: Project) -> None:
    project.standard()
    project.write("manners.py", POLITE)
    project.write("etiquette.py", POLITE)
    project.pytester.syspathinsert()

    result = project.evals("-p", "manners", "-p", "etiquette")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: etiquette: promptgate_scorers offers 'polite', which manners offers too\n"
        "  Rename one of the two, or switch one plugin off with -p no:NAME."
    )


def test_a_built_in_name_cannot_be_taken_over(project: Project) -> None:
    project.standard()
    project.write("manners.py", POLITE.replace('"polite"', '"exact_match"'))
    project.pytester.syspathinsert()

    result = project.evals("-p", "manners")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: manners: promptgate_scorers offers 'exact_match', which pytest_promptgate.scorers.offers offers too\n"
        "  Rename one of the two, or switch one plugin off with -p no:NAME."
    )


def test_a_clash_in_a_conftest_beside_the_suites_is_a_collection_error_of_that_suite(project: Project) -> None:
    project.standard()
    project.write("conftest.py", POLITE)
    project.write("evals/conftest.py", POLITE)

    result = project.evals()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    told = section(result, "ERRORS")
    assert f"promptgate_scorers offers 'polite', which {project.root}/" in told
    assert "Rename one of the two, or switch one plugin off with -p no:NAME." in told
    assert "Traceback" not in told


def test_an_offer_that_is_no_mapping_is_an_error(project: Project) -> None:
    project.standard()
    project.write("manners.py", POLITE.replace('{"polite": polite}', "[polite]"))
    project.pytester.syspathinsert()

    result = project.evals("-p", "manners")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: manners: promptgate_scorers returned list, not a mapping\n"
        "  Return {name: offer}, or None for no offers."
    )


def test_a_hook_that_raises_is_told_with_its_plugin_and_place(project: Project) -> None:
    project.standard()
    project.write("manners.py", POLITE.replace('return {"polite": polite}', "return {}['polite']"))
    project.pytester.syspathinsert()

    result = project.evals("-p", "manners")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        f"ERROR: manners: promptgate_scorers raised KeyError: 'polite'\n  at {project.root}/manners.py:8"
    )


def test_no_offer_is_fine(project: Project) -> None:
    project.standard()
    project.write("conftest.py", f"{HEAD}@hookimpl\ndef promptgate_scorers():\n    return None\n")

    project.evals().assert_outcomes(passed=11)


def test_a_hook_is_asked_once_however_many_suites_there_are(project: Project) -> None:
    project.standard()
    project.suite(name="second")
    project.write(
        "conftest.py",
        f"{HEAD}from pathlib import Path\n"
        "@hookimpl\n"
        "def promptgate_scorers():\n"
        "    heard = Path(__file__).with_name('heard')\n"
        "    heard.write_text(heard.read_text() + 'twice' if heard.exists() else 'once')\n",
    )

    project.evals().assert_outcomes(passed=22)

    assert project.text("heard") == "once"


# --- callables by their path -----------------------------------------------------------------------------------------


def test_a_function_of_a_module_is_a_scorer(project: Project) -> None:
    project.standard()
    project.write("mine/__init__.py", "")
    project.write("mine/rules.py", "def short(completion, case):\n    return len(completion.text) < 8\n")
    project.suite(SUITE.replace("exact_match", "mine.rules:short"))

    assert "  accuracy  -         0.700" in section(project.evals(), "prompt evals")


def test_an_edited_scorer_is_another_scorer(project: Project) -> None:
    project.standard()
    project.write("conftest.py", POLITE)
    project.suite(SUITE.replace("exact_match", "polite"))
    project.accept()
    project.write("conftest.py", POLITE.replace("0.5", "0.4"))

    told = section(project.evals(), "prompt evals").splitlines()

    assert told[-1] == "  accuracy  0.400     0.400    +0.000  unchanged  10/0/0"


def test_a_module_that_cannot_be_imported_is_told_at_its_place_in_the_suite(project: Project) -> None:
    project.standard()
    project.suite(SUITE.replace("exact_match", "mine.rules:short"))

    result = project.evals()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "evals/triage.eval.yaml:3:" in section(result, "ERRORS")
    assert "mine" in section(result, "ERRORS")
    assert "Traceback" not in section(result, "ERRORS")


# --- scorers that break ----------------------------------------------------------------------------------------------


def test_a_scorer_that_raises_is_the_error_of_that_case_with_its_name(project: Project) -> None:
    project.standard()
    project.write(
        "conftest.py",
        POLITE.replace('    return Score(value=0.5, reason="no please")', "    return 1 / (case.id != 'c-03')"),
    )
    project.suite(SUITE.replace("exact_match", "polite"))

    result = project.evals()

    assert section(result, "FAILURES").split("\n____")[0] == (
        "______________________ triage@v1::c-03[nearest-example-1] ______________________\n"
        "c-03 could not be scored: queue: the scorer raised ZeroDivisionError: float division by zero\n"
        "  at conftest.py:4"
    ).replace("float division", "division")
    assert "accuracy cannot be judged: 1 of 10 trials have no score (1 errored), more than 2 %" in result.stdout.str()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return 7", "the scorer returned 7"),
        ("return 'good'", "the scorer returned a str"),
        ("return None", "the scorer returned None"),
        ("raise SystemExit(3)", "the scorer raised SystemExit: 3"),
        ("import pytest; pytest.fail('no')", "the scorer raised Failed: no"),
    ],
)
def test_what_a_scorer_does_wrong_is_told_in_its_name(project: Project, body: str, told: str) -> None:
    project.standard()
    project.write("conftest.py", POLITE.replace('return Score(value=0.5, reason="no please")', body))
    project.suite(SUITE.replace("exact_match", "polite"))

    result = project.evals()

    assert section(result, "FAILURES").splitlines()[1] == f"c-01 could not be scored: queue: {told}"
