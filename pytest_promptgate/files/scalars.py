"""What a plain YAML scalar means.

YAML 1.2's core schema holds; where 1.1 and 1.2 read a plain scalar differently it stays text, so no
reader changes its meaning in silence:

=================================  ==================================================================
plain scalar                       value
=================================  ==================================================================
``true`` ``False``                 a bool; ``yes no on off y n`` stay text
``null`` ``~`` (nothing)           None
``7`` ``-1`` ``0.5`` ``1e3``       a number
``0x1F``                           31
``012`` ``0o14`` ``1_000`` ``1:30``  text
``2024-01-31``                     text
``.nan`` ``.inf`` ``1e999``        an error: no finite number
=================================  ==================================================================
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Json

_MOST_DIGITS = 400
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_WORDS: Mapping[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OCTAL = re.compile(r"[-+]?0[0-7_]+\Z")
_GROUPED = re.compile(r"[-+]?[0-9][0-9]*(?:_[0-9_]*)(?:\.[0-9_]*)?\Z")
_BINARY = re.compile(r"[-+]?0b[01_]+\Z")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?\Z")
_TRUTHS: Mapping[str, str] = {
    **{form: "true" for word in ("yes", "on", "y") for form in (word, word.title(), word.upper())},
    **{form: "false" for word in ("no", "off", "n") for form in (word, word.title(), word.upper())},
}


def plain_value(text: str) -> Json:
    """The value of an unquoted scalar.

    Raises:
        ValueError: It is a number, and not a finite one.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) < _MOST_DIGITS and _INT.match(text):
        return int(text)
    if len(text) < _MOST_DIGITS and _HEX.match(text):
        return int(text, 16)
    if not _FLOAT.match(text):
        if _NOT_FINITE.match(text):
            raise ValueError(f"{text} is not a finite number")
        return text
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is too large for a number")
    return value


def read_by_yaml_1_1(text: str) -> str:
    """What YAML 1.1 makes of an unquoted scalar that is text here, in words; "" if it is text there too."""
    if text in _TRUTHS:
        return _TRUTHS[text]
    if not text or text[0] not in "+-0123456789":
        return ""
    if _OCTAL.match(text):
        return f"the octal number {int(text.replace('_', ''), 8)}" if len(text) < _MOST_DIGITS else "an octal number"
    if _GROUPED.match(text):
        return f"the number {text.replace('_', '')[:40]}"
    if _BINARY.match(text):
        return "a binary number"
    if _SEXAGESIMAL.match(text):
        return "a number of base 60"
    return "a date" if _DATE.match(text) else ""
