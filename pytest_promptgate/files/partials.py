"""Partials: pieces of text that several prompts include, by their path in the prompts directory.

A partial is text of one message. Front matter of a ``.prompty`` partial says who owns it and is no part of the text;
a role marker in it is refused, since it would look like a message of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptError, PromptGateError
from pytest_promptgate.files.node import Node, raise_faults
from pytest_promptgate.files.prompt_text import plain_text, read_prompt_text
from pytest_promptgate.files.prompty_format import role_of, split_front_matter
from pytest_promptgate.files.source import read_yaml
from pytest_promptgate.files.text import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_promptgate.files.git import Revision

_VERSION_OF_A_PROMPT = re.compile(r"[^/]+/v[1-9][0-9]{0,5}(\.prompty|\.yaml|\.txt)")
_KEYS = frozenset({"name", "displayName", "description", "metadata"})
_OF_PROMPTS = {
    key: (f"a partial has no {key!r}", "Write it in the prompts that include the partial.")
    for key in ("model", "inputs", "outputs", "tools", "template", "messages")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """One partial."""

    file: str  # as messages show it
    text: str  # without front matter, and without line feeds at both ends
    line: int  # of the file, where `text` starts


class PartialError(Exception):
    """No partial can be had by this name; the caller knows the place of the name."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class Shelf(Protocol):
    """Where partials are taken from."""

    def partial(self, name: str) -> Partial:
        """The partial called `name`.

        Raises:
            PartialError: There is none by that name.
            PromptError: Its file is wrong.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskShelf:
    """The prompts directory of the work tree."""

    directory: Path  # absolute
    root: Path  # what paths in messages are relative to

    def partial(self, name: str) -> Partial:
        """See `Shelf`."""
        check_name(name)
        path = self._found(name)
        file = shown_path(path, self.root)
        if not path.resolve().is_relative_to(self.directory.resolve()):
            what = f"{name!r} is a link that leads out of the prompts directory"
            raise PartialError(what, "Partials stand in the prompts directory: copy it there.")
        return read_partial(read_prompt_text(path, file=file), file=file)

    def _found(self, name: str) -> Path:
        # The listing, and not the file system's own answer, decides: that one may be blind to upper and lower case.
        path = self.directory
        for part in name.split("/"):
            if part not in _listed(path):
                raise PartialError(f"there is no partial {name!r} in {self._shown}/", self._guess(name))
            path /= part
        if path.is_dir():
            raise PartialError(f"{name!r} is a directory, not a partial", "Name a file in it.")
        return path

    @property
    def _shown(self) -> str:
        return shown_path(self.directory, self.root)

    def _guess(self, name: str) -> str:
        known = sorted(partials_below(self.directory))
        folded = {each.casefold(): each for each in known}
        if name.casefold() in folded:
            return f"Did you mean {folded[name.casefold()]!r}? Upper and lower case differ."
        return did_you_mean(name, known, label="Partials")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitShelf:
    """The prompts directory as it is in a commit."""

    revision: Revision
    directory: Path  # absolute, in the work tree

    def partial(self, name: str) -> Partial:
        """See `Shelf`."""
        check_name(name)
        data = self.revision.read(self.directory.joinpath(*name.split("/")))
        file = f"{self.revision.ref}:{name}"
        if data is None:
            raise PartialError(f"{self.revision.ref} has no partial {name!r}")
        return read_partial(plain_text(data.decode("utf-8-sig", "replace"), file=file), file=file)


def check_name(name: str) -> None:
    """Refuse what is no plain path below the prompts directory, and what is a prompt of its own.

    Raises:
        PartialError: With the reason.
    """
    hint = 'A partial is named by its path in the prompts directory: {% include "shared/safety.prompty" %}'
    parts = name.split("/")
    if "\\" in name:
        raise PartialError(f"{name!r} has a backslash", hint)
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise PartialError(f"{name!r} is an absolute path", hint)
    if ".." in parts:
        raise PartialError(f"{name!r} leads out of the prompts directory", hint)
    if any(part.startswith(".") or not part.isprintable() or not part for part in parts):
        raise PartialError(f"{name!r} is no name of a partial", hint)
    if _VERSION_OF_A_PROMPT.fullmatch(name):
        why = "Move what both share into a file of its own, such as shared/safety.prompty, and include that."
        raise PartialError(f"{name!r} is a version of a prompt, not a partial", why)


def partials_below(directory: Path) -> Iterator[str]:
    """The names of the files in the prompts directory that can be partials."""
    for path in directory.rglob("*"):
        name = path.relative_to(directory).as_posix()
        try:
            check_name(name)
        except PartialError:
            continue
        if path.is_file() and "/" in name:
            yield name


def read_partial(text: str, *, file: str) -> Partial:
    """A partial from the text of its file.

    Raises:
        PromptError: It is empty, its front matter is not a partial's, or it holds a role marker.
    """
    first = 1
    if file.endswith(".prompty") and text.split("\n", 1)[0].rstrip() == "---":
        front, first = split_front_matter(text, file)
        _check_front_matter(front, file)
    lines = text.split("\n")[first - 1 :]
    for number, line in enumerate(lines, first):
        if role_of(line):
            hint = "A partial is text of one message: write the role marker in the prompt, and include the text below."
            raise PromptError(Place(file=file, line=number), f"a role marker in a partial: {line.strip()!r}", hint=hint)
    body = "\n".join(lines)
    if not body.strip():
        raise PromptError(Place(file=file), "the partial is empty")
    skipped = len(body) - len(body.lstrip("\n"))
    return Partial(file=file, text=body.strip("\n"), line=first + skipped)


def _check_front_matter(front: str, file: str) -> None:
    document = read_yaml(front, file=file, first_line=2, error=PromptError)
    faults: list[PromptGateError] = []
    value = {} if document.value is None else document.value
    Node(value=value, route=(), document=document, faults=faults, error=PromptError).keys(_KEYS, refused=_OF_PROMPTS)
    raise_faults(faults, file=file)


def _listed(directory: Path) -> frozenset[str]:
    try:
        return frozenset(each.name for each in directory.iterdir())
    except OSError:
        return frozenset()
