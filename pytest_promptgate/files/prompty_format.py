"""The Prompty 2 file format: front matter between ``---`` lines, then sections that begin with ``system:`` or so.

Which lines begin a section, and what a section's text is, is as in Microsoft's ``prompty`` package (2.1), so both
read one file alike. Where that package would read something that nobody means, this one tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pytest_promptgate.core.wording import shown
from pytest_promptgate.errors import Place, PromptError, PromptGateError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLES = ("system", "developer", "user", "assistant")

# The pattern of prompty.parsers.prompty, matched against the stripped line.
_MARKER = re.compile(r"(?i)#?\s*(" + "|".join(ROLES) + r")(\[.*\])?\s*:\Z")
_ATTRIBUTES = re.compile(r"\[(?:\w+\s*=\s*(?:\"[^\"]*\"|[^\",\]]*)\s*,?\s*)+\]\Z")
_ONE_WORD = re.compile(r"#?\s*(\w+)(?:\[.*\])?\s*:\Z")
_MARKER_WITH_TEXT = re.compile(r"(?i)(" + "|".join(ROLES) + r")\s*:\s*\S")
_FENCES = re.compile(r"---|\+\+\+")
_STRIPS_ABOVE = re.compile(r"\s*\{([{%#])-.*?(-?)[}%#]\}(\n?)", re.DOTALL)
_STRIPS_BELOW = re.compile(r"-[}%#]\}\s*\Z")
_OPENING = re.compile(r"\{[{%#]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One message's template."""

    role: str
    content: str  # without line feeds at both ends
    line: int  # of the file, where `content` starts
    exact: bool = True  # its lines are the file's lines from there on


