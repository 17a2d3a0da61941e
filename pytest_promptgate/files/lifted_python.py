"""Prompts in Python code, found by reading it; nothing of it is imported or run."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.files.lifted_parts import (
    Names,
    NotLiftedError,
    brace_parts,
    format_parts,
    kind_of,
    merged,
    percent_parts,
)
from pytest_promptgate.files.lifted_syntax import (
    added_to,
    children,
    constant,
    constants,
    is_text,
    literal,
    looks_like_a_prompt,
    message_of,
    template_of,
    uses,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.files.lifted_parts import Given, Part, Parts

_SAYS_NOTHING = {"prompt", "template", "message", "messages", "text", "content", "msg", "msgs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One message: either parts, or a Jinja template as it is."""

    role: str
    parts: Parts = ()
    jinja: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A prompt in a file."""

    name: str  # as the code calls it
    line: int
    sections: tuple[Section, ...] = ()
    why_not: str = ""  # it is left where it stands, for this reason


def find_prompts(tree: ast.Module, *, stem: str) -> list[Found]:
    """The prompts of a module, in the order of their lines.

    Looked at are strings, f-strings, ``+``, ``%`` and ``str.format`` expressions, and lists of ``{"role", "content"}``.
    A message's content is a prompt if a part of it stands there; so is a text of three words whose name says prompt,
    template, system, instruction or message; any other needs 15 words, and must not be a docstring or an argument of
    a logging call, a ``print`` or a ``raise``, nor begin like SQL or HTML.

    Args:
        stem: What a prompt is called that has no name in the code.
    """
    search = _Search(tree, stem)
    found = list(search.walk(tree, name="", named=False))
    return sorted((each for each in found if each.line not in search.inlined), key=lambda each: each.line)


class _Search:
    """One walk through a module, with what its names are bound to and how they are used."""

    def __init__(self, tree: ast.Module, stem: str) -> None:
        self.stem = stem
        self.constants = constants(tree)
        self.uses = uses(tree)
        self.added_to = added_to(tree)
        self.function = ""  # the one that is walked through
        self.inlined: set[int] = set()  # lines of constants that stand in a list of messages

    def walk(self, node: ast.AST, *, name: str, named: bool) -> Iterator[Found]:
        """The prompts in and below `node`, of which `name` is the nearest name; `named` says that it is its own."""
        elements = node.elts if isinstance(node, ast.List | ast.Tuple) and not message_of(node) else [node]
        messages = [message for each in elements if (message := message_of(each))]
        # A pair of texts is no message for sure: [("user", "anna")] is a table of accounts.
        worded = any(
            isinstance(each, ast.Dict)
            or (isinstance(each, ast.Tuple) and looks_like_a_prompt(literal(each), "message"))
            for each in elements
        )
        if isinstance(node, ast.expr) and messages and len(messages) == len(elements) and worded:
            found = self._found(node, name, messages)
            if found.why_not or any(map(_has_text, found.sections)):
                yield found
        elif isinstance(node, ast.expr) and is_text(node):
            if looks_like_a_prompt(literal(node), name if named else ""):
                yield self._found_text(node, name)
        else:
            around = self.function
            self.function = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else around
            for child, its_name, own in children(node, name, named=named):
                yield from self.walk(child, name=its_name, named=own)
            self.function = around

    def _title(self, name: str) -> str:
        """What to call a prompt: a name that says nothing gives way to the function's."""
        if name and name.lower() not in _SAYS_NOTHING:
            return name
        return self.function or name or self.stem

    def _found(self, node: ast.expr, name: str, messages: Sequence[tuple[str, ast.expr]]) -> Found:
        names = Names()
        try:
            sections = tuple(self._message(role, content, names) for role, content in messages)
        except NotLiftedError as why:
            return Found(name=self._title(name), line=node.lineno, why_not=str(why))
        return Found(name=self._title(name), line=node.lineno, sections=sections)

    def _message(self, role: str, content: ast.expr, names: Names) -> Section:
        jinja = self._jinja(content)
        return Section(role=role, jinja=jinja) if jinja else Section(role=role, parts=self.parts(content, names))

    def _found_text(self, node: ast.expr, name: str) -> Found:
        role = "system" if re.search("system|instruction", name, re.IGNORECASE) else "user"
        try:
            if name in self.added_to:
                raise NotLiftedError(f"other code adds to {name}")
            jinja = self._jinja(node, name)
            section = Section(role=role, jinja=jinja) if jinja else Section(role=role, parts=self._named(node, name))
        except NotLiftedError as why:
            return Found(name=self._title(name), line=node.lineno, why_not=str(why))
        return Found(name=self._title(name), line=node.lineno, sections=(section,))

    def _jinja(self, node: ast.expr, name: str = "") -> str:
        """The text of a Jinja template, or ""."""
        if isinstance(node, ast.Name) and node.id in self.constants:
            jinja = self._jinja(self.constants[node.id], node.id)
            self.inlined |= {self.constants[node.id].lineno} if jinja else set()
            return jinja
        text = constant(node)
        if text is None:
            return ""
        use = self.uses.get(name)
        return text if use == "jinja" or (use is None and kind_of(text) == "jinja") else ""

    def _named(self, node: ast.expr, name: str) -> Parts:
        """The parts of a text that has a name, by the way in which that name is filled elsewhere."""
        text, use = constant(node), self.uses.get(name)
        if text is None or not isinstance(use, ast.Call | ast.BinOp):
            return self.parts(node, Names())
        return self._filled(text, use, Names())

    def parts(self, node: ast.expr, names: Names) -> Parts:
        """The parts of an expression that gives a text.

        Raises:
            NotLiftedError: The text goes through code that is not understood.
        """
        text = constant(node)
        if text is not None:
            return _guessed(text, names)
        if isinstance(node, ast.Name) and node.id in self.constants:
            inner = self.constants[node.id]
            self.inlined.add(inner.lineno)
            return self.parts(inner, names)
        if isinstance(node, ast.JoinedStr):
            return merged([part for each in node.values for part in _joined(each, names)])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and is_text(node):
            return merged([part for side in (node.left, node.right) for part in self._term(side, names)])
        return self._call(node, names)

    def _term(self, node: ast.expr, names: Names) -> Parts:
        """The parts of a term of a sum; a constant is no template there, but text."""
        text = constant(node)
        return self.parts(node, names) if text is None else (text,)

    def _call(self, node: ast.expr, names: Names) -> Parts:
        template = template_of(node)
        if template is not None and isinstance(node, ast.Call | ast.BinOp):
            if isinstance(template, ast.Name) and template.id in self.constants:
                self.inlined.add(self.constants[template.id].lineno)
                template = self.constants[template.id]
            text = constant(template)
            if text is not None:
                return self._filled(text, node, names)
        if is_text(node):
            raise NotLiftedError(f"its text goes through {ast.unparse(node)[:40].splitlines()[0]}…")
        return (names.slot(ast.unparse(node)),)

    def _filled(self, text: str, use: ast.Call | ast.BinOp, names: Names) -> Parts:
        if isinstance(use, ast.Call):
            return merged(format_parts(text, _from_call(use), names))
        return merged(percent_parts(text, _from_operand(use.right), names))


