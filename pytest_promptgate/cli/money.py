"""Amounts of money on the command line."""

from __future__ import annotations

import click

from pytest_promptgate.core.limits import parse_money


def usd(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """The amount of an option that is written ``0.5`` or ``$0.5``; an option's callback.

    Raises:
        click.BadParameter: It is none.
    """
    try:
        return None if text is None else parse_money(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}") from None
