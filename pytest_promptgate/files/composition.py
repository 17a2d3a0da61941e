"""``{% include %}`` and ``{% import %}``: the text of a prompt with its partials put in.

This is done when a version is read, not when it is rendered. So its digest, the baseline's copy of it and the text
that is rendered are one and the same, and what a partial says later cannot change a version unnoticed. An included
partial has a scope of its own, as in Jinja; macros that are imported are put in under names of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from jinja2 import nodes

from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptError
from pytest_promptgate.files.macro_names import bound_names, definitions
from pytest_promptgate.files.partials import PartialError
from pytest_promptgate.files.sandbox import environment
from pytest_promptgate.files.template_spans import Piece, is_plain, spans
from pytest_promptgate.files.templates import TemplateFaultError, checked_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.files.partials import Partial, Shelf
    from pytest_promptgate.files.template_spans import Span

MOST_CHARACTERS = 5_000_000  # of one message with its partials
MOST_PIECES = 10_000
MOST_DEEP = 10  # partials in partials
_QUOTED = 'A partial is named in quotes, so that its text is known before anything runs: {% include "shared/a.txt" %}'
_TAKES_PART = (nodes.Include, nodes.Import, nodes.FromImport)
_Tag: TypeAlias = "nodes.Include | nodes.Import | nodes.FromImport"
# White space and braces at an edge would be stripped by, or run together with, what stands beside the tag.
_OPEN_EDGE = re.compile(r"\A(?:\s|\{[{%#]-)|(?:\s|\{|-[}%#]\})\Z")
_BINDS = (nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)


@dataclass(slots=True)
class Composer:
    """Puts the partials of one version in.

    Attributes:
        used: The files of the partials that were put in, with the digests of their texts.
    """

    shelf: Shelf
    used: dict[str, str] = field(default_factory=dict)
    _known: dict[str, tuple[Piece, ...]] = field(default_factory=dict)
    _slugs: dict[str, str] = field(default_factory=dict)

    def composed(self, piece: Piece) -> tuple[Piece, ...]:
        """`piece`, which is a template, in pieces that hold no tag of composition.

        Raises:
            PromptError: A partial cannot be had or used; the place is that of the tag or in the partial.
        """
        return self._composed(piece, ())

    def _composed(self, piece: Piece, above: tuple[str, ...]) -> tuple[Piece, ...]:
        if is_plain(piece.text):
            return (piece,)
        try:
            tree = checked_tree(piece.text)
        except TemplateFaultError as fault:
            raise _error(piece, fault.line, fault.what, fault.hint) from None
        if next(tree.find_all(_TAKES_PART), None) is None:
            return (piece,)
        top = {id(node) for node in tree.body}
        nested = next((each for each in tree.find_all((nodes.Import, nodes.FromImport)) if id(each) not in top), None)
        if nested is not None:
            hint = "Write it outside of blocks, at the top of the message or partial."
            raise _error(piece, nested.lineno, "an {% import %} inside a block", hint)
        made: list[Piece] = []
        length = 0
        for part in _parts(piece):
            put_in = (part,) if isinstance(part, Piece) else self._put_in(piece, part, above)
            made += put_in
            length += sum(len(each.text) for each in put_in)
            if len(made) > MOST_PIECES or length > MOST_CHARACTERS:
                what = f"with its partials it has more than {MOST_PIECES:,} parts or {MOST_CHARACTERS:,} characters"
                raise _error(piece, 1, what, "Include less.")
        return tuple(made)

    def _put_in(self, piece: Piece, tag: _Tag, above: tuple[str, ...]) -> tuple[Piece, ...]:
        name = _name(piece, tag)
        if name in above:
            way = " -> ".join((*above[above.index(name) :], name))
            raise _error(piece, tag.lineno, f"the partial includes itself: {way}", "Take one of these tags out.")
        if len(above) == MOST_DEEP:
            raise _error(piece, tag.lineno, f"partials are nested more than {MOST_DEEP} deep", "Put some together.")
        partial = self._partial(piece, tag, name)
        own = Piece(text=partial.text, file=partial.file, line=partial.line)
        if name not in self._known:
            self._known[name] = self._composed(own, (*above, name))
        at = replace(piece, line=piece.line_of(tag.lineno - 1), text="", written=False)
        if isinstance(tag, nodes.Include):
            return _scoped(self._known[name], own, at)
        return self._imported(name, own, at, tag)

    def _partial(self, piece: Piece, tag: _Tag, name: str) -> Partial:
        try:
            partial = self.shelf.partial(name)
        except PartialError as error:
            raise _error(piece, tag.lineno, error.what, error.hint) from None
        self.used[partial.file] = digest(partial.text)
        return partial

    def _imported(self, name: str, own: Piece, at: Piece, tag: nodes.Import | nodes.FromImport) -> tuple[Piece, ...]:
        try:
            names = bound_names(checked_tree(own.text))
            made = definitions(self._known[name], self._slug(name), names)
        except TemplateFaultError as fault:
            raise _error(own, fault.line, fault.what, fault.hint) from None
        if isinstance(tag, nodes.Import):
            entries = ", ".join(f"'{each}': {renamed}" for each, renamed in made.names.items())
            binding = f"{{% set {tag.target} = {{{entries}}} %}}"
        else:
            binding = "".join(
                f"{{% set {alias} = {made.names[each]} %}}" for each, alias in _wanted(tag, at, made.names)
            )
        return (*made.pieces, replace(at, text=binding))

    def _slug(self, name: str) -> str:
        """What the names of this partial begin with: readable, and no other partial's."""
        if name not in self._slugs:
            slug = re.sub(r"\W+", "_", name.rpartition(".")[0] or name).strip("_")
            self._slugs[name] = slug if slug not in self._slugs.values() else f"{slug}_{len(self._slugs) + 1}"
        return self._slugs[name]


