"""How a command ends: with pytest's exit codes, and with whole messages in place of tracebacks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from pytest_promptgate.core.printable import printable
from pytest_promptgate.errors import PromptGateError

if TYPE_CHECKING:
    from collections.abc import Callable

OK, FAILED, INTERRUPTED, USAGE = 0, 1, 2, 4


class Stop(Exception):
    """A command cannot go on.

    Args:
        message: Whole, with place and hint.
        code: The process's exit code.
    """

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


class Commands(click.Group):
    """A group whose commands end as pytest does: 0 ok, 1 failed, 2 interrupted, 4 usage."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command; ends the process unless `standalone_mode` is off."""
        run: Callable[..., Any] = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        sys.exit(_code(lambda: run(*args, standalone_mode=False, **extra)))


def _code(command: Callable[[], Any]) -> int:
    try:
        found = command()
    except click.UsageError as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return FAILED
    except Stop as stop:
        click.echo(printable(str(stop)), err=True)
        return stop.code
    except PromptGateError as error:
        click.echo(printable(str(error)), err=True)
        return FAILED
    except OSError as error:
        click.echo(printable(f"{error.filename}: {error.strerror}" if error.filename else str(error)), err=True)
        return FAILED
    return found if isinstance(found, int) else OK
