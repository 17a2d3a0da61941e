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
    project.write("prompts/odd/notes.txt", "no version\n")

    said = project.cli("pins")

    assert said.code == 1
    assert "prompts/triage/v1.prompty" in said.out
    assert [line.split(":")[0] for line in said.err.splitlines() if not line.startswith(" ")] == [
        "prompts/odd",
        "evals/broken.eval.yaml",
    ]


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