def _parts(piece: Piece) -> Iterator[Piece | _Tag]:
    """`piece` cut at its tags of composition; every tag knows its line."""
    text, start, line = "", 1, 1
    for span in spans(piece.text):
        tag = _tag(span)
        if tag is None:
            text, start = text + span.skipped + span.text, start if text else line
        else:
            if text:
                yield replace(piece, text=text, line=piece.line_of(start - 1))
            text = ""
            tag.lineno = line + span.skipped.count("\n")
            yield tag
        line += (span.skipped + span.text).count("\n")
    if text:
        yield replace(piece, text=text, line=piece.line_of(start - 1))


def _tag(span: Span) -> _Tag | None:
    words = [value for kind, value in span.tokens if kind == "name"]
    if span.kind != "block" or words[:1] not in (["include"], ["import"], ["from"]):
        return None
    node = environment.parse(span.text).body[0]
    assert isinstance(node, _TAKES_PART)
    return node


def _name(piece: Piece, tag: _Tag) -> str:
    if not isinstance(tag.template, nodes.Const) or not isinstance(tag.template.value, str):
        raise _error(piece, tag.lineno, "the name of a partial is not written out", _QUOTED)
    if isinstance(tag, nodes.Include) and tag.ignore_missing:
        what = "'ignore missing' is not available in prompts"
        raise _error(piece, tag.lineno, what, "A version has one text: remove the tag, or write the partial.")
    if isinstance(tag, nodes.Include) and not tag.with_context:
        what = "'without context' is not available in prompts"
        raise _error(piece, tag.lineno, what, "A partial sees the variables of the prompt: leave these words out.")
    return tag.template.value


def _scoped(pieces: tuple[Piece, ...], own: Piece, at: Piece) -> tuple[Piece, ...]:
    """An included partial: what it binds stays inside, and white space is stripped on neither side of its edges."""
    if not _OPEN_EDGE.search(own.text) and next(environment.parse(own.text).find_all(_BINDS), None) is None:
        return pieces
    return replace(at, text="{% with %}"), *pieces, replace(at, text="{% endwith %}")


def _wanted(tag: nodes.FromImport, at: Piece, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Name and alias of everything that a ``{% from … import %}`` takes."""
    for each in tag.names:
        name, alias = (each, each) if isinstance(each, str) else each
        if name not in known:
            raise _error(at, 1, f"the partial has no macro {name!r}", did_you_mean(name, known, label="It has"))
        yield name, alias


def _error(piece: Piece, line: int, what: str, hint: str = "") -> PromptError:
    return PromptError(Place(file=piece.file, line=piece.line_of(line - 1)), what, hint=hint)
