"""No code block of a page is only believed: each is run, by this file or by one of the page's own, or marked as output."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping

import click
import pytest
from click.testing import CliRunner
from doc_pages import OUTPUT, PAGES, REPOSITORY, Block, blocks, commands
from front_project import QUIET_PLUGINS

from pytest_promptgate.cli.main import main

# page -> language -> the file whose tests run every such block as it stands there.
OWN: Mapping[str, Mapping[str, str]] = {
    "README.md": dict.fromkeys(("jinja", "jsonl", "python", "yaml"), "tests/docs/test_doc_suites.py"),
    "docs/ci.md": {"yaml": "tests/front/test_ci_recipes.py"},
    "docs/getting_started.md": {
        "jinja": "tests/test_getting_started.py",
        "python": "tests/test_getting_started.py",
    },
    "docs/lint.md": dict.fromkeys(("jinja", "yaml", "json", "jsonl", "md"), "tests/cli/test_lint_page.py"),
    "docs/pins.md": {"yaml": "tests/files/test_pin_docs.py"},
    "docs/prompts.md": {"jinja": "tests/files/test_prompts_page.py"},
    "docs/python_suites.md": dict.fromkeys(("python", "jsonl"), "tests/front/test_python_suite_docs.py"),
    **{
        f"docs/{name}.md": {"yaml": "tests/docs/test_doc_suites.py"}
        for name in ("gate_options", "judges", "large_suites", "statistics", "targets")
    },
    "docs/reports.md": {"python": "tests/reports/test_frames.py"},
    "docs/scorers.md": {"yaml": "tests/scorers/test_scorer_docs.py"},
    "docs/suite_format.md": {"yaml": "tests/files/test_suite_format_page.py"},
}
ALL = [block for page in PAGES for block in blocks(page)]
OURS = [block for block in ALL if block.language != OUTPUT and block.language not in OWN.get(block.page, {})]


def ours(*languages: str) -> pytest.MarkDecorator:
    """One test for each block of these languages that no other file runs."""
    chosen = [block for block in OURS if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=str)


RUN_HERE = ("console", "python", "sh", "toml")


def test_every_block_is_run_or_marked_as_output() -> None:
    assert [str(block) for block in OURS if block.language not in RUN_HERE] == []


@pytest.mark.parametrize(("page", "file"), [(page, file) for page in OWN for file in {*OWN[page].values()}])
def test_the_file_that_is_said_to_run_a_page_reads_it(page: str, file: str) -> None:
    reader = (REPOSITORY / file).read_text(encoding="utf-8")
    if "workflow_world" in reader:
        reader += (REPOSITORY / "tests/workflow_world.py").read_text(encoding="utf-8")

    assert page.removeprefix("docs/") in reader


def test_every_promise_of_this_file_is_about_a_block() -> None:
    there = {(block.page, block.language) for block in ALL}

    assert {(page, language) for page in OWN for language in OWN[page]} - there == set()


# What a block of commands may call that is not ours, and needs a network or a clone of this repository.
OTHERS = {".", "cd", "cp", "gh", "git", "mypy", "npm", "npx", "pip", "python", "python3", "ruff"}
# Files that have to exist for a command to be understood.
NAMED = ("app.py",)


@ours("sh", "console")
def test_every_command_is_understood(block: Block, pytester: pytest.Pytester) -> None:
    for name in NAMED:
        (pytester.path / name).touch()
    for program, *words in commands(block):
        name = program.rpartition("/")[2]
        if name == "pytest":
            pytester.parseconfig(*words)
        elif name == "promptgate":
            understood(words)
        else:
            assert name in OTHERS


def understood(words: list[str]) -> None:
    """Parse the words of a command of ``promptgate``, as it does before it begins."""
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context("promptgate", words)


# Those that neither ask a model nor need other files than a project's.
READERS = ("diff", "estimate", "history", "lint", "log", "pins", "power", "responses stats")
READING = sorted(
    {
        " ".join(words)
        for block in OURS
        if block.language in ("sh", "console")
        for program, *words in commands(block)
        if program == "promptgate" and " ".join(words).startswith(READERS)
    }
)


def test_every_command_that_reads_a_project_runs_on_the_example(example: pytest.Pytester) -> None:
    shutil.copy(example.path / "walk/v4-better.prompty", example.path / "prompts/support-triage/v4.prompty")
    example.runpytest(*QUIET_PLUGINS, "--prompt-evals", "--prompt-history")

    codes = {words: CliRunner().invoke(main, words.split()).exit_code for words in READING}

    assert codes == dict.fromkeys(READING, 0)


@ours("python")
def test_every_program_runs(block: Block) -> None:
    exec(compile(block.text, str(block), "exec", dont_inherit=True), {})


@ours("toml")
def test_every_toml_is_read(block: Block) -> None:
    assert tomllib.loads(block.text)
