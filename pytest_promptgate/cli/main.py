"""``promptgate``: the commands beside pytest."""

from __future__ import annotations

from importlib import resources

import click

from pytest_promptgate import __version__

SCHEMAS = ("suite", "prompt", "promptgate")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="promptgate")
def main() -> None:
    """Prompt evals that gate a merge. The gate itself runs under pytest: pytest --prompt-evals."""


@main.command()
@click.argument("kind", type=click.Choice(SCHEMAS))
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of file, for editors to complete and check it."""
    file = resources.files("pytest_promptgate") / "schemas" / f"{kind}.schema.json"
    click.echo(file.read_text(encoding="utf-8"), nl=False)