def _has_text(section: Section) -> bool:
    """Whether a part of a message stands in the code."""
    return bool(section.jinja) or any(isinstance(part, str) and part.strip() for part in section.parts)


def _guessed(text: str, names: Names) -> Parts:
    def given(_: str, path: str) -> str:
        return path

    kind = kind_of(text)
    if kind == "format":
        return merged(format_parts(text, given, names))
    if kind == "braces":
        return brace_parts(text, names)
    return merged(percent_parts(text, given, names)) if kind == "percent" else (text,)


def guessed_section(role: str, text: str) -> Section:
    """A message from plain text, whose variables are found by the way in which they look.

    Raises:
        NotLiftedError: They cannot be told.
    """
    if kind_of(text) == "jinja":
        return Section(role=role, jinja=text)
    return Section(role=role, parts=_guessed(text, Names()))


def _joined(value: ast.expr, names: Names) -> Iterator[Part]:
    if isinstance(value, ast.Constant):
        yield str(value.value)
    elif isinstance(value, ast.FormattedValue):
        if value.conversion == -1 and value.format_spec is None:
            text = constant(value.value)
            yield text if text is not None else names.slot(ast.unparse(value.value))
        else:
            yield names.slot(ast.unparse(ast.JoinedStr(values=[value])))


def _from_call(call: ast.Call) -> Given:
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        raise NotLiftedError("its values are handed over with * or **")
    values = {str(number): ast.unparse(each) for number, each in enumerate(call.args)}
    values |= {each.arg: ast.unparse(each.value) for each in call.keywords if each.arg}

    def given(key: str, path: str) -> str:
        if key not in values:
            raise NotLiftedError(f"the call gives no value for {{{key}}}")
        return values[key] + path[len(key) :] if path.startswith(key) else values[key]

    return given


def _from_operand(right: ast.expr) -> Given:
    values: Mapping[str, str] = {}
    if isinstance(right, ast.Dict):
        pairs = zip(right.keys, right.values, strict=True)
        values = {str(key.value): ast.unparse(value) for key, value in pairs if isinstance(key, ast.Constant)}
    else:
        items = right.elts if isinstance(right, ast.Tuple) else [right]
        values = {str(number): ast.unparse(each) for number, each in enumerate(items)}

    def given(key: str, _: str) -> str:
        if key not in values:
            raise NotLiftedError(f"no value is seen for %{key}")
        return values[key]

    return given
