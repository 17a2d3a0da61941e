"""Wrong suites, prompts, datasets and arguments, through pytest: one message, before anything is asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TypeAlias

import pytest
from front_project import QUEUES, ROWS, SUITE, Project
from front_refusals import SUITE_FILE, collection_error, refused, usage_error

from pytest_promptgate.scorers.offers import promptgate_scorers

Spoil: TypeAlias = Callable[[Project], object]
SCORERS = ", ".join(sorted(promptgate_scorers()))
PROMPT = "---\nname: triage\nmodel: {id: nearest-example-1, provider: embedded}\n"


def prompt(front: str, body: str) -> Spoil:
    """Write the prompt with these further lines of front matter."""
    return lambda project: project.write("prompts/triage/v1.prompty", f"{PROMPT}{front}---\n{body}")


def suite(old: str, new: str) -> Spoil:
    """Write the suite with `new` in place of `old`."""
    return lambda project: project.suite(SUITE.replace(old, new))


def more(line: str) -> Spoil:
    """Write the suite with one more line, its fifth."""
    return lambda project: project.suite(f"{SUITE}{line}\n")


def binary(path: str, data: bytes) -> Spoil:
    """Write these bytes."""
    return lambda project: (project.root / path).write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(
            more("sample: 3"),
            f"{SUITE_FILE}:5:1: unknown key 'sample' in this file\n"
            "  Did you mean 'samples'? Known keys: constants, dataset, extract, gate, inputs, metrics, model, must_pass, "
            "outputs, prompt, samples, scorers, slices, smoke, suite, target, turns.",
            id="an unknown key",
        ),
        pytest.param(
            more("samples: many"),
            f"{SUITE_FILE}:5:1: samples must be a whole number >= 1, not 'many'",
            id="a wrong type",
        ),
        pytest.param(
            suite("prompt: triage", "prompt: [triage"),
            f"{SUITE_FILE}:2:8: not valid YAML: did not find expected ',' or ']'\n"
            "  Look here and on the lines before: a bracket or a quote that is not closed, or an indent that is off.",
            id="no YAML",
        ),
        pytest.param(
            lambda project: (project.root / "prompts/triage/v1.prompty").unlink(),
            "prompts/triage: no prompt version\n  Versions are called v1, v2, v3 …, with .prompty, .yaml or .txt.",
            id="a missing prompt file",
        ),
        pytest.param(
            suite("prompt: triage", "prompt: traige"),
            f"{SUITE_FILE}:1:1: no prompt 'traige' in prompts/\n  Did you mean 'triage'? Prompts: triage.",
            id="a missing prompt",
        ),
        pytest.param(
            suite("prompt: triage", "prompt: triage@v2"),
            f"{SUITE_FILE}:1:1: prompt 'triage' has no v2\n  Its versions: v1.",
            id="a missing version",
        ),
        pytest.param(
            suite("mails.jsonl", "mail.jsonl"),
            f"{SUITE_FILE}:2:1: dataset datasets/mail.jsonl: no such file\n"
            "  Did you mean 'mails.jsonl'? Files there: mails.jsonl.",
            id="a missing dataset",
        ),
        pytest.param(
            lambda project: project.write("datasets/mails.jsonl", ""),
            "datasets/mails.jsonl: no rows\n  A dataset without cases would pass whatever happens.",
            id="an empty dataset",
        ),
        pytest.param(
            lambda project: project.dataset([*ROWS, ROWS[0]]),
            "datasets/mails.jsonl:11: the id 'c-01' stands on line 1 already\n"
            "  A case is known by its id, in node ids and in baselines: each row needs its own.",
            id="a duplicate id",
        ),
        pytest.param(
            prompt("inputs: [{name: message, kind: string}]\n", "user:\n{{ mesage }}\n"),
            "prompts/triage/v1.prompty:4:10: the input 'message' is declared and never used\n"
            "  Remove it, or write {{ message }} in a message.\n"
            "prompts/triage/v1.prompty:7:4: the template uses 'mesage', which is not declared\n"
            "  Declare it under `inputs:`. Did you mean 'message'? Declared inputs: message.",
            id="an undefined variable",
        ),
        pytest.param(
            prompt("inputs: [{name: message, kind: string}]\n", "user:\n{{ message }\n"),
            "prompts/triage/v1.prompty:7: not a valid template: unexpected '}'\n"
            "  {{ x }} puts a value in, {% if x %} is a statement; as plain text they stand between {% raw %} and "
            "{% endraw %}.",
            id="a template's syntax",
        ),
        pytest.param(
            suite("exact_match", "exat_match"),
            f"{SUITE_FILE}:3:11: unknown scorer 'exat_match'\n  Did you mean 'exact_match'? Offered: {SCORERS}.\n"
            "  Your own function is written package.module:function.",
            id="an unknown scorer",
        ),
        pytest.param(
            suite("{queue: exact_match}", "[]"),
            f"{SUITE_FILE}:3:1: the suite has no scorers\n  Add `scorers: [exact_match]`. Offered: {SCORERS}.",
            id="no scorers",
        ),
        pytest.param(
            more("gate: {acuracy: {tolerance: 0}}"),
            f"{SUITE_FILE}:5:8: the gate names the metric 'acuracy', which is not measured\n"
            "  Did you mean 'accuracy'? Metrics: accuracy.",
            id="a gate on an unknown metric",
        ),
        pytest.param(
            suite("../datasets/mails.jsonl", "{path: ../datasets/mails.jsonl, where: \"expected == 'sales'\"}"),
            f"{SUITE_FILE}:2:42: no row of 10 matches the filter \"expected == 'sales'\"\n"
            "  Values of expected: 'billing', 'shipping', 'account'.",
            id="a filter that matches nothing",
        ),
        pytest.param(
            more("model: gpt-4o"),
            f"{SUITE_FILE}:5:1: openai/gpt-4o is a floating alias\n"
            "  Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name.",
            id="a floating model",
        ),
        pytest.param(
            lambda project: project.suite(""),
            f"{SUITE_FILE}:1:1: the suite is empty\n  The least that works:\n  prompt: NAME\n"
            "  dataset: ../datasets/NAME.jsonl\n  scorers: [exact_match]",
            id="an empty suite",
        ),
        pytest.param(
            binary(SUITE_FILE, b"prompt: triage\n\xff\xfe\x00"),
            f"{SUITE_FILE}:2: byte 0xff is not UTF-8\n  Save the file as UTF-8.",
            id="a binary suite",
        ),
        pytest.param(
            binary(SUITE_FILE, b"prompt: triage\0\n"),
            f"{SUITE_FILE}:1:15: unprintable character U+0000",
            id="a suite with a NUL",
        ),
        pytest.param(
            lambda project: project.suite(f"suite: triage\n{SUITE}", "other"),
            "evals/triage.eval.yaml: the suite name 'triage' is taken by evals/other.eval.yaml\n"
            "  Baselines are kept by suite name. Give one of the two another `suite:` name.",
            id="two suites of one name",
        ),
    ],
)
def test_a_wrong_project_is_refused_with_one_message(project: Project, spoil: Spoil, told: str) -> None:
    project.standard()
    spoil(project)

    assert refused(project) == told
    assert not (project.root / ".promptgate").exists()


def test_a_directory_that_is_called_like_a_suite_is_told(project: Project) -> None:
    project.standard()
    (project.root / "evals/other.eval.yaml").mkdir()

    assert refused(project) == (
        "evals/other.eval.yaml: cannot be read: Is a directory\n"
        "  Suites are files; give the directory another name, or write the suite in its place."
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a file that nobody can read, root included")
def test_a_suite_that_cannot_be_read_is_told(project: Project) -> None:
    project.standard()
    (project.root / "evals/other.eval.yaml").symlink_to("/proc/self/mem")

    assert refused(project) == "evals/other.eval.yaml: cannot be read: Input/output error"


def test_byte_order_marks_are_no_fault(project: Project) -> None:
    project.standard()
    for path in (SUITE_FILE, "datasets/mails.jsonl", "prompts/triage/v1.prompty"):
        (project.root / path).write_bytes(b"\xef\xbb\xbf" + (project.root / path).read_bytes())

    project.evals().assert_outcomes(passed=11)


NAME_IT = "  Name the suite, its directory, or a directory above it."
NEAR = "  Did you mean 'triage.eval.yaml'? Suites there: triage.eval.yaml."


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["evals/triag.eval.yaml"], f"no such file or directory: evals/triag.eval.yaml\n{NEAR}"),
        ([SUITE_FILE, "evals/b.eval.yaml::b@v1"], f"no such file or directory: evals/b.eval.yaml::b@v1\n{NEAR}"),
        (["datasets"], f"--prompt-evals found no *.eval.yaml file below datasets\n{NAME_IT}"),
        (
            [f"{SUITE_FILE}::triage@v7"],
            f"not found: {SUITE_FILE}::triage@v7\n(no match in any of [<SuiteFile triage.eval.yaml>])",
        ),
    ],
)
def test_an_argument_that_names_no_suite_is_an_error(project: Project, args: list[str], told: str) -> None:
    assert refused(project.standard(), *args) == told


def test_a_project_without_suites_is_an_error(project: Project) -> None:
    project.standard()
    (project.root / SUITE_FILE).unlink()

    assert usage_error(project.evals()) == (
        f"--prompt-evals found no *.eval.yaml file below {os.fspath(project.root)}\n{NAME_IT}"
    )


@pytest.mark.parametrize("args", [("-k", "c-99"), ("-m", "not prompt_eval"), ("--deselect", SUITE_FILE)])
def test_a_selection_of_nothing_is_said_and_is_not_green(project: Project, args: tuple[str, ...]) -> None:
    result = project.standard().evals(*args)

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "prompt evals: none was selected, nothing was asked" in result.outlines
    assert not (project.root / ".promptgate").exists()


def test_a_version_with_a_baseline_is_not_edited_in_place(project: Project) -> None:
    project.standard().accept()
    project.prompt("v1", dict(list(QUEUES.items())[:4]))
    told = (
        "prompts/triage/v1.prompty: triage@v1 was edited, and a baseline was written from it: such a version stays "
        "as it is\n"
        "  --- triage@v1 as recorded\n"
        "  +++ triage@v1 as it is now\n"
        "  @@ -20,11 +20,3 @@\n"
        "   shipping\n"
        "   user:\n"
        "  -i cannot log in\n"
        "  -assistant:\n"
        "  -account\n"
        "  -user:\n"
        "  -please reset my password\n"
        "  -assistant:\n"
        "  -account\n"
        "  -user:\n"
        "   {{ message }}\n"
        "  Keep the edit as a new version, and take the old one back: promptgate new-version triage"
    )

    assert refused(project) == told
    assert collection_error(project.run("--update-baseline")) == told


def test_what_nobody_wrote_a_baseline_from_may_be_edited(project: Project) -> None:
    project.standard().accept()
    project.prompt("v2", dict(list(QUEUES.items())[:4]))
    project.evals()
    project.prompt("v2")

    project.evals().assert_outcomes(passed=11)
