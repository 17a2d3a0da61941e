"""The pages that users read: their code blocks, the commands in them, their headings and links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

REPOSITORY = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "example_project/README.md",
    *(f"docs/{path.name}" for path in sorted((REPOSITORY / "docs").glob("*.md"))),
)
# A block of this language is shown and not run: what a program prints, a drawing.
OUTPUT = "text"

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_LINKS = {"link_open": "href", "image": "src"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One code block of a page."""

    page: str
    line: int  # of its first line, from 1
    language: str  # "" if the block names none
    text: str
    file: str  # what the line before it calls the file, "" if it names none

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.language}"


def read_page(page: str) -> str:
    """The text of a page."""
    return (REPOSITORY / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """The code blocks of a page, fenced or indented, in order."""
    text = read_page(page)
    lines = text.splitlines()
    return [
        Block(
            page=page,
            line=token.map[0] + 1,
            language=token.info.partition(" ")[0],
            text=token.content,
            file=_file_before(lines[: token.map[0]]),
        )
        for token in _MARKDOWN.parse(text)
        if token.type in ("fence", "code_block") and token.map
    ]


def _file_before(lines: list[str]) -> str:
    """The last ``code`` of the paragraph that ends above a block, if nothing stands behind it."""
    found = re.search(r"`([\w./-]+\.\w+)`(?:\*\*)?:?$", next((line for line in reversed(lines) if line), ""))
    return found[1] if found else ""


def commands(block: Block) -> Iterator[list[str]]:
    """The words of each command of a block of shell commands, without comments and prompts.

    In a ``console`` block commands begin with ``$``, and the other lines are output.
    """
    for line in re.sub(r"\\\n\s*", "", block.text).splitlines():
        if block.language != "console" or line.startswith("$ "):
            words = shlex.split(line.removeprefix("$ "), comments=True)
            yield from (shlex.split(each) for each in shlex.join(words).split(" '&&' ") if each)


def first_unquoted(quoted: str, output: list[str]) -> str:
    """The first line of a quote that does not stand in the output, in this order; "…" stands for any lines."""
    rest: Iterator[str] = (line.rstrip() for line in output)
    return next((line for line in quoted.splitlines() if line != "…" and line.rstrip() not in rest), "")


def headings(page: str) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    tokens = _MARKDOWN.parse(read_page(page))
    titles = [_plain(after) for token, after in pairwise(tokens) if token.type == "heading_open"]
    found: set[str] = set()
    for title in titles:
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        number = sum(each == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", each) is not None for each in found)
        found.add(f"{slug}-{number}" if number else slug)
    return found


def _plain(title: Token) -> str:
    """The words of a heading, without marks and addresses."""
    return "".join(each.content for each in title.children or () if each.type in ("text", "code_inline"))


def links(page: str) -> list[str]:
    """Where a page leads to, in order."""
    inline = [each for token in _MARKDOWN.parse(read_page(page)) for each in token.children or ()]
    return [str(each.attrs[_LINKS[each.type]]) for each in inline if each.type in _LINKS]
