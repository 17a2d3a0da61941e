"""The example in every hook's docstring, as a conftest.py that is run."""

from __future__ import annotations

import inspect
import json
import textwrap
from dataclasses import dataclass

import pytest
from front_project import SUITE, Project, section

from pytest_promptgate import hookspecs
from pytest_promptgate.toolbox import HOOKS


@dataclass(frozen=True)
class Use:
    """A project that needs what an example brings, and what is then seen."""

    suite: str = SUITE
    seen: str = "  accuracy  -         1.000"
    files: tuple[tuple[str, str], ...] = ()
    model: str = ""


PARROT = "providers: {birds: {kind: parrot, family: vllm, models: {p-1: {pinned: true}}}}\n"
LETTERS = "dear sir\nmadam\n"
USES = {
    "promptgate_scorers": Use(suite=SUITE.replace("exact_match", "polite"), seen="  accuracy  -         0.000"),
    "promptgate_metrics": Use(suite=SUITE.replace("mean(queue)", "spread(queue)"), seen="  accuracy  -         0.000"),
    "promptgate_providers": Use(
        seen="  accuracy  -         0.000", files=(("promptgate.yaml", PARROT),), model="{id: p-1, provider: birds}"
    ),
    "promptgate_dataset_loaders": Use(
        suite=SUITE.replace("mails.jsonl", "mails.lines").replace("exact_match", "{contains: i}")
        + "inputs: {message: text}\n",
        seen="/0/0",
        files=(("datasets/mails.lines", LETTERS),),
    ),
    "promptgate_completion": Use(),
    "promptgate_report": Use(),
}


def example(hook: str) -> str:
    """The indented block after ``::`` in a hook's docstring."""
    lines = inspect.cleandoc(getattr(hookspecs, hook).__doc__).splitlines()
    start = next(index for index, line in enumerate(lines) if line.endswith("::")) + 1
    block: list[str] = []
    for line in lines[start:]:
        if line and not line.startswith("    "):
            break
        block.append(line)
    return textwrap.dedent("\n".join(block)).strip() + "\n"


def test_every_hook_has_an_example_that_is_run_here() -> None:
    assert sorted(USES) == sorted(HOOKS)


@pytest.mark.parametrize("hook", sorted(USES))
def test_the_example_of_a_hook_runs(project: Project, hook: str) -> None:
    use = USES[hook]
    project.standard()
    project.write("conftest.py", example(hook))
    project.suite(use.suite)
    for path, text in use.files:
        project.write(path, text)
    if use.model:
        project.prompt("v1", model=use.model)

    result = project.evals()

    assert use.seen in section(result, "prompt evals")
    assert f"def {hook}(" in example(hook)


def test_what_the_examples_of_observers_write(project: Project) -> None:
    project.standard()
    project.write("conftest.py", f"{example('promptgate_completion')}\n{example('promptgate_report')}")
    project.accept()
    heard = [json.loads(line) for line in project.text("answers.jsonl").splitlines()]

    assert sorted(each["trial"] for each in heard) == [f"c-{number:02}" for number in range(1, 11)]
    assert project.text("verdicts.txt") == "triage default fine\n"

    project.worse()
    project.evals()

    assert project.text("verdicts.txt") == "triage default fine\ntriage default accuracy\n"
