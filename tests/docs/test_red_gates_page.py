"""docs/red_gates.md, command by command on the example project, with the output that it quotes."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner
from doc_pages import OUTPUT, Block, blocks, commands, first_unquoted
from front_project import QUIET_PLUGINS

from pytest_promptgate.cli.main import main


def run(example: pytest.Pytester, words: list[str]) -> tuple[int, list[str]]:
    """Run one command in the example; its exit code and what it said."""
    program, *arguments = words
    if program == "cp":
        shutil.copy(*(example.path / name for name in arguments))
        return 0, []
    if program == "promptgate":
        result = CliRunner().invoke(main, arguments)
        return result.exit_code, result.output.splitlines()
    assert program == "pytest"
    ran = example.runpytest(*QUIET_PLUGINS, *arguments)
    return int(ran.ret), ran.outlines


def test_the_steps_of_the_page_say_what_it_quotes(example: pytest.Pytester) -> None:
    said: list[str] = []
    for block in blocks("docs/red_gates.md"):
        if block.language == OUTPUT:
            assert first_unquoted(block.text, said) == ""
        else:
            said = run_block(example, block)


def run_block(example: pytest.Pytester, block: Block) -> list[str]:
    """Run the commands of a block, each with the exit code that its comment names; what they said."""
    said: list[str] = []
    for words, line in zip(commands(block), block.text.splitlines(), strict=True):
        code, output = run(example, words)
        assert code == ("# exit code 1" in line), line
        said += output
    return said
