"""Ways to find the part of an answer that is to be graded: the steps of ``extract:``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from pytest_promptgate.core.types import ToolCall
from pytest_promptgate.scorers.json_path import parse_path, value_at
from pytest_promptgate.scorers.parsing import NotJsonError, parse_json
from pytest_promptgate.scorers.patterns import captured
from pytest_promptgate.scorers.quoting import VALUE, quoted, quoted_path
from pytest_promptgate.scorers.regex import Regex
from pytest_promptgate.scorers.settings import choice, wrong

TAKES: Final = ("last", "first", "only")


class NotFoundError(ValueError):
    """The answer lacks the part; the message says what was looked for, and is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexStep:
    """What a pattern matches.

    Attributes:
        pattern: As Python's `re` reads it.
        group: Number or name of the group that is the part; None: the first group if the pattern has one, else all.
        flags: As for the scorer ``regex``.
        take: The ``last`` match, or the ``first`` one.
        timeout_s: Seconds for one answer, wall clock; more is an error of that case.
    """

    pattern: str
    group: int | str | None = None
    flags: tuple[str, ...] = ()
    take: str = "last"
    timeout_s: float = 2.0

    regex: Regex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        choice("take", self.take, ("last", "first"))
        plain = Regex(
            pattern=self.pattern,
            group=0 if self.group is None else self.group,
            flags=self.flags,
            timeout_s=self.timeout_s,
        )
        object.__setattr__(self, "flags", plain.flags)
        object.__setattr__(self, "regex", plain)

    def found(self, text: str, *, as_json: bool) -> str:  # noqa: ARG002 - a step's signature
        """The part; raises NotFoundError, or TimeoutError."""
        group = self.group
        if group is None:
            group = min(1, re.compile(self.pattern, self.regex.combined).groups)
        part = captured(
            self.pattern,
            text,
            flags=self.regex.combined,
            full=False,
            group=group,
            timeout_s=self.timeout_s,
            last=self.take == "last",
        )
        if part is None:
            raise NotFoundError(f"no match of {quoted(self.pattern)}")
        return part


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonPathStep:
    """One value of an answer that is JSON, or one Markdown code block of JSON.

    A text is itself, every other value its JSON text.

    Attributes:
        path: ``$.items[0].sku``: a singular query of RFC 9535.
    """

    path: str

    def __post_init__(self) -> None:
        if not isinstance(self.path, str):
            raise wrong("path", "a path such as $.items[0].sku", self.path)
        parse_path(self.path)

    def found(self, text: str, *, as_json: bool) -> str:
        """The part; raises NotFoundError. With `as_json` a text keeps its quotation marks."""
        steps = parse_path(self.path)
        try:
            value, gone = value_at(parse_json(text, fenced=True), steps)
        except NotJsonError as error:
            raise NotFoundError(str(error)) from error
        if gone < len(steps):
            raise NotFoundError(f"no {quoted_path(steps[: gone + 1])}")
        return value if isinstance(value, str) and not as_json else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLine:
    """The last line that is not blank, without white space at its ends."""

    def found(self, text: str, *, as_json: bool) -> str:  # noqa: ARG002 - a step's signature
        """The part; raises NotFoundError."""
        line = text.rstrip().rpartition("\n")[2].strip()
        if not line:
            raise NotFoundError("the answer is empty")
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """The content of a Markdown code block between fences of ``` or ~~~; one that is not closed does not count.

    Attributes:
        language: Only blocks of this language, compared without case; None: any.
        take: The ``last`` block, the ``first``, or the ``only`` one.
    """

    language: str | None = None
    take: str = "last"

    def __post_init__(self) -> None:
        if self.language is not None and (not isinstance(self.language, str) or not self.language.strip()):
            raise wrong("language", "the name of a language", self.language)
        choice("take", self.take, TAKES)

    def found(self, text: str, *, as_json: bool) -> str:  # noqa: ARG002 - a step's signature
        """The part; raises NotFoundError."""
        wanted = self.language.strip().lower() if self.language else None
        blocks = [body for name, body in _blocks(text) if wanted in (None, name)]
        return _taken(blocks, self.take, f"{self.language or ''} code block".strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlTag:
    """What stands between ``<name>`` and ``</name>``, without white space at its ends. The answer need not be XML.

    Attributes:
        name: Of the tag, compared with case; the opening one may have attributes.
        take: The ``last`` element to be closed, the ``first``, or the ``only`` one.
    """

    name: str
    take: str = "last"

    NAME: ClassVar[re.Pattern[str]] = re.compile(r"[^\W\d][\w.:-]{0,63}")

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.NAME.fullmatch(self.name):
            raise wrong("name", "the name of a tag, without < and >", self.name)
        choice("take", self.take, TAKES)

    def found(self, text: str, *, as_json: bool) -> str:  # noqa: ARG002 - a step's signature
        """The part; raises NotFoundError."""
        begun: list[int] = []
        elements: list[str] = []
        for tag in re.finditer(rf"<(/?){re.escape(self.name)}(?:\s[^<>]{{0,1000}})?>", text):
            if not tag[1]:
                begun.append(tag.end())
            elif begun:
                elements.append(text[begun.pop() : tag.start()].strip())
        return _taken(elements, self.take, f"<{self.name}> element")


def _taken(parts: Sequence[str], take: str, what: str) -> str:
    if not parts:
        raise NotFoundError(f"no {what}")
    if take == "only" and len(parts) > 1:
        raise NotFoundError(f"{len(parts)} {what}s, expected only one")
    return parts[-1 if take == "last" else 0]


_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^`\n]*)\Z")


def _blocks(text: str) -> list[tuple[str, str]]:
    """Language, in lower case, and content of each closed block."""
    found: list[tuple[str, str]] = []
    marks, language, body = "", "", list[str]()
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if not marks:
            if fence:
                marks, body = fence["marks"], []
                language = (fence["info"].split() or [""])[0].lower()
        elif fence and fence["marks"].startswith(marks) and not fence["info"].strip():
            found.append((language, "\n".join(body)))
            marks = ""
        else:
            body.append(line)
    return found


def called(text: str, calls: Sequence[ToolCall]) -> str:
    """Why nothing can be found in an answer without text; "" if it has some."""
    if text.strip():
        return ""
    names = ", ".join(quoted(call.name, width=VALUE) for call in calls[:3])
    return f"no text, only calls of {names}" if names else "the answer is empty"
