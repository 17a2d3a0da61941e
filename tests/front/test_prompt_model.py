"""``--prompt-model``: a suite on another model, against the baseline of its own."""

from __future__ import annotations

import pytest
from front_project import SUITE, Project, section
from git_project import repository

PINNED = "{m-1: {pinned: true}, m-2: {pinned: true}, m-3: {pinned: true}}"
CONFIG = (
    f"providers: {{it: {{kind: scripted, family: vllm, models: {PINNED}}}}}\n"
    "prices: {it/m-1: {input: 10, output: 100}, it/m-2: {input: 5, output: 50}}\n"
)
# The third is worse, and everyone is quicker than the one before.
ANSWER = (
    "Completion(text='?' if request.pin.name == 'm-3' and 'card' in question else answers[question], "
    "tokens_in=100, tokens_out=10, latency_s=1 / int(request.pin.name[-1]))"
)


@pytest.fixture
def scripted(project: Project) -> Project:
    """Ten rows on the model m-1, with a baseline."""
    project.scripted(ANSWER).write("promptgate.yaml", CONFIG)
    project.accept()
    return project


def test_another_model_is_judged_against_production_and_shown_beside_it(scripted: Project) -> None:
    result = scripted.evals("--prompt-model", "triage=it/m-2")

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals").endswith(
        "    production: it/m-1\n"
        "    candidate:  it/m-2\n"
        "                              production   candidate    change\n"
        "    accuracy                       1.000       1.000    +0.000  unchanged\n"
        "    cost per case              $0.002000   $0.001000      -50%\n"
        "    cost of 10 cases             $0.0200     $0.0100      -50%\n"
        "    latency p50                  1.000 s     0.500 s      -50%\n"
        "    latency p95                  1.000 s     0.500 s      -50%\n"
        "    tokens in, per answer          100.0       100.0       +0%\n"
        "    tokens out, per answer          10.0        10.0       +0%"
    )


def test_a_worse_model_is_red_and_what_is_not_known_is_said(scripted: Project) -> None:
    (scripted.root / ".promptgate" / "responses" / "triage.jsonl").unlink()

    result = scripted.evals("--prompt-model", "triage=it/m-3")

    result.assert_outcomes(passed=10, failed=1)
    result.stdout.fnmatch_lines(
        [
            "  model: it/m-1 -> it/m-3",
            "no baseline can be written from this run: no file names its model yet (--prompt-model); "
            "promptgate migrate OLD NEW writes it",
            "    accuracy                       1.000       0.800    -0.200  regressed",
            "    cost per case              $0.002000     unknown",
            "    latency p50                  unknown     0.333 s",
            "    production's latency is unknown: its answers are not in the store; --prompt-control times both",
            "    a cost is unknown: write the price under `prices:` in promptgate.yaml",
        ]
    )


def test_production_beside_it_brings_its_latency(scripted: Project) -> None:
    (scripted.root / ".promptgate" / "responses" / "triage.jsonl").unlink()

    result = scripted.evals("--prompt-model", "triage=it/m-2", "--prompt-control")

    result.stdout.fnmatch_lines(["    latency p50                  1.000 s     0.500 s      -50%"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "triage=openai/gpt-4o",
            "--prompt-model triage=openai/gpt-4o: openai/gpt-4o is a floating alias\n"
            "  Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name.",
        ),
        (
            "triage=it/m-9",
            "--prompt-model triage=it/m-9: cannot tell whether it/m-9 is one fixed snapshot: the name is free text\n"
            "  If you know that it never moves, give your word in promptgate.yaml, at the provider 'it': "
            "`models: {m-9: {pinned: true}}`.",
        ),
        (
            "triage=its/m-2",
            "--prompt-model triage=its/m-2: unknown provider 'its' of model 'its/m-2'\n"
            "  Did you mean 'it'? Providers: embedded, it, openai.\n"
            "  Others stand under `providers:` in promptgate.yaml; a model of OpenAI's needs no prefix.",
        ),
        (
            "triage[fats]=it/m-2",
            "--prompt-model triage[fats]=it/m-2: suite 'triage' has no model slot 'fats'\n"
            "  Did you mean 'fast'? Slots: fast, large.",
        ),
        (
            "triage=it/m-2",
            "--prompt-model triage=it/m-2: suite 'triage' runs on 2 models\n"
            "  Name one: --prompt-model triage[fast]=it/m-2",
        ),
        (
            "triag=it/m-2",
            "ERROR: --prompt-model triag=it/m-2: this run has no suite 'triag'\n"
            "  Did you mean 'triage'? Suites of this run: triage.",
        ),
        (
            "triage",
            "ERROR: --prompt-model 'triage': write it SUITE=PROVIDER/MODEL, or SUITE[SLOT]=PROVIDER/MODEL",
        ),
    ],
)
def test_a_model_that_cannot_be_meant_is_refused_before_any_call(project: Project, option: str, message: str) -> None:
    project.scripted(ANSWER).write("promptgate.yaml", CONFIG)
    slots = (
        "" if option.startswith("triage=") and option != "triage=it/m-2" else "model: {fast: it/m-1, large: it/m-1}\n"
    )
    project.suite(f"{SUITE}{slots}")

    result = project.evals("--prompt-model", option)

    assert result.ret != 0
    assert message in result.stdout.str() + "\n" + result.stderr.str()
    assert not (project.root / ".promptgate" / "responses").exists()


def test_a_commit_can_be_what_it_is_held_against(scripted: Project) -> None:
    repository(scripted.root)

    result = scripted.evals("--baseline-ref", "HEAD", "--prompt-model", "triage=it/m-2")

    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines(["    accuracy                       1.000       1.000    +0.000  unchanged"])


def test_one_slot_of_several_is_changed(project: Project) -> None:
    project.scripted(ANSWER).write("promptgate.yaml", CONFIG)
    project.suite(f"{SUITE}model: {{fast: it/m-1, large: it/m-2}}\n")

    project.accept()

    result = project.evals("--prompt-model", "triage[large]=it/m-3")

    result.assert_outcomes(passed=21, failed=1)
    result.stdout.fnmatch_lines(["REGRESSED evals/triage.eval.yaml::triage@v1::gate:accuracy?large?*"])


def test_a_target_has_no_model_to_change(project: Project) -> None:
    project.dataset()
    project.write("routing_of_no_model.py", "def route(message):\n    return message\n")
    project.suite("target: routing_of_no_model:route\n" + SUITE.split("\n", 1)[1])

    result = project.evals("--prompt-model", "triage=embedded/nearest-example-1")

    assert (
        "--prompt-model triage=embedded/nearest-example-1: suite 'triage' evaluates a target, which has no model\n"
        "  It asks whatever it likes: change the model there." in result.stdout.str()
    )


def test_a_model_that_is_only_tried_becomes_no_baseline(scripted: Project) -> None:
    result = scripted.run("--update-baseline", "--prompt-model", "triage=it/m-2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: --prompt-model tries a model that no file names yet, and --update-baseline would make it the baseline: "
        "write the model into the prompt or the suite first (promptgate migrate OLD NEW does)"
    )
