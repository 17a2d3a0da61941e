"""docs/reference.md names what there is: no more, and no less."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import click
import pytest
from doc_pages import REPOSITORY, read_page

from pytest_promptgate.cli.main import main
from pytest_promptgate.plugin import ALIAS, INI

PAGE = read_page("docs/reference.md")


def rows(title: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    part = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in re.findall(r"^\|.*\|$", part, re.MULTILINE)[2:]
    ]


def names(cell: str) -> list[str]:
    """What stands in a cell as code, each without the name of its value."""
    return [each.split()[0] for each in re.findall(r"`([^`]+)`", cell)]


def test_the_page_has_every_option_of_pytest(pytester: pytest.Pytester) -> None:
    helped = pytester.runpytest("--help").stdout.str()
    part = helped.partition("prompt evals (pytest-promptgate):\n")[2].partition("\n\n")[0]

    assert sorted(name for row in rows("Options of pytest") for name in names(row[0])) == sorted(
        re.findall(r"^  (--[\w-]+)", part, re.MULTILINE)
    )
    assert ALIAS in part


def test_the_page_has_every_ini_value_with_its_default() -> None:
    assert [(names(row[0])[0], names(row[1])[0]) for row in rows("Ini values")] == [
        (name, default) for name, _, default in INI
    ]


def leaves(command: click.Command, path: Sequence[str] = ()) -> Iterator[tuple[str, click.Command]]:
    """All commands with their whole names."""
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from leaves(each, (*path, name))
    else:
        yield " ".join(path), command


def test_the_page_has_every_command_with_its_options() -> None:
    there = {
        name: [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        for name, command in leaves(main)
    }

    said = {row[0].strip("`").removeprefix("promptgate "): names(row[1]) for row in rows("Commands")}
    assert said == there


def test_the_page_has_every_environment_variable_that_is_read() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "pytest_promptgate").rglob("*.py")]
    ours = r'"((?:OPENAI|GITHUB|GITLAB|GH|CI|BUILDKITE|SYSTEM|PROMPTGATE)(?:_[A-Z_]+)?)"'
    read = {name for text in sources for name in re.findall(ours, text)}

    assert {name for row in rows("Environment variables") for name in names(row[0])} == read
