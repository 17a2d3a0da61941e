"""``promptgate power``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from front_project import SUITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_world import CliProject
    from loopback.server import LoopbackServer

MEASURE = "measure how much answers vary: pytest --prompt-evals --prompt-aa evals/triage.eval.yaml\n"


def hundred(project: CliProject, rule: str, *, metrics: str = "{accuracy: mean(queue)}", samples: int = 1) -> None:
    """A suite of a hundred cases."""
    project.dataset([(f"c-{number:03}", f"message {number}", "billing") for number in range(100)])
    text = SUITE.replace("{accuracy: mean(queue)}", metrics)
    project.suite(f"{text}samples: {samples}\ngate: {{rule: {rule}}}\n")


@pytest.fixture
def server(remote: Callable[..., LoopbackServer]) -> LoopbackServer:
    """A model that answers "billing", and counts its calls."""
    return remote(answers=lambda _: "billing")


def test_a_given_flip_rate_tells_all_without_a_baseline(project: CliProject, server: LoopbackServer) -> None:
    hundred(project, "confirm")

    said = project.cli("power", "triage", "--flip-rate", "0.155")

    assert said.code == 0
    assert said.out == (
        "triage: 100 cases x 1 sample, rule confirm; 1 metric shares the level 0.05\n"
        "accuracy: flip rate 15.5 %, as given\n"
        "  a drop of 14.0 points is caught in at least 4 of 5 runs; "
        "one of 2 points in at least 8 %, one of 5 points in at least 23 %\n"
        "  to catch 5 points in at least 4 of 5 runs: "
        "539 cases with 1 sample, 150 with 3, 94 with 5; or 5 samples of these 100 cases\n"
    )
    assert server.count == 0


def test_without_a_baseline_it_says_what_it_assumes(project: CliProject, server: LoopbackServer) -> None:
    hundred(project, "significant", samples=5)

    said = project.cli("power", "evals/triage.eval.yaml", "--drop", "3")

    assert said.out == (
        "triage: 100 cases x 5 samples, rule significant; 1 metric shares the level 0.05\n"
        "accuracy: flip rate 32.0 %, assumed, as at a level of 0.8: there is no baseline, and no --flip-rate\n"
        "  a drop of 6.9 points is caught in 4 of 5 runs; "
        "one of 2 points in 18 %, one of 3 points in 29 %, one of 5 points in 56 %\n"
        "  to catch 3 points in 4 of 5 runs: "
        f"2466 cases with 1 sample, 786 with 3, 481 with 5; or 27 samples of these 100 cases\n{MEASURE}"
    )
    assert server.count == 0


def test_a_baseline_of_one_sample_is_guessed_from(project: CliProject, server: LoopbackServer) -> None:
    hundred(project, "confirm", metrics="{accuracy: mean(queue), f1: f1(queue)}")
    project.accept()

    lines = project.cli("power", "triage").out.splitlines()

    assert lines[0].endswith("2 metrics share the level 0.05")
    assert lines[1] == "accuracy: flip rate 0.0 %, a guess from the baseline's level: 2 x 1.000 x 0.000"
    assert lines[3] == "f1: how much it varies is not known"
    assert f"{lines[4]}\n" == MEASURE


def test_what_was_measured_counts_more_than_a_guess(project: CliProject, server: LoopbackServer) -> None:
    hundred(project, "confirm")
    project.accept()
    project.evals("--prompt-aa")
    asked = server.count

    said = project.cli("power", "triage")

    assert said.out == (
        "triage: 100 cases x 1 sample, rule confirm; 1 metric shares the level 0.05\n"
        "accuracy: flip rate 0.0 %, measured by --prompt-aa on triage@v1, 100 cases\n"
        "  any drop is seen, as long as no answer varies\n"
    )
    assert server.count == asked


def test_strict_sees_every_drop_and_bad_luck(project: CliProject, server: LoopbackServer) -> None:
    hundred(project, "strict, accuracy: {tolerance: 0.02}")

    assert project.cli("power", "--flip-rate", "0.1").out == (
        "triage: 100 cases x 1 sample, rule strict\n"
        "accuracy: flip rate 10.0 %, as given\n"
        "  any drop beyond the tolerance 0.02 is seen\n"
        "  so is bad luck: a run in which nothing has changed fails too if it comes out lower\n"
    )


def test_a_model_that_answers_alike_sees_every_drop(project: CliProject) -> None:
    project.standard()

    assert project.cli("power").out == (
        "triage: 10 cases x 1 sample, rule strict\n"
        "accuracy: flip rate 0.0 %, since this model answers alike every time\n"
        "  any drop is seen\n"
    )


def test_non_inferior_has_to_prove_its_margin(project: CliProject, server: LoopbackServer) -> None:
    hundred(project, "non_inferior, accuracy: {tolerance: 0.05}")

    lines = project.cli("power", "--flip-rate", "0.155").out.splitlines()

    assert lines[2] == "  an unchanged prompt is proven to be within 5 points in 31 % of the runs; the others fail"
    assert lines[3].startswith("  to prove it in 4 of 5 runs: ")


def test_json_has_the_same_figures(project: CliProject, server: LoopbackServer) -> None:
    hundred(project, "confirm")

    (suite,) = json.loads(project.cli("power", "triage", "--flip-rate", "0.155", "--json").out)

    (metric,) = suite.pop("metrics")
    assert suite == {
        "suite": "triage",
        "slot": "default",
        "model": "openai/gpt-4o-2024-11-20",
        "rule": "confirm",
    }
    assert metric.pop("drop_in_4_of_5") == pytest.approx(14.0, abs=0.05)
    assert metric.pop("chance") == {"2": pytest.approx(0.083, abs=0.01), "5": pytest.approx(0.229, abs=0.001)}
    assert metric == {
        "metric": "accuracy",
        "expression": "mean(queue)",
        "rule": "confirm",
        "cases": 100,
        "samples": 1,
        "alpha": 0.05,
        "unit": "points",
        "flip_rate": 0.155,
        "flip_rate_from": "given",
        "sees_any_drop": False,
        "at_least": True,
        "wanted": 5.0,
        "cases_needed": {"1": 539, "3": 150, "5": 94},
        "samples_needed": 5,
    }


@pytest.mark.parametrize("option", ["--drop=0", "--drop=101", "--flip-rate=1.5"])
def test_a_value_out_of_range_is_a_usage_error(project: CliProject, option: str) -> None:
    project.standard()

    said = project.cli("power", option)

    assert (said.out, said.code) == ("", 4)
    assert f"Invalid value for '{option.partition('=')[0]}'" in said.err
