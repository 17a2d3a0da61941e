"""``promptgate pins``, and the warning of a run on a model that is retired."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cli_world import Said
from front_project import SUITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_world import CliProject
    from loopback.server import LoopbackServer

PIN = "openai/gpt-4o-2024-11-20"
JUDGED = """\
prompt: triage@v1
dataset: ../datasets/mails.jsonl
model: {x: local/a, y: {id: local/b, pinned: true}, z: {id: gpt-4o}}
scorers:
  tone: {any_of: [{judge: {rubric: ../rubrics/tone.yaml}}, exact_match]}
  pair: {compare: ../rubrics/tone.yaml}
"""
EMBEDDING = "{embedding_similarity: {model: embedded/hashed-words-1, expected: expected}}"
IN_PYTHON = """\
import pytest


@pytest.mark.prompt_eval(
    dataset="../datasets/mails.jsonl",
    scorers={
        "tone": {"judge": "../rubrics/tone.yaml"},
        "close": {"embedding_similarity": "embedded/hashed-words-1"},
    },
)
def test_router(case):
    return "billing"
"""


def days_from_now(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def test_every_pin_is_listed_with_its_status_and_what_answered(
    project: CliProject, remote: Callable[..., LoopbackServer]
) -> None:
    remote()
    project.evals()
    project.prompt("v2", model="gpt-4o-2024-08-06")

    assert project.cli("pins") == Said(
        out=(
            "file                       model                     status                  served     age\n"
            "prompts/triage/v1.prompty  openai/gpt-4o-2024-11-20  pinned (older version)  as pinned  0 d\n"
            "prompts/triage/v2.prompty  openai/gpt-4o-2024-08-06  pinned                  -            -\n"
        ),
        err="",
        code=0,
    )


def test_pins_that_a_run_would_refuse_are_listed_and_fail(project: CliProject) -> None:
    project.standard()
    project.suite(JUDGED, "judged")
    project.write("rubrics/tone.yaml", "criterion: Is it polite?\nmodel: openai/gpt-7\nscale: {rude: 0, polite: 1}\n")
    project.write("promptgate.yaml", 'providers: {local: {base_url: "http://127.0.0.1:9/v1", family: vllm}}\n')

    said = project.cli("pins")

    assert said.code == 1
    assert said.out.splitlines()[2:] == [
        "evals/judged.eval.yaml [x]  local/a                     unknown    -         -",
        "evals/judged.eval.yaml [y]  local/b                     your word  -         -",
        "evals/judged.eval.yaml [z]  openai/gpt-4o               floating   -         -",
        "rubrics/tone.yaml           openai/gpt-7                unknown    -         -",
        "evals/judged.eval.yaml [x]: local/a is unknown",
        "evals/judged.eval.yaml [z]: openai/gpt-4o is floating: write openai/gpt-4o-2024-08-06",
        "rubrics/tone.yaml: openai/gpt-7 is unknown",
    ]


def test_other_programs_get_a_list_in_which_the_word_of_a_provider_entry_counts(
    project: CliProject, loopback: Callable[..., LoopbackServer]
) -> None:
    project.served(loopback().base_url)
    project.evals()

    (pin,) = json.loads(project.cli("pins", "--json").out)

    assert pin == {
        "file": "prompts/triage/v1.prompty",
        "slot": "",
        "model": "local/small-1",
        "current": True,
        "status": "your word",
        "suggestion": "",
        "served": "small-1",
        "verified": "same",
        "age_days": 0,
        "deprecation_date": "",
    }


def test_what_cannot_be_read_is_told_and_the_rest_is_listed(project: CliProject) -> None:
    project.standard()
    project.suite("prompt: [\n", "broken")
    project.write("prompts/odd/v2.txt", "{{ message }}\n")

    said = project.cli("pins")

    assert said.code == 1
    assert "prompts/triage/v1.prompty" in said.out
    assert [line.split(":")[0] for line in said.err.splitlines() if not line.startswith(" ")] == [
        "prompts/odd",
        "evals/broken.eval.yaml",
    ]


def test_a_directory_of_partials_is_no_prompt(project: CliProject) -> None:
    project.standard().write("prompts/shared/safety.prompty", "Be kind.\n")

    said = project.cli("pins")

    assert (said.err, said.code) == ("", 0)


def test_models_that_scorers_ask_are_listed_wherever_the_suite_stands(project: CliProject) -> None:
    project.standard().suite(SUITE.replace("queue: e", f"close: {EMBEDDING}, queue: e"))
    project.write("rubrics/tone.yaml", f"criterion: Is it polite?\nmodel: {PIN}\nscale: {{rude: 0, polite: 1}}\n")
    project.write("tests/test_router.py", IN_PYTHON)

    said = project.cli("pins")

    assert (said.err, said.code) == ("", 0)
    assert [line.split("  ")[0] for line in said.out.splitlines()[2:]] == [
        "evals/triage.eval.yaml [close]",
        "rubrics/tone.yaml",
        "tests/test_router.py [close]",
    ]


def test_a_suite_in_python_that_cannot_be_read_is_told(project: CliProject) -> None:
    project.standard().write("tests/test_router.py", IN_PYTHON)
    project.write("rubrics/tone.yaml", "criterion: Is it polite?\nmodel: gpt-4o\nscale: {rude: 0, polite: 1}\n")

    said = project.cli("pins")

    assert said.code == 1
    assert said.err == (
        "rubrics/tone.yaml:2:1: openai/gpt-4o is a floating alias\n"
        "  Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name.\n"
    )
    assert "rubrics/tone.yaml:2:1: error PG501" in project.cli("lint").out


def test_a_project_without_any_model_says_so(project: CliProject) -> None:
    assert project.cli("pins") == Said(out="no file here names a model\n", err="", code=0)


@pytest.mark.parametrize(
    ("days", "warning"),
    [
        (91, ""),
        (90, "is retired on {date}, in 90 days"),
        (-1, "was retired on {date}"),
    ],
)
def test_a_model_that_is_retired_is_warned_of_once(
    project: CliProject, remote: Callable[..., LoopbackServer], days: int, warning: str
) -> None:
    remote()
    project.suite(SUITE, "second")
    date = days_from_now(days)
    project.write("promptgate.yaml", f"prices: {{{PIN}: {{deprecation_date: {date}}}}}\n")
    line = f"{PIN} {warning.format(date=date)}: promptgate migrate {PIN} NEW"

    told = [each for each in project.evals().stdout.lines if "promptgate migrate" in each]
    listed = project.cli("pins").out.splitlines()

    assert told == ([line] if warning else [])
    assert listed[2:] == told
