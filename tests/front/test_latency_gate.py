"""A gated latency: both prompts are timed side by side, whatever the hour, and batches have none."""

from __future__ import annotations

import shutil

import pytest
from front_project import QUEUES, Project, asked, lines_of, section

SUITE = """\
prompt: triage
dataset: ../datasets/mails.jsonl
scorers: {queue: exact_match}
metrics: {accuracy: mean(queue), p95_latency: p95(latency_s)}
gate: {rule: strict, p95_latency: {tolerance: 20%}}
"""
MODEL = "{id: m-1, provider: it}"
FEWER = dict([*QUEUES.items()][:-1])
SLOWER = dict([*QUEUES.items()][:-2])
# What a slower prompt asks has fewer examples, here: the account counts messages.
ANSWER = f"""
from pathlib import Path
def answer(request, question):
    asked = Path("asked")
    asked.write_text(asked.read_text() + ".")
    seconds = float(Path("day").read_text()) * (2 if len(request.messages) == {2 * len(SLOWER) + 2} else 1)
    return Completion(text=answers[question], latency_s=seconds)
"""


@pytest.fixture
def timed(project: Project) -> Project:
    """A model that takes as many seconds as the file `day` says, and twice as many for `SLOWER`; and its baseline."""
    project.scripted("answer(request, question)")
    project.write("conftest.py", project.text("conftest.py") + ANSWER)
    project.write("asked", "")
    project.suite(SUITE)
    project.write("day", "1.0")
    project.accept()
    project.prompt("v2", FEWER, model=MODEL)
    project.write("asked", "")
    return project


def calls(project: Project) -> int:
    found = len(project.text("asked"))
    project.write("asked", "")
    return found


def test_a_slow_day_is_not_blamed_on_the_prompt(timed: Project) -> None:
    timed.write("day", "3.0")

    result = timed.evals("-q")

    assert (result.ret, calls(timed)) == (0, 20)
    (row,) = lines_of(result, "  p95_latency  ")
    assert row.split()[:5] == ["p95_latency", "3.000", "3.000", "+0.000", "unchanged"]
    assert [line for line in result.stdout.lines if "control" in line or "beside" in line] == [
        "prompt evals: triage: production (triage@v1) is timed beside yours, mixed: 10 + 10 calls",
        "  production beside it: 10 cases: 0 unchanged, 10 asked, cost unknown",
        "  latencies are compared with production (triage@v1) asked in the same run (control)",
        "  p95_latency: stored baseline 1.000, control 3.000: the provider has moved by +2.000",
    ]


def test_a_slower_prompt_is_found_on_a_fast_day_too(timed: Project) -> None:
    timed.write("day", "0.25")
    timed.prompt("v3", SLOWER, model=MODEL)

    result = timed.evals("-q")

    assert result.ret == 1
    assert "p95_latency rose from 0.250 to 0.500 (n=10, change +0.250, tolerance 20%)" in section(result, "FAILURES")


def test_everything_but_the_latency_is_held_against_the_stored_baseline(timed: Project) -> None:
    timed.write("conftest.py", timed.text("conftest.py").replace("answers[question]", "'spam'"))

    result = timed.evals("-q")

    assert result.ret == 1
    (row,) = lines_of(result, "  accuracy  ")
    assert row.split()[:5] == ["accuracy", "1.000", "0.000", "-1.000", "regressed"]


def test_an_unchanged_prompt_is_not_timed_again(timed: Project) -> None:
    (timed.root / "prompts/triage/v2.prompty").unlink()

    result = timed.evals("-q")

    assert (result.ret, calls(timed)) == (0, 0)
    assert asked(result) == ["10 cases: 10 unchanged, 0 asked"]


def test_a_second_run_keeps_the_latency_that_each_answer_had(timed: Project) -> None:
    timed.write("day", "3.0")
    timed.evals("-q")
    calls(timed)
    timed.write("day", "7.0")

    results = [timed.evals("-q"), timed.evals("-q", "--prompt-offline")]

    assert calls(timed) == 0
    for each in results:
        (row,) = lines_of(each, "  p95_latency  ")
        assert row.split()[1:3] == ["3.000", "3.000"]


def test_a_new_baseline_holds_the_latencies_of_its_own_answers(timed: Project) -> None:
    timed.write("day", "3.0")

    timed.accept()

    assert timed.text("promptgate.lock.json").count('"latency_s":3.0') == 10
    assert timed.evals("-q").ret == 0


def test_a_baseline_without_latencies_is_timed_when_a_gate_asks_for_them(timed: Project) -> None:
    (timed.root / "prompts/triage/v2.prompty").unlink()
    (timed.root / "promptgate.lock.json").unlink()
    timed.suite(SUITE.replace("{tolerance: 20%}", "report"))
    timed.accept()
    timed.suite(SUITE)
    calls(timed)

    result = timed.evals("-q")

    assert (result.ret, calls(timed)) == (0, 10)
    (row,) = lines_of(result, "  p95_latency  ")
    assert row.split()[1:3] == ["1.000", "1.000"]


def test_a_latency_that_cannot_be_timed_is_inconclusive_and_the_rest_is_judged(timed: Project) -> None:
    shutil.rmtree(timed.root / "promptgate.baselines")

    result = timed.evals("-q")

    assert result.ret == 1
    assert (
        "p95_latency cannot be judged: both prompts have to be timed side by side, and production cannot be re-asked: "
        "its prompt is not recorded beside the lockfile"
    ) in section(result, "FAILURES").splitlines()
    (row,) = lines_of(result, "  accuracy  ")
    assert "unchanged" in row


def test_answers_that_nobody_timed_leave_the_latency_unscored(timed: Project) -> None:
    (timed.root / "promptgate.lock.json").unlink()
    timed.suite(SUITE.replace("{tolerance: 20%}", "report"))
    timed.write("conftest.py", timed.text("conftest.py").replace(", latency_s=seconds", ""))

    result = timed.evals("-q")

    assert result.ret == 0
    (row,) = lines_of(result, "  p95_latency  ")
    assert (row.split()[2], row.split()[-1]) == ("-", "0/10/0")
