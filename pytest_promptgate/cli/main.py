"""``promptgate``: the commands beside pytest."""

from __future__ import annotations

from importlib import resources

import click

from pytest_promptgate import __version__
from pytest_promptgate.cli.batch import batch
from pytest_promptgate.cli.calibrate import calibrate
from pytest_promptgate.cli.comment import comment
from pytest_promptgate.cli.diff import diff
from pytest_promptgate.cli.estimate import estimate
from pytest_promptgate.cli.exits import Commands
from pytest_promptgate.cli.history import history
from pytest_promptgate.cli.init import init
from pytest_promptgate.cli.lint import lint
from pytest_promptgate.cli.log import log
from pytest_promptgate.cli.migrate import migrate
from pytest_promptgate.cli.new_version import new_version
from pytest_promptgate.cli.pins import pins
from pytest_promptgate.cli.power import power
from pytest_promptgate.cli.report import compare, report
from pytest_promptgate.cli.responses import responses

SCHEMAS = ("suite", "prompt", "rubric", "promptgate", "run")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="promptgate")
def main() -> None:
    """Prompt evals that gate a merge. The gate itself runs under pytest: pytest --prompt-evals."""


@main.command()
@click.argument("kind", type=click.Choice(SCHEMAS))
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of file, for editors to complete and check it."""
    file = resources.files("pytest_promptgate") / "schemas" / f"{kind}.schema.json"
    click.echo(file.read_text(encoding="utf-8"), nl=False)


main.add_command(init)
main.add_command(lint)
main.add_command(estimate)
main.add_command(power)
main.add_command(calibrate)
main.add_command(responses)
main.add_command(batch)
main.add_command(diff)
main.add_command(log)
main.add_command(migrate)
main.add_command(pins)
main.add_command(new_version)
main.add_command(history)
main.add_command(comment)
main.add_command(report)
main.add_command(compare)