def split_front_matter(text: str, file: str) -> tuple[str, int]:
    """The front matter's YAML, which starts on line 2, and the line of the file after its closing ``---``.

    Raises:
        PromptError: It is missing, never ends, or Prompty's package would end it elsewhere.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        raise PromptError(
            Place(file=file, line=1, column=1),
            "no front matter",
            hint="The first line of a .prompty file is ---, then YAML, then --- again, then the messages.",
        )
    closing = next((number for number, line in enumerate(lines[1:], 2) if line.rstrip() == "---"), None)
    if closing is None:
        raise PromptError(
            Place(file=file, line=1, column=1),
            "the front matter never ends",
            hint="Write a line --- between the YAML and the messages.",
        )
    for number, line in enumerate(lines[1 : closing - 1], 2):
        if fence := _FENCES.search(line):
            raise PromptError(
                Place(file=file, line=number, column=fence.start() + 1),
                f"{fence[0]!r} inside the front matter",
                hint="Other readers of Prompty files end the front matter there: write it otherwise.",
            )
    return "\n".join(lines[1 : closing - 1]), closing + 1


def split_sections(text: str, first_line: int, file: str, faults: list[PromptGateError]) -> list[Section]:
    """The sections of the text that begins on line `first_line`; what is wrong goes into `faults`.

    Text before the first role marker is a system message.
    """
    body = _body(text, first_line, file)
    if body is None:
        hint = "Begin with a line system: or user:."
        faults.append(_fault(file, first_line - 1, "no messages after the front matter", hint))
        return []
    faults += body.odd_lines()
    sections: list[Section] = []
    for role, start, end in body.spans():
        fault = body.fault_of_span(start, end)
        if fault:
            faults.append(fault)
        else:
            sections.append(body.section(role, start, end))
    return sections


def swallowed_markers(text: str, first_line: int) -> Iterator[tuple[int, str]]:
    """Role markers that a tag with ``-`` joins with other text where a file is rendered before it is split.

    Here it is split first, so nothing is lost. Whether a branch is taken is not known: the nearest tag decides.

    Args:
        text: Of the file, with line feeds alone.
        first_line: Of the messages.

    Yields:
        The line of the marker, and its role.
    """
    body = _body(text, first_line, "")
    if body is None:
        return
    above = ""
    for role, start, end in body.spans():
        content = "\n".join(body.lines[start:end])
        if start and (_joins_above(content) or _joins_below(above)):
            yield body.first_line + start - 1, role
        above = content


def _joins_above(section: str) -> bool:
    """Whether what `section` begins with would stand on the line above it."""
    tag = _STRIPS_ABOVE.match(section)
    return tag is not None and (tag[1] == "{" or tag[2] == "-" or not tag[3])


def _joins_below(section: str) -> bool:
    """Whether the line below would stand on the last one of `section`."""
    if _STRIPS_BELOW.search(section) is None:
        return False
    *_, last = _OPENING.finditer(section)
    before = section[: last.start()].rstrip(" \t")
    opens_stripping = section.startswith("-", last.end())
    return last[0] == "{{" or opens_stripping or not (before == "" or before.endswith("\n"))


def _body(text: str, first_line: int, file: str) -> _Body | None:
    """What stands from line `first_line` on; None if it is blank."""
    lines = text.split("\n")[first_line - 1 :]
    blank = next((index for index, line in enumerate(lines) if line.strip()), None)
    if blank is None:
        return None
    return _Body(lines=[lines[blank].lstrip(), *lines[blank + 1 :]], first_line=first_line + blank, file=file)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    lines: list[str]  # the first is not blank
    first_line: int  # of the file
    file: str

    def spans(self) -> list[tuple[str, int, int]]:
        """Role, first line and end of every section, markers not counted in."""
        found = [(role, index + 1) for index, line in enumerate(self.lines) if (role := role_of(line))]
        if not found or found[0][1] > 1:
            found.insert(0, ("system", 0))
        ends = [*(start - 1 for _, start in found[1:]), len(self.lines)]
        return [(role, start, end) for (role, start), end in zip(found, ends, strict=True)]

    def section(self, role: str, start: int, end: int) -> Section:
        content = "\n".join(self.lines[start:end])
        skipped = len(content) - len(content.lstrip("\n"))
        return Section(role=role, content=content.strip("\n"), line=self.first_line + start + skipped)

    def fault_of_span(self, start: int, end: int) -> PromptError | None:
        """A section without text."""
        if any(line.strip() for line in self.lines[start:end]):
            return None
        return self._fault(start - 1, "a section without text", "Write text below the role marker, or remove it.")

    def odd_lines(self) -> list[PromptError]:
        """Lines that look like role markers, and that Prompty takes for text or reads otherwise than it is meant."""
        faults = [self._odd_line(index, line.strip()) for index, line in enumerate(self.lines)]
        return [fault for fault in faults if fault]

    def _odd_line(self, index: int, line: str) -> PromptError | None:
        marker = _MARKER.match(line)
        if marker and marker[2]:
            what = "a role marker with attributes" if _ATTRIBUTES.match(marker[2]) else "an unreadable role marker"
            return self._fault(index, f"{what}: {shown(line)}", f"Write {marker[1].lower()}: alone.")
        if index == 0 and _MARKER_WITH_TEXT.match(line):
            return self._fault(index, "text on the line of a role marker", "Write the text on the next line.")
        word = None if marker else _ONE_WORD.match(line)
        if word and (guess := _misspelt_role(word[1].lower(), first=index == 0)):
            return self._fault(index, f"unknown role {word[1]!r}", guess)
        return None

    def _fault(self, index: int, what: str, hint: str) -> PromptError:
        line = self.lines[index]
        column = len(line) - len(line.lstrip()) + 1
        return _fault(self.file, self.first_line + index, what, hint, column)


def role_of(line: str) -> str:
    """The role whose marker `line` is; "" if it is text."""
    marker = _MARKER.match(line.strip())
    return marker[1].lower() if marker else ""


def _misspelt_role(word: str, *, first: bool) -> str:
    """The hint for a word that stands where a role marker could; "" for ordinary text such as ``Examples:``.

    The first line is meant as a marker; further down only a slip in a long role is told from text.
    """
    close = get_close_matches(word, ROLES, n=1, cutoff=0.8)
    slip = bool(close) and len(close[0]) > 5 and word != f"{close[0]}s"
    if not first and not slip:
        return ""
    return f"{f'Did you mean {close[0]!r}? ' if close else ''}Roles: {', '.join(ROLES)}."


def _fault(file: str, line: int, what: str, hint: str, column: int = 1) -> PromptError:
    return PromptError(Place(file=file, line=line, column=column), what, hint=hint)
