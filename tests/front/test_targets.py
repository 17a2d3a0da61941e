"""Suites that evaluate users' own callables, or conversations, as a user runs them."""

from __future__ import annotations

import pytest
from front_project import RIGHT, Project, asked, section

SUITE = """\
target: routing:route
dataset: ../datasets/mails.jsonl
scorers: {queue: exact_match}
metrics: {accuracy: mean(queue)}
"""
VERSIONED = SUITE.replace("routing:route", '{call: "routing:route", version: "1"}')
CODE = f"""\
calls = open("calls.txt", "a")
right = {RIGHT!r}

def route(message):
    print(message, file=calls, flush=True)
    return answer(message)

def answer(message):
    return right[message]
"""


def of_target(project: Project, suite: str = SUITE, code: str = CODE) -> Project:
    """Ten rows, and a function that routes them; run in processes of their own, for modules stay imported."""
    project.dataset()
    project.suite(suite)
    project.write("routing.py", code)
    return project


def calls(project: Project) -> int:
    return len(project.text("calls.txt").splitlines())


def test_a_target_without_a_version_is_always_called_and_gated(project: Project) -> None:
    of_target(project)
    result = project.run_apart("--update-baseline", "-v")
    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines(["evals/triage.eval.yaml::routing:route::c-01?routing:route? SCORED 1.00*"])

    assert asked(project.run_apart("--prompt-evals")) == ["10 cases: 0 unchanged, 10 asked, cost unknown"]
    assert calls(project) == 20

    project.write("routing.py", CODE.replace("return right[message]", "return right[message].replace('account', '?')"))
    worse = project.run_apart("--prompt-evals")
    worse.assert_outcomes(passed=10, failed=1)
    worse.stdout.fnmatch_lines(
        [
            "accuracy fell from 1.000 to 0.700 (n=10, change -0.300, tolerance 0), and production cannot be re-asked: "
            "it was a target, and no lockfile holds its code",
            "  note: the earlier target is gone and cannot be asked again, so with fewer than 3 samples any loss counts as one, "
            "lucky or not: write `samples: 5` to let the gate tell luck from loss",
        ]
    )

    offline = project.run_apart("--prompt-evals", "--prompt-offline")
    offline.stdout.fnmatch_lines(
        [
            "c-01 could not be answered: triage::c-01: answers of a target without a version are not stored, "
            "and --prompt-offline asks nothing",
            '  Write `version: "1"` beside its `call:` (`version="1"` in the marker), and raise it with its code.',
        ]
    )


def test_answers_of_a_version_are_stored_and_stand_for_it_in_the_lockfile(project: Project) -> None:
    of_target(project, VERSIONED)

    project.run_apart("--prompt-evals").assert_outcomes(passed=11)
    project.run_apart("--update-baseline").assert_outcomes(passed=11)
    assert asked(project.run_apart("--prompt-evals")) == ["10 cases: 10 unchanged, 0 asked"]
    assert calls(project) == 10

    project.suite(VERSIONED.replace('"1"', '"2"'))
    project.run_apart("--prompt-evals").assert_outcomes(passed=11)
    assert calls(project) == 20


def test_what_a_target_raises_is_the_error_of_its_case_with_the_users_line(project: Project) -> None:
    code = CODE.replace(
        "    return right[message]\n", "    assert 'parcel' not in message, 'no parcels'\n    return 'x'\n"
    )
    of_target(project, code=code)

    result = project.run_apart("--prompt-evals")

    result.assert_outcomes(passed=8, failed=3)
    result.stdout.fnmatch_lines(
        [
            "c-03 could not be answered: routing:route: the target raised AssertionError: no parcels",
            "  at routing.py:9",
        ]
    )


def test_samples_let_the_gate_tell_luck_from_loss(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two wrong answers more in fifty are noise where the baseline has several samples (DECISIONS 5)."""
    code = (
        "import os, threading\nlock, count = threading.Lock(), [0]\n"
        f"right = {RIGHT!r}\n"
        "def route(message):\n"
        "    with lock:\n"
        "        count[0] += 1\n"
        "        last = count[0] % int(os.environ.get('LUCK', '8')) == 0\n"
        "    return 'unlucky' if last else right[message]\n"
    )
    of_target(project, f"{SUITE}samples: 5\n", code)
    project.run_apart("--update-baseline").assert_outcomes(passed=11)
    monkeypatch.setenv("LUCK", "6")

    result = project.run_apart("--prompt-evals")

    result.assert_outcomes(passed=11)
    assert "within-noise" in section(result, "prompt evals")
    assert "note:" not in section(result, "prompt evals")


def test_a_conversation_is_one_trial_with_the_tokens_of_all_its_turns(project: Project) -> None:
    project.scripted("Completion(text=f'{len(request.messages)}:{question}', tokens_in=10, tokens_out=1)")
    project.prompt("v1", {}, model="{id: m-1, provider: it}")
    project.write("datasets/mails.jsonl", '{"id": "c-1", "says": ["hello", "and then?"], "expected": "4:and then?"}\n')
    project.suite(f"{SUITE.replace('target: routing:route', 'prompt: triage')}inputs: {{message: says}}\nturns: says\n")

    result = project.evals()

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["prompt evals: 2 calls, *"])
    assert asked(result) == ["1 case: 0 unchanged, 1 asked, 22 tokens, cost unknown"]
    assert asked(project.evals()) == ["1 case: 0 unchanged, 1 from the store, 0 asked"]
