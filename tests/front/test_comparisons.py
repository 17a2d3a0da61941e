"""Answers held against production's by a judge, in both orders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from front_project import RIGHT, lines_of
from judge_project import CASES, SUITE, Models, judged_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from front_project import Project
    from loopback.server import LoopbackServer

    Loopback = Callable[..., LoopbackServer]

RUBRIC = """\
criterion: Which reply names the right queue?
model: local/small-2
sees: {inputs: [message], expected: true}
"""
COMPARED = SUITE.replace("judge:", "compare:").replace("tone: mean(tone)", "wins: mean(tone)")


def fair(seen: dict[str, str]) -> str:
    first, second = (seen[f"{which} answer"] == seen["expected"] for which in ("first", "second"))
    better = "tie" if first == second else "first" if first else "second"
    return f"VERDICT {seen['mark']}: {better}"


def polite(question: str) -> str:
    return f"It is {RIGHT[question]}."


def compared(project: Project, loopback: Loopback, models: Models) -> Project:
    judged_project(project, loopback(answers=models).base_url, rubric=RUBRIC, suite=COMPARED)
    return project


def changed(project: Project) -> None:
    project.prompt("v2", {"a": "b"}, model="{id: small-1, provider: local}")


def test_production_is_at_par_and_a_worse_answer_loses(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    compared(project, loopback, models).accept()
    changed(project)
    models.answer = lambda question: "account" if "card" in question else RIGHT[question]

    result = project.evals()

    assert "wins fell from 0.500 to 0.400 (n=10, change -0.100, tolerance 0)" in result.stdout.str()
    assert len(models.judged) == 4  # two answers that differ, in two orders
    assert lines_of(result, "  tone: ") == [
        "  tone: 0 won, 8 tied, 2 lost against production: win rate 0.400 (95 %: 0.168 … 0.687)",
        "  tone: both orders agree on 2 of 2 answers",
    ]


def test_a_better_answer_wins_and_the_next_baseline_is_at_par_again(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=fair, answer=lambda question: "account" if "card" in question else RIGHT[question])
    compared(project, loopback, models).accept()
    changed(project)
    models.answer = RIGHT.__getitem__

    better = project.accept()
    again = project.evals()

    assert "  wins    0.500     0.600    +0.100  within-noise  10/0/0" in better.stdout.lines
    cases = json.loads(project.text("promptgate.lock.json"))["suites"]["triage"]["default"]["cases"]
    assert [each["samples"][0]["scores"] for each in cases.values()] == [{"tone": 0.5}] * CASES
    again.assert_outcomes(passed=CASES + 1)
    assert "  wins    0.500     0.500    +0.000  unchanged  10/0/0" in again.stdout.lines
    assert len(models.judged) == 4


def test_a_judge_that_goes_by_position_decides_nothing(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=lambda seen: f"VERDICT {seen['mark']}: first")
    compared(project, loopback, models).accept()
    changed(project)
    models.answer = polite

    result = project.evals()

    result.assert_outcomes(passed=CASES, failed=1)
    assert (
        "wins cannot be judged: its judge goes by position: both orders agree on 0 of 10 answers, below 0.8"
        in result.stdout.lines
    )
    assert lines_of(result, "  tone: both") == [
        "  tone: both orders agree on 0 of 10 answers; the first answer was preferred in both orders 10 times, the "
        "second 0 times: below 0.8, so this judge goes by position and is not to be trusted"
    ]


def test_without_productions_answers_nothing_can_be_compared(project: Project, loopback: Loopback) -> None:
    models = Models(verdict=fair)
    compared(project, loopback, models)
    project.suite(f"{COMPARED}outputs: false\n")
    project.accept()
    changed(project)
    models.answer = polite

    result = project.evals()

    assert models.judged == []
    assert "production's answer is not at hand to be compared with" in result.stdout.str()
    result.assert_outcomes(passed=CASES, failed=1)
