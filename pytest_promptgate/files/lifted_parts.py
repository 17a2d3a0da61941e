"""Text with variables in it, as Python code writes it, cut into its parts; and the parts as a Jinja template."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.files.prompty_format import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Names that Jinja, or a prompt's front matter, keeps for itself.
_TAKEN = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs", "true", "false", "none"})
_FIELD = re.compile(r"[A-Za-z_]\w*")
_NAMED_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")
_JINJA = re.compile(r"\{%|\{#|\{\{-?\s*[A-Za-z_][\w.\[\]'\"]*\s*(\|[^{}]*)?-?\}\}")
_LONE_FIELD = re.compile(r"(?<!\{)(?:\{\{)*\{[A-Za-z_]\w*\}(?!\})")
_PERCENT = re.compile(r"%(?:\((?P<key>\w+)\))?(?P<conversion>[#0\- +]*(?:\d+|\*)?(?:\.(?:\d+|\*))?[a-zA-Z%])")
_SURE_PERCENT = re.compile(r"%\(\w+\)[srdif]|(?<![\w%])%[sd](?!\w)")
_ROLE_LINE = re.compile(rf"(?im)^([ \t]*#?[ \t]*)({'|'.join(ROLES)})(?=\s*(?:\[.*\])?\s*:)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where a value goes in."""

    name: str  # of the input
    expression: str  # the Python that gives the value


Part: TypeAlias = "str | Slot"
Parts: TypeAlias = "tuple[Part, ...]"
# What stands for a field's expression: (its first name or number, its whole text) -> Python.
Given: TypeAlias = "Callable[[str, str], str]"


class NotLiftedError(Exception):
    """A text that cannot be lifted; the message says why."""


def kind_of(text: str) -> str:
    """How a text that nobody is seen to fill marks its variables: jinja, format, braces, percent or none."""
    if _JINJA.search(text) and not _LONE_FIELD.search(text):
        return "jinja"
    fields = _fields(text)
    if fields and _counts_from_0(fields):
        return "format"
    if fields != [] and _NAMED_FIELD.search(text):
        return "braces"
    return "percent" if _SURE_PERCENT.search(text) else "none"


def _fields(text: str) -> list[str] | None:
    """The fields of a format string; None if it is none, as JSON is not."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return None
    sound = all(re.fullmatch(r"([A-Za-z_]\w*|\d*)(\.[A-Za-z_]\w*|\[[\w ]+\])*", name) for name in names)
    return names if sound else None


def _counts_from_0(fields: Sequence[str]) -> bool:
    r"""Whether the numbered ones may be arguments; those of a regular expression such as ``\d{3}`` are none."""
    numbers = {int(number[0]) for name in fields if (number := re.match(r"\d+", name))}
    return numbers == set(range(len(numbers)))


def format_parts(text: str, given: Given, names: Names) -> Parts:
    """The parts of a ``str.format`` string; doubled braces are literal ones.

    Raises:
        NotLiftedError: It is none, or a field's format is itself made of fields.
    """
    if _fields(text) is None:
        raise NotLiftedError("its braces are no fields of str.format")
    parts: list[Part] = []
    automatic = 0
    for literal, name, spec, conversion in string.Formatter().parse(text):
        parts.append(literal)
        if name is None:
            continue
        if "{" in (spec or ""):
            raise NotLiftedError("the format of a field is itself made of fields")
        first = re.match(r"[^.\[]*", name)
        key = first[0] if first else ""
        if not key:
            key, automatic = str(automatic), automatic + 1
        path = given(key, name if name[:1] and not name[0].isdigit() else f"input_{int(key) + 1}")
        path += name[len(first[0]) if first else 0 :] if not _FIELD.match(name) else ""
        parts.append(names.slot(_with_format(path, conversion, spec), wanted=name))
    return tuple(part for part in parts if part != "")


def _with_format(path: str, conversion: str | None, spec: str | None) -> str:
    if not (conversion or spec):
        return path
    shown = f"{path}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"
    return f'f"{{{shown}}}"' if '"' not in shown else f"f'{{{shown}}}'"


def brace_parts(text: str, names: Names) -> Parts:
    """The parts of a text whose ``{name}`` are replaced one by one, among other braces such as JSON's."""
    parts: list[Part] = []
    end = 0
    for match in _NAMED_FIELD.finditer(text):
        parts += [text[end : match.start()], names.slot(match[1])]
        end = match.end()
    return tuple(part for part in (*parts, text[end:]) if part != "")


def percent_parts(text: str, given: Given, names: Names) -> Parts:
    """The parts of a ``%`` string.

    Raises:
        NotLiftedError: A conversion takes its width from a value.
    """
    parts: list[Part] = []
    end = number = 0
    for match in _PERCENT.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        if match["conversion"] == "%":
            parts.append("%")
            continue
        if "*" in match["conversion"]:
            raise NotLiftedError("a conversion takes its width from a value")
        key = match["key"] or str(number)
        number += match["key"] is None
        path = given(key, match["key"] or f"input_{number}")
        expression = path if match["conversion"] == "s" else f'"%{match["conversion"]}" % ({path},)'
        parts.append(names.slot(expression, wanted=match["key"] or ""))
    return tuple(part for part in (*parts, text[end:]) if part != "")


class Names:
    """Names of inputs for expressions: one for each expression of a prompt, and no two alike."""

    def __init__(self) -> None:
        self._known: dict[str, Slot] = {}

    def slot(self, expression: str, *, wanted: str = "") -> Slot:
        """The slot of a Python expression; one that is a plain value is called as its template calls it: `wanted`."""
        if expression not in self._known:
            taken = {each.name for each in self._known.values()}
            says_nothing = not _FIELD.match(expression) and _FIELD.match(wanted)
            plain = _plain_name(wanted if says_nothing else expression)
            name = next(each for each in _numbered(plain) if each not in taken)
            self._known[expression] = Slot(name=name, expression=expression)
        return self._known[expression]


def _plain_name(expression: str) -> str:
    if wrapped := re.fullmatch(r"f(['\"])\{(.*?)(?:![rsa])?(?::[^{}]*)?\}\1|\"%[^\"]*\" % \((.*),\)", expression):
        expression = wrapped[2] or wrapped[3]
    name = re.sub(r"\W+", "_", expression, flags=re.ASCII).strip("_")[:40].rstrip("_") or "value"
    name = f"value_{name}" if name[0].isdigit() else name
    return f"{name}_" if name.lower() in _TAKEN else name


def _numbered(name: str) -> Sequence[str]:
    return [name, *(f"{name}_{number}" for number in range(2, 1000))]


def merged(parts: Sequence[Part]) -> Parts:
    """The same with literal neighbours as one."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found)


def as_jinja(parts: Sequence[Part]) -> str:
    """A template that prints the literal parts as they are, whatever they look like to Jinja or to Prompty."""
    text = ""
    for index, part in enumerate(parts):
        if isinstance(part, Slot):
            text += f"{{{{ {part.name} }}}}"
            continue
        followed = index + 1 < len(parts)
        text += re.sub(r"\{(?=[{%#])|\{\Z" if followed else r"\{(?=[{%#])", "{{ '{' }}", part)
    return _ROLE_LINE.sub(r"\1{{ '\2' }}", text)


def filled(parts: Sequence[Part], samples: Mapping[str, str]) -> str:
    """The text that Python makes of the parts, with a sample for every input."""
    return "".join(part if isinstance(part, str) else samples[part.name] for part in parts)
