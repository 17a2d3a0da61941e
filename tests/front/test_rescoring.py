"""A changed scorer: the baseline's stored answers are scored anew, and nothing is asked for it (DECISIONS 20)."""

from __future__ import annotations

import json
import shutil

from front_project import SUITE, Project, asked, section

LOCKFILE = "promptgate.lock.json"
OTHER = SUITE.replace("exact_match", "{exact_match: {normalize: [strip, casefold]}}")

SCORER = """\
import asyncio
from pathlib import Path
from pytest_promptgate import Score, hookimpl

async def lenient(completion, case):
    await asyncio.sleep(0)
    with Path(__file__).with_name("scored.txt").open("a") as log:
        log.write(f"{case.id} {completion.text}\\n")
    return Score(value=1.0 if completion.text in (case.expected, WAIVED) else 0.0)

lenient.version = VERSION

@hookimpl
def promptgate_scorers():
    return {"lenient": lenient}
"""


def test_a_changed_scorer_is_compared_by_its_own_scores_of_both_sides(project: Project) -> None:
    project.standard().accept()
    project.worse()
    project.suite(OTHER)

    result = project.evals()

    result.assert_outcomes(passed=10, failed=1)
    told = section(result, "FAILURES").splitlines()
    assert told[1] == "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0)"
    assert "  scorers changed: queue" in told


def test_an_unchanged_suite_under_a_changed_scorer_asks_nothing_and_is_green(project: Project) -> None:
    project.standard().accept()
    project.suite(OTHER)
    shutil.rmtree(project.root / ".promptgate", ignore_errors=True)

    result = project.evals()

    result.assert_outcomes(passed=11)
    assert asked(result) == ["10 cases: 10 unchanged, 0 asked"]
    project.accept()
    assert "scorers" in json.loads(project.text(LOCKFILE))["suites"]["triage"]["default"]


def test_a_scorer_that_waits_scores_each_answer_once(project: Project) -> None:
    project.standard()
    project.suite(SUITE.replace("exact_match", "lenient"))
    project.write("conftest.py", SCORER.replace("WAIVED", "None").replace("VERSION", "'1'"))
    project.accept()
    (project.root / "scored.txt").unlink()
    project.worse()
    project.write("conftest.py", SCORER.replace("WAIVED", "'account'").replace("VERSION", "'2'"))

    result = project.run_apart("--prompt-evals")

    assert "accuracy fell from 1.000 to 0.700" in result.stdout.str()
    scored = project.text("scored.txt").splitlines()
    assert len(scored) == len(set(scored)) == 13  # ten new answers, and the three old ones that differ


def test_with_some_answers_missing_it_cannot_be_compared(project: Project) -> None:
    project.standard().accept()
    path = "promptgate.baselines/triage.jsonl"
    project.write(path, "".join(line for line in project.text(path).splitlines(keepends=True) if '"c-05"' not in line))
    project.worse()
    project.suite(OTHER)

    result = project.evals()

    told = section(result, "FAILURES").splitlines()
    assert told[1] == (
        "accuracy cannot be compared: its scorer queue has changed since the baseline, "
        "whose answers are not at hand to be scored anew"
    )
    assert told[-1] == 'to accept it: pytest evals/triage.eval.yaml --update-baseline --accept-regression "why"'


def test_a_scorer_that_fails_on_the_old_answers_leaves_them_uncompared(project: Project) -> None:
    project.standard()
    project.suite(SUITE.replace("exact_match", "lenient"))
    project.write("conftest.py", SCORER.replace("WAIVED", "None").replace("VERSION", "'1'"))
    project.accept()
    project.worse()
    broken = SCORER.replace("WAIVED", "None").replace("VERSION", "'2'")
    project.write(
        "conftest.py",
        broken.replace(
            "    await", "    if completion.text == 'account':\n        raise RuntimeError('no')\n    await"
        ),
    )

    result = project.run_apart("--prompt-evals")

    assert "only 7 of 10 baseline cases can be compared (3 without a score), less than 90 %" in result.stdout.str()
