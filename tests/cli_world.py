"""The project of the front door's tests, with its command line."""

from __future__ import annotations

from dataclasses import dataclass

from click.testing import CliRunner
from front_project import Project

from pytest_promptgate.cli.main import main

REMOTE = "{id: gpt-4o-2024-11-20, provider: openai}"
SECRET = "sk-secret-of-the-tests"
PRICES = "prices:\n  openai/gpt-4o-2024-11-20: {input: 1000, output: 4000}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said, and how it ended."""

    out: str
    err: str
    code: int


class CliProject(Project):
    """A project whose command line can be run."""

    def cli(self, *args: str) -> Said:
        """``promptgate ARGS`` in the project, in this process."""
        result = CliRunner().invoke(main, args)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert SECRET not in result.output
        return Said(out=result.stdout, err=result.stderr, code=result.exit_code)
