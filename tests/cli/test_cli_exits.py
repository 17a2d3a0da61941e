"""How commands end, and how tables look."""

from __future__ import annotations

import json
import sys
from importlib import resources
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from pytest_promptgate.cli.exits import Commands, Stop
from pytest_promptgate.cli.main import SCHEMAS
from pytest_promptgate.cli.tables import plain, plural, show_table, size
from pytest_promptgate.errors import Place, SuiteError

if TYPE_CHECKING:
    from cli_world import CliProject


def ending(error: BaseException) -> tuple[int, str]:
    """Exit code and stderr of a command that raises `error`."""

    @click.group(cls=Commands)
    def main() -> None:
        pass

    @main.command()
    def it() -> None:
        raise error

    result = CliRunner().invoke(main, ["it"])
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Stop("no \x1b[31msuite", 4), 4, "no \\x1b[31msuite\n"),
        (
            SuiteError(Place(file="a.eval.yaml", line=3), "wrong", hint="Mend it."),
            1,
            "a.eval.yaml:3: wrong\n  Mend it.\n",
        ),
        (KeyboardInterrupt(), 2, "\nInterrupted.\n"),
        (click.ClickException("it failed"), 1, "Error: it failed\n"),
        (PermissionError(13, "Permission denied", "x/y"), 1, "x/y: Permission denied\n"),
        (click.exceptions.Exit(0), 0, ""),
    ],
)
def test_commands_end_with_pytests_exit_codes_and_no_traceback(error: BaseException, code: int, said: str) -> None:
    assert ending(error) == (code, said)


def test_a_fault_of_ours_is_not_hidden() -> None:
    @click.group(cls=Commands)
    def main() -> None:
        pass

    @main.command()
    def it() -> None:
        raise ZeroDivisionError

    assert isinstance(CliRunner().invoke(main, ["it"]).exception, ZeroDivisionError)


def test_a_plain_table_has_texts_to_the_left_and_numbers_to_the_right() -> None:
    assert plain(("suite", "calls"), [("triage", "7"), ("a", "1200")], left=1) == [
        "suite   calls",
        "triage      7",
        "a        1200",
    ]


def test_a_terminal_gets_lines_and_no_markup_of_untrusted_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    show_table(("suite", "calls"), [("[red]a[/red]\x1b[31m", "7")], left=1)

    out = capsys.readouterr().out
    assert "┃" in out
    assert "[red]a[/red]\\x1b[31m" in out


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (12_345, "12.3 kB"), (4_100_000, "4.1 MB"), (2_000_000_000, "2.0 GB")],
)
def test_sizes_are_short(count: int, shown: str) -> None:
    assert size(count) == shown


def test_one_is_singular() -> None:
    assert (plural(1, "answer"), plural(0, "answer")) == ("1 answer", "0 answers")


def test_a_command_without_arguments_shows_its_help(project: CliProject) -> None:
    said = project.cli()

    assert "estimate" in said.out + said.err
    assert project.cli("--version").out.startswith("promptgate, version ")


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schema_of_every_kind_of_file_is_printed(project: CliProject, kind: str) -> None:
    assert json.loads(project.cli("schema", kind).out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_schema_of_the_package_can_be_printed() -> None:
    shipped = (resources.files("pytest_promptgate") / "schemas").iterdir()
    assert {each.name.removesuffix(".schema.json") for each in shipped} == set(SCHEMAS)
