"""Tables: drawn on a terminal, plain columns anywhere else, so that other programs can read them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pytest_promptgate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> None:
    """Print a table.

    Args:
        header: Names of the columns.
        rows: Their texts; untrusted ones are made printable here.
        left: So many columns from the first on are texts; the others are numbers, and stand to the right.
    """
    cells = [[printable(cell).replace("\n", " ").replace("\t", " ") for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(header, cells, left)
        return
    for line in plain(header, cells, left=left):
        click.echo(line)


def plain(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> list[str]:
    """The lines of a table without lines."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    return ["  ".join(_placed(row, widths, left)).rstrip() for row in [header, *rows]]


def _placed(row: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    return [
        cell.ljust(width) if column < left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _draw(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column, name in enumerate(header):
        table.add_column(Text(name), justify="left" if column < left else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # as text: a suite's name is no markup
    Console().print(table)


def size(count: int) -> str:
    """``950 B``, ``12.3 kB``, ``4.1 MB``."""
    for limit, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{count} B"


def plural(count: int, word: str) -> str:
    """``1 answer``, ``2 answers``."""
    return f"{count} {word}{'' if count == 1 else 's'}"
