"""Judges in ``promptgate estimate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from front_project import RIGHT
from judge_project import RUBRIC, SUITE, Models, fair, judged_project
from loopback.batches import BatchEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_world import CliProject
    from loopback.server import LoopbackServer


def test_an_estimate_counts_the_verdicts_that_are_not_stored(
    project: CliProject, loopback: Callable[..., LoopbackServer]
) -> None:
    models = Models(verdict=fair)
    judged_project(project, loopback(answers=models).base_url, rubric=f"{RUBRIC}votes: 3\n")

    before = project.cli("estimate").out.splitlines()
    project.evals("-k", "c-01 or c-02")
    between = project.cli("estimate").out.splitlines()
    project.accept()
    asked = len(models.judged)
    after = project.cli("estimate").out.splitlines()

    def columns(line: str) -> list[str]:
        return line.split()[:-2]  # without tokens and cost

    assert columns(before[1]) == ["triage", "default", "10", "0", "0", "10"]
    assert columns(before[2]) == ["triage", "default:", "tone", "30", "0", "0", "30"]
    assert columns(between[1]) == ["triage", "default", "10", "0", "2", "8"]
    assert columns(between[2]) == ["triage", "default:", "tone", "30", "0", "6", "24"]
    assert after[1:] == ["triage  default     10         10       0       0       0  $0.00", "0 calls"]
    assert asked == len(models.judged) == 30


def test_a_batch_leaves_embeddings_to_the_run(project: CliProject, loopback: Callable[..., LoopbackServer]) -> None:
    models = Models(verdict=fair)
    server = loopback(answers=models, batches=BatchEndpoint(answers=models))
    embedding = SUITE.replace("{judge: {rubric: rubrics/tone.yaml}}", "{embedding_similarity: local/small-2}")
    judged_project(project, server.base_url, suite=embedding)
    models.answer = lambda question: f"{RIGHT[question]}!"
    project.cli("batch", "submit", "triage")
    project.cli("batch", "collect")

    estimate = project.cli("estimate").out.splitlines()
    again = project.cli("batch", "submit", "triage").out.splitlines()
    result = project.evals()

    assert estimate[2].split()[:-2] == ["triage", "default:", "tone", "20", "0", "0", "20"]
    assert again == ["triage: nothing to submit: 0 unchanged, 10 stored or under way"]
    assert {each.path for each in server.requests} == {"/v1/embeddings"}
    assert (
        "  tone by local/small-2: 6 embeddings asked, 14 from the store, 6 tokens, cost unknown" in result.stdout.lines
    )


def test_a_batch_asks_judges_in_a_second_wave(project: CliProject, loopback: Callable[..., LoopbackServer]) -> None:
    models = Models(verdict=fair)
    server = loopback(answers=models, batches=BatchEndpoint(answers=models))
    judged_project(project, server.base_url)

    first = project.cli("batch", "submit", "triage").out.splitlines()
    project.cli("batch", "collect")
    second = project.cli("batch", "submit", "triage").out.splitlines()
    twice = project.cli("batch", "submit", "triage").out.splitlines()
    collected = project.cli("batch", "collect")
    result = project.evals()

    assert first[1:] == ["triage: submitted 10 requests as batch_0"]
    assert second[0] == "triage: nothing to submit: 0 unchanged, 10 stored or under way"
    assert second[1].startswith("triage (default: tone): 10 verdicts, about ")
    assert second[2:] == ["triage (default: tone): submitted 10 requests as batch_1"]
    assert twice == second[:1]
    assert collected.out == "triage (default: tone): batch_1: completed, 10 answers stored\n"
    assert server.count == 0
    assert "  tone by local/small-2: 0 verdicts asked, 10 from the store" in result.stdout.lines
    result.assert_outcomes(passed=11)
