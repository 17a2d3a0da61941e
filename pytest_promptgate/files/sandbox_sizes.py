"""How large the result of an operator, a filter or a method would be, asked before it is computed.

One call can ask for more memory than there is: ``'%999999999d' % 1``, ``x.replace('', x)``, ``x | indent(10**9)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from typing import Any, TypeAlias

from jinja2.exceptions import SecurityError

from pytest_promptgate.files.spending import MOST_CHARACTERS, check_size

MOST_EXPONENT = 1_000
MOST_BITS = 100_000  # of a whole number
MOST_SUMMED = 1_000  # lists or texts that are added up
_PERCENT = re.compile(r"%[-+ #0]*(?:\d{7,}|\*|\d*\.(?:\d{7,}|\*))")
_BRACES = re.compile(r"\{[^{}]*:[^{}]*(?:\d{7,}|\{)")
_Check: TypeAlias = Callable[..., None]


def check_binop(operator: str, left: Any, right: Any) -> None:
    """Refuse an operation whose result would be too large."""
    if operator == "**":
        _check_power(left, right)
    elif operator == "*":
        check_size(max(_repeated(left, right), _repeated(right, left)), "a repetition")
        if isinstance(left, int) and isinstance(right, int):
            _check_bits(left.bit_length() + right.bit_length())
    elif operator == "%" and isinstance(left, str):
        check_percent(left, right)


def check_filter(name: str, value: Any, *args: Any, **kwargs: Any) -> None:
    """Refuse a filter whose result would be too large."""
    if name in _FILTERS:
        _FILTERS[name](value, *args, **kwargs)


def check_method(text: str, name: str, *args: Any) -> None:
    """Refuse a method of a text whose result would be too large."""
    if name == "replace":
        _replace(text, *args)
    elif name == "join" and args:
        _join(args[0], text)
    elif name in ("center", "ljust", "rjust", "zfill", "expandtabs"):
        _numbers(text, *args)
    elif name == "translate" and args and isinstance(args[0], Mapping):
        check_size(len(text) * max((len(each) for each in args[0].values() if isinstance(each, str)), default=1))


def check_percent(template: str, *values: Any) -> None:
    """Refuse ``%`` with a width of millions, or with one that stands among the values."""
    if _PERCENT.search(template):
        _check_widths(template, values)


def check_format(template: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Refuse ``{:…}`` with a width of millions, or with one that stands among the values."""
    if _BRACES.search(template):
        _check_widths(template, (*args, *kwargs.values()))


def _check_widths(template: str, values: tuple[Any, ...]) -> None:
    flat = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    written = [int(each) for each in re.findall(r"\d{7,15}", template)]
    _numbers(template, *flat, *written, *([MOST_CHARACTERS + 1] if re.search(r"\d{16}", template) else []))


def _check_power(left: Any, right: Any) -> None:
    if abs(right) > MOST_EXPONENT:
        raise SecurityError(f"an exponent above {MOST_EXPONENT:,}")
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * abs(right))


def _check_bits(bits: int) -> None:
    if bits > MOST_BITS:
        raise SecurityError(f"a whole number of more than {MOST_BITS:,} bits")


def _repeated(sequence: Any, times: Any) -> int:
    return len(sequence) * times if isinstance(sequence, str | list | tuple) and isinstance(times, int) else 0


def _numbers(_: Any, *arguments: Any) -> None:
    if any(isinstance(each, int) and abs(each) > MOST_CHARACTERS for each in arguments):
        raise SecurityError(f"a size above {MOST_CHARACTERS:,}")


def _replace(value: Any, old: Any = "", new: Any = "", *_: Any) -> None:
    text = str(value)
    check_size(len(text) + text.count(str(old)) * len(str(new)), "a replacement")


def _join(value: Any, d: Any = "", *_: Any, **__: Any) -> None:
    if isinstance(value, Sized):
        check_size(len(value) * len(str(d)), "a joined text")
    elif len(str(d)) > MOST_EXPONENT:
        raise SecurityError(f"a separator longer than {MOST_EXPONENT:,}")


def _indent(value: Any, width: Any = 4, *_: Any, **__: Any) -> None:
    by = width if isinstance(width, int) else len(str(width))
    _numbers(value, by)
    check_size((str(value).count("\n") + 1) * by, "an indented text")


def _few(_: Any, *arguments: Any, **named: Any) -> None:
    if any(isinstance(each, int) and abs(each) > MOST_EXPONENT for each in (*arguments, *named.values())):
        raise SecurityError(f"a number above {MOST_EXPONENT:,}")


def _sum(value: Any, *arguments: Any, **named: Any) -> None:
    start = named.get("start", arguments[1] if len(arguments) > 1 else 0)
    if isinstance(start, list | tuple | str) and not (isinstance(value, Sized) and len(value) <= MOST_SUMMED):
        raise SecurityError(f"a sum of more than {MOST_SUMMED:,} lists")


def _sizes(value: Any, *arguments: Any, **named: Any) -> None:
    _numbers(value, *arguments, *named.values())


def _wordwrap(value: Any, width: int = 79, *arguments: Any, **named: Any) -> None:
    between = named.get("wrapstring", arguments[1] if len(arguments) > 1 else "")
    check_size(len(str(value)) * len(str(between or "")) // max(1, width), "a wrapped text")


_FILTERS: Mapping[str, _Check] = {
    **dict.fromkeys(("batch", "center", "slice"), _sizes),
    **dict.fromkeys(("round", "tojson"), _few),
    "format": lambda value, *args, **kwargs: check_percent(str(value), *args, *kwargs.values()),
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "sum": _sum,
    "wordwrap": _wordwrap,
}
