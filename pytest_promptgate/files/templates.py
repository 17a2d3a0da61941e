"""Jinja templates of prompts: what they use, and messages from them.

The sections of a prompt are rendered together, so that a ``{% set %}`` or a macro of one serves the next, and are
told apart afterwards by a mark that no row can hold.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.meta import find_undeclared_variables

from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.prompt import Json, Message, PromptVersion
from pytest_promptgate.errors import Place, PromptError, TemplateError, TemplateLimit
from pytest_promptgate.files.sandbox import environment
from pytest_promptgate.files.spending import MOST_CHARACTERS, spent
from pytest_promptgate.files.template_spans import is_plain
from pytest_promptgate.files.template_uses import asked_about, bound_names, called_names, reaches_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from jinja2 import Template

# Ends every section but the last while they are rendered together, with a line feed, so that no two share a line.
_MARK = secrets.token_hex(16)
MOST_TAGS = 10_000
MOST_IN_TAGS = 100_000
_TAG = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)", re.DOTALL)
_INHERITANCE = {nodes.Extends: "extends", nodes.Block: "block"}
_PRINTS_NOTHING = (nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Import, nodes.FromImport)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateNames:
    """The variables of a template.

    Attributes:
        used: Taken from outside for certain, with the line of the template on which they stand first.
        perhaps: Taken from outside in some branches only; ``{% set %}`` binds them in others.
        own: Jinja's, such as ``range``, unless an input takes the name.
        called: Those of `used` that are called, as no value of a row can be.
    """

    used: Mapping[str, int]
    perhaps: frozenset[str]
    own: frozenset[str]
    called: frozenset[str]


class TemplateFaultError(Exception):
    """A template that cannot be used; `line` counts from 1 in the template, the caller knows its file."""

    def __init__(self, line: int, what: str, hint: str = "") -> None:
        super().__init__(line, what)
        self.line = line
        self.what = what
        self.hint = hint


def used_variables(template: str) -> frozenset[str]:
    """The names that `template` takes from outside for certain.

    Raises:
        PromptError: It is no template; `where` is its line.
    """
    try:
        return frozenset(template_names(template).used)
    except TemplateFaultError as fault:
        raise PromptError(f"line {fault.line}", fault.what, hint=fault.hint) from None


def check_section(section: str) -> None:
    """Refuse a section that could not be a message of its own.

    Raises:
        TemplateFaultError: Syntax, inheritance, or nothing that is ever printed.
    """
    if is_plain(section) and section.strip():
        return
    tree = checked_tree(section)
    if all(map(_prints_nothing, tree.body)):
        raise TemplateFaultError(1, "this section prints nothing", "Move it into a section with text, or remove it.")


def checked_tree(template: str) -> nodes.Template:
    """The syntax tree of a section or a partial.

    Raises:
        TemplateFaultError: Syntax, or inheritance.
    """
    tree = _parsed(template)
    for node in tree.find_all(tuple(_INHERITANCE)):
        raise TemplateFaultError(
            node.lineno,
            f"{{% {_INHERITANCE[type(node)]} %}} is not available in prompts",
            "Put shared text into a partial and {% include %} it, or use a {% macro %}.",
        )
    for line, name in reaches_inside(tree):
        raise TemplateFaultError(line, f"{name!r} reaches into Python's inside", "A template only puts text together.")
    return tree


def _prints_nothing(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Output):
        return all(isinstance(part, nodes.TemplateData) and not part.data.strip() for part in node.nodes)
    return isinstance(node, _PRINTS_NOTHING)


def template_names(template: str) -> TemplateNames:
    """The variables of a template, or of sections joined by `joined`.

    Raises:
        TemplateFaultError: Syntax.
    """
    tree = _parsed(template)
    read: dict[str, int] = {}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load":
            read[name.name] = min(name.lineno, read.get(name.name, name.lineno))
    # Jinja reports every name that some branch leaves unbound; one that another binds, or that the template itself
    # takes for absent now and then, is left in doubt.
    free = find_undeclared_variables(tree)
    doubtful = bound_names(tree) | asked_about(tree)
    return TemplateNames(
        used={name: read.get(name, 1) for name in sorted(free - doubtful)},
        perhaps=frozenset(free & doubtful),
        own=frozenset(name for name in read if name in environment.globals),
        called=called_names(tree) & free - doubtful,
    )


def joined(sections: Sequence[str]) -> str:
    """All sections as the one template that is rendered; each begins on a line of its own."""
    return f"{_MARK}\n".join(sections)


def render(prompt: PromptVersion, variables: Mapping[str, Json]) -> tuple[Message, ...]:
    """The messages of `prompt`; an optional input that is absent or null takes its default.

    Without a default it is empty: it prints as nothing, is false, and is not ``defined``. Line feeds at both ends
    of a message are stripped, as Prompty does.

    Raises:
        PromptError: A variable is undefined, a required one null, a limit is exceeded, or the template fails;
            `where` is the prompt's file.
    """
    text = _rendered(prompt, _compiled(prompt.messages), _with_defaults(prompt, variables))
    return tuple(
        Message(role=template.role, content=content.strip("\n"))
        for template, content in zip(prompt.messages, text.split(_MARK), strict=True)
    )


def _with_defaults(prompt: PromptVersion, variables: Mapping[str, Json]) -> dict[str, Any]:
    values: dict[str, Any] = dict(variables)
    for declared in prompt.inputs:
        name = declared.name
        if values.get(name) is not None:
            continue
        if not declared.required:
            values[name] = Undefined(name=name) if declared.default is None else declared.default
        elif name in values:
            raise _error(prompt, f"the input {name!r} is null", "Give it a value, or declare it `required: false`.")
    return values


def _rendered(prompt: PromptVersion, template: Template, values: dict[str, Any]) -> str:
    spent.begin()
    # Shared: Jinja would copy its globals through a ChainMap, which takes longer than all the rest.
    context = template.new_context({**environment.globals, **values}, shared=True)
    pieces: list[str] = []
    length = 0
    try:
        for piece in template.root_render_func(context):
            pieces.append(piece)
            length += len(piece)
            if length > MOST_CHARACTERS:
                raise SecurityError(f"more than {MOST_CHARACTERS:,} characters")
    except Exception as error:  # noqa: BLE001 (the template is users' code: whatever it raises is its own fault)
        raise _placed(_told(prompt, error, values), prompt, template, error) from None
    finally:
        spent.end()
    return "".join(pieces)


def _told(prompt: PromptVersion, error: Exception, values: Mapping[str, Any]) -> TemplateError:
    message = one_line(str(error), width=200).rstrip(".")
    if isinstance(error, SecurityError):
        return _limit(prompt, message, "A template only puts text together.")
    if isinstance(error, RecursionError):
        return _limit(prompt, "a macro calls itself too deep")
    if not isinstance(error, UndefinedError):
        return _error(prompt, f"the template fails: {type(error).__name__}: {message}")
    names = ", ".join(sorted(values)) or "none"
    return _error(prompt, message, f"The variables given: {names}." if message.endswith("is undefined") else "")


def _limit(prompt: PromptVersion, what: str, hint: str = "") -> TemplateLimit:
    error = _error(prompt, f"the template goes beyond its limits: {what}", hint)
    return TemplateLimit(error.where, error.what, hint=error.hint)


def _error(prompt: PromptVersion, what: str, hint: str = "") -> TemplateError:
    return TemplateError(Place(file=prompt.path) if prompt.path else "", f"{prompt.label}: {what}", hint=hint)


def _placed(told: TemplateError, prompt: PromptVersion, template: Template, error: Exception) -> TemplateError:
    """`told` at the line that raised `error`, where that is known."""
    own = [step.tb_lineno for step in _steps(error) if step.tb_frame.f_globals.get("__jinja_template__") is template]
    line = template.get_corresponding_lineno(own[-1]) if own else 0
    found = next((place for each in prompt.origins if (place := each.place(line))), None)
    if found is None:
        return told
    return type(told)(Place(file=found[0], line=found[1]), told.what, hint=told.hint)


def _steps(error: Exception) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step is not None:
        yield step
        step = step.tb_next


@lru_cache(maxsize=256)
def _compiled(messages: tuple[Message, ...]) -> Template:
    return environment.from_string(joined([message.content for message in messages]))


def _parsed(template: str) -> nodes.Template:
    _check_amount(template)
    try:
        environment.compile(template)  # unknown filters, tests and some syntax are found here only
        return environment.parse(template)
    except TemplateSyntaxError as error:
        message = error.message or ""
        what = f"not a valid template: {message.rstrip('.')}"
        raise TemplateFaultError(error.lineno, what, _syntax_hint(message)) from None
    except (RecursionError, SyntaxError):
        raise TemplateFaultError(1, "not a valid template: nested too deep") from None


def _check_amount(template: str) -> None:
    """Refuse what Jinja would take minutes to compile; plain text costs nothing."""
    tags = [tag[0] for tag in _TAG.finditer(template)]
    if len(tags) > MOST_TAGS or sum(map(len, tags)) > MOST_IN_TAGS:
        what = f"{len(tags):,} tags of {sum(map(len, tags)):,} characters"
        hint = f"At most {MOST_TAGS:,} tags and {MOST_IN_TAGS:,} characters in them are read: lists are inputs."
        raise TemplateFaultError(1, what, hint)


_HINTS: Sequence[tuple[str, str]] = (
    (
        r"Encountered unknown tag '(?:end\w*|else|elif)'|Unexpected end of template|Missing end of",
        "A block begins and ends inside one message: role sections are split before rendering.",
    ),
    (
        r"No (?:filter|test) named",
        "Jinja's own filters and tests are available, except random: one row has one prompt.",
    ),
    (r"Encountered unknown tag", "Text that looks like a tag stands between {% raw %} and {% endraw %}."),
)


_USUAL_HINT = (
    "{{ x }} puts a value in, {% if x %} is a statement; as plain text they stand between {% raw %} and {% endraw %}."
)


def _syntax_hint(message: str) -> str:
    return next((hint for pattern, hint in _HINTS if re.match(pattern, message)), _USUAL_HINT)
