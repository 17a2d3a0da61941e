"""Answers that lack the part to grade are counted apart, in the run that asked them and in those that need not ask."""

from __future__ import annotations

from front_project import QUEUES, SUITE, Project, section

EXTRACTING = f"{SUITE}extract: {{regex: 'Queue: (\\w+)'}}\n"
LINE = "  extraction failed: queue scored 0 for 3 of 10 answers: c-05, c-06, c-09"


def test_failed_extractions_have_a_line_of_their_own(project: Project) -> None:
    project.standard()
    project.suite(EXTRACTING)
    project.prompt(
        "v1", {asked: queue if queue == "account" else f"Hm. Queue: {queue}!" for asked, queue in QUEUES.items()}
    )

    first = project.evals("--update-baseline")
    again = project.evals()

    assert first.ret == again.ret == 0
    for result in (first, again):
        lines = section(result, "prompt evals").splitlines()
        assert LINE in lines
        assert any(each.startswith("  accuracy") and " 0.700 " in each for each in lines)
    assert "  10 cases: 10 unchanged, 0 asked" in section(again, "prompt evals")


def test_an_answer_that_lost_its_form_is_a_regression_with_that_reason(project: Project) -> None:
    project.standard()
    project.suite(EXTRACTING)
    project.prompt("v1", {asked: f"Queue: {queue}" for asked, queue in QUEUES.items()})
    project.evals("--update-baseline")
    project.prompt("v2")

    result = project.evals()

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*c-01  1 -> 0  extraction failed: no match of 'Queue: (\\w+)'"])
    assert "  extraction failed: queue scored 0 for 10 of 10 answers: c-01," in section(result, "prompt evals")
