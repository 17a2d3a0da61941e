"""Every example of docs/python_suites.md, run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from front_project import Project

PAGE = (Path(__file__).parents[2] / "docs" / "python_suites.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def written(project: Project) -> Project:
    project.prompt("v1")
    (rows,) = blocks("jsonl")
    project.write("tests/tickets.jsonl", rows)
    for block in blocks("python"):
        project.write(block.splitlines()[0].removeprefix("# "), block)
    return project


def test_the_examples_run_write_baselines_and_stay_out_of_plain_runs(project: Project) -> None:
    written(project)

    project.run_apart("--prompt-evals").assert_outcomes(passed=17)
    project.run_apart("--update-baseline").assert_outcomes(passed=17)
    project.run_apart("--prompt-evals", "-m", "prompt_eval").assert_outcomes(passed=17)
    plain = project.run_apart("-rs")
    plain.assert_outcomes(skipped=1)
    plain.stdout.fnmatch_lines(["SKIPPED*: prompt_eval asks models: run pytest with --prompt-evals"])


def test_the_marker_takes_the_keys_that_the_page_names() -> None:
    from pytest_promptgate.files.python_suite import KEYS

    (paragraph,) = re.findall(r"^\*\*The marker\*\* takes.*?\n\n", PAGE, flags=re.MULTILINE | re.DOTALL)

    assert {key for key in KEYS if f"`{key}`" in paragraph} == KEYS
