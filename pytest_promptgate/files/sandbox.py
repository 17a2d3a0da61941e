"""The Jinja environment of prompts: no way to Python's inside or to the disk, and no way to run without end.

Templates are reviewed code and rows are not, so rows are only ever values here.
"""

from __future__ import annotations

import threading
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.runtime import Context

MOST_CHARACTERS = 5_000_000  # of one rendered prompt
MOST_CALLS = 100_000  # of macros, functions and methods, while one prompt is rendered
MOST_ITEMS = 1_000_000  # that range() may count in all, while one prompt is rendered
MOST_EXPONENT = 1_000


class _Spent(threading.local):
    """What the prompt that this thread is rendering has used up; whoever renders resets it."""

    calls = 0
    items = 0


spent = _Spent()


def _range(*bounds: int) -> range:
    counted = range(*bounds)
    # len() fails beyond sys.maxsize, so the bounds are asked for instead.
    spent.items += max(0, (counted.stop - counted.start) // counted.step + 1)
    if spent.items > MOST_ITEMS:
        raise SecurityError(f"range() counts more than {MOST_ITEMS:,} items")
    return counted


def _lipsum(*_: object, **__: object) -> NoReturn:
    raise SecurityError("lipsum() gives another text every time")


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, unless one of its numbers asks for more than a prompt can hold."""

    @wraps(function)
    def bounded(value: Any, *args: Any, **kwargs: Any) -> Any:
        _check_sizes(*args, *kwargs.values())
        return function(value, *args, **kwargs)

    return bounded


def _check_sizes(*arguments: Any) -> None:
    if any(isinstance(each, int) and each > MOST_CHARACTERS for each in arguments):
        raise SecurityError(f"a size above {MOST_CHARACTERS:,}")


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        spent.calls += 1
        if spent.calls > MOST_CALLS:
            raise SecurityError(f"more than {MOST_CALLS:,} calls")
        if isinstance(getattr(function, "__self__", None), str):  # ljust, zfill, …
            _check_sizes(*args, *kwargs.values())
        return super().call(context, function, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and abs(right) > MOST_EXPONENT:
            raise SecurityError(f"an exponent above {MOST_EXPONENT:,}")
        if operator == "*" and max(_repeated(left, right), _repeated(right, left)) > MOST_CHARACTERS:
            raise SecurityError(f"a repetition longer than {MOST_CHARACTERS:,}")
        return super().call_binop(context, operator, left, right)


def _repeated(sequence: Any, times: Any) -> int:
    return len(sequence) * times if isinstance(sequence, str | list | tuple) and isinstance(times, int) else 0


# Trailing line feeds are kept, as Prompty keeps them: those at both ends of a message are stripped at the end.
environment = _Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
environment.globals |= {"range": _range, "lipsum": _lipsum}
environment.filters |= {name: _bounded(environment.filters[name]) for name in ("batch", "center", "indent", "slice")}
del environment.filters["random"]  # one row has one prompt
