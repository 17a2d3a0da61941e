"""What an imported partial brings along: its macros and top-level variables, under names that clash with nothing.

They are put in at the top of the importing text, since a macro of Jinja sees the others only there; so every name is
written with the partial's own in front: ``greet`` of ``shared/macros.jinja`` becomes ``shared_macros_greet``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jinja2 import nodes

from pytest_promptgate.files.template_spans import spans
from pytest_promptgate.files.templates import TemplateFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.files.template_spans import Piece, Span

_BREAK = "{#\n#}"  # puts every definition on lines of its own, so that its faults are found, and prints nothing
_DEFINES = (nodes.Macro, nodes.Assign, nodes.AssignBlock, nodes.Import, nodes.FromImport)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """Text that defines, and prints nothing.

    Attributes:
        names: What each public name of the partial is called in it.
    """

    pieces: tuple[Piece, ...]
    names: dict[str, str]


def bound_names(tree: nodes.Template) -> tuple[str, ...]:
    """The names that a file of macros binds, in their order.

    Raises:
        TemplateFaultError: It prints something, or binds a name twice, so that renaming it would change it.
    """
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, _DEFINES):
            names += _bound(node)
        elif not (isinstance(node, nodes.Output) and _is_blank(node)):
            hint = "A file of macros holds {% macro %} and {% set %} alone. To print a partial, {% include %} it."
            raise TemplateFaultError(node.lineno, "text outside of the macros of an imported partial", hint)
    for scope in tree.find_all((nodes.Macro, nodes.CallBlock, nodes.For, nodes.With)):
        for name, line in _inner_names(scope):
            if name in names:
                hint = "Give one of them another name."
                raise TemplateFaultError(line, f"{name!r} is bound at the top of this partial, and here again", hint)
    return tuple(dict.fromkeys(names))


def definitions(pieces: Sequence[Piece], prefix: str, names: Sequence[str]) -> Definitions:
    """`pieces` of a file of macros with every one of `names` under its new name, and nothing between them.

    Args:
        pieces: Composed already.
        prefix: Of the new names.
        names: As `bound_names` gives them.
    """
    renamed = {name: f"{prefix}_{name}" for name in names}
    return Definitions(
        pieces=tuple(_unprinted(pieces, renamed)),
        names={name: new for name, new in renamed.items() if not name.startswith("_")},
    )


def _bound(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Macro):
        yield node.name
    elif isinstance(node, nodes.Assign | nodes.AssignBlock):
        for target in (node.target, *node.target.find_all(nodes.Name)):
            if isinstance(target, nodes.Name):
                yield target.name
    elif isinstance(node, nodes.Import):
        yield node.target
    elif isinstance(node, nodes.FromImport):
        yield from (each if isinstance(each, str) else each[1] for each in node.names)


def _inner_names(scope: nodes.Node) -> Iterator[tuple[str, int]]:
    for node in scope.find_all(nodes.Name):
        if node.ctx in ("param", "store"):
            yield node.name, node.lineno
    for macro in scope.find_all(nodes.Macro):
        yield macro.name, macro.lineno


def _is_blank(node: nodes.Output) -> bool:
    return all(isinstance(part, nodes.TemplateData) and not part.data.strip() for part in node.nodes)


def _unprinted(pieces: Sequence[Piece], renamed: Mapping[str, str]) -> Iterator[Piece]:
    """One piece per definition, or per part of it that stands in another file."""
    depth = 0  # of macros and {% set %} blocks
    for piece in pieces:
        text, start, line = "", 1, 1
        for span in spans(piece.text):
            line += span.skipped.count("\n")
            depth += _opens(span)
            if depth or span.kind == "block":
                start = start if text else line
                text += span.skipped * bool(text) + "".join(_with_new_names(span, renamed))
            if text and not depth:
                yield replace(piece, text=text, line=piece.line_of(start - 1))
                yield replace(piece, text=_BREAK)
                text = ""
            line += span.text.count("\n")
        if text:
            yield replace(piece, text=text, line=piece.line_of(start - 1))


def _opens(span: Span) -> int:
    """1 if `span` opens a macro or a ``{% set %}`` with a body, -1 if it closes one."""
    words = [value for kind, value in span.tokens if kind == "name"]
    if span.kind != "block" or not words:
        return 0
    if words[0] == "macro" or (words[0] == "set" and ("operator", "=") not in span.tokens):
        return 1
    return -1 if words[0] in ("endmacro", "endset") else 0


def _with_new_names(span: Span, renamed: Mapping[str, str]) -> Iterator[str]:
    """The tokens of a tag or an expression; attributes, filters, tests and keywords of calls are no variables."""
    if not span.tokens:
        yield span.text
    words = [(kind, value) for kind, value in span.tokens if kind != "whitespace"]
    at, brackets = 0, 0
    for kind, value in span.tokens:
        if kind == "whitespace":
            yield value
            continue
        brackets += (value == "(") - (value == ")") if kind == "operator" else 0
        before = [word for _, word in words[max(0, at - 2) : at]]
        keyword = brackets > 0 and words[at + 1 : at + 2] == [("operator", "=")]
        special = before[-1:] in ([["."], ["|"], ["is"], ["filter"]]) or before == ["is", "not"] or keyword
        yield renamed.get(value, value) if kind == "name" and not special else value
        at += 1
