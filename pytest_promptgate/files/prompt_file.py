"""One prompt version from its file: ``v<N>.prompty``, ``.yaml`` or ``.txt``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import prompt_digest
from pytest_promptgate.core.types import Message, PromptInput, PromptVersion
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptError, PromptGateError, TemplateError, VariableError
from pytest_promptgate.files.front_matter import KEYS, REFUSED, FrontMatter, read_front_matter
from pytest_promptgate.files.node import Node, raise_faults
from pytest_promptgate.files.prompty_format import ROLES, Section, split_front_matter, split_sections
from pytest_promptgate.files.source import Document, read_yaml
from pytest_promptgate.files.templates import TemplateFaultError, TemplateNames, check_section, joined, template_names
from pytest_promptgate.files.text import read_whole, shown_path

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 5_000_000
FILE_NAME = re.compile(r"(v[1-9][0-9]{0,5})(\.prompty|\.yaml|\.txt)\Z")
# Microsoft's package ends lines at these too; in an editor they look like a space or like nothing.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")
FUNCTIONS = (
    "There are cycler, dict, joiner, namespace, raise_exception, range, and the template's own macros. "
    "Today's date, say, is an input."
)
_BLOCK = re.compile(r"content\s*:\s*([|>])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A file cut into its parts; the lists of faults of node and sections are one."""

    node: Node
    sections: Sequence[Section]
    declares: bool = True  # inputs are declared


def load_prompt_file(path: Path, *, root: Path) -> PromptVersion:
    """Read one version; its name is the directory's.

    Args:
        path: Absolute.
        root: What paths in values and messages are relative to.

    Raises:
        PromptError: The file is wrong; several faults are told together (`Faults`).
    """
    file = shown_path(path, root)
    named = FILE_NAME.match(path.name)
    if named is None:
        raise PromptError(Place(file=file), "not the name of a prompt version", hint=naming_hint())
    text = _read(path, file)
    faults: list[PromptGateError] = []
    draft = _READERS[named[2]](text, file, faults)
    front = read_front_matter(draft.node, name=path.parent.name, version=named[1])
    inputs = _agreed_inputs(draft, front, text.split("\n"))
    raise_faults(faults, file=file)
    messages = tuple(Message(role=each.role, content=each.content) for each in draft.sections)
    return PromptVersion(
        name=path.parent.name,
        version=named[1],
        messages=messages,
        pin=front.pin,
        parameters=front.parameters,
        inputs=inputs,
        tools=front.tools,
        response_format=front.response_format,
        description=front.description,
        owner=front.owner,
        source=front.source,
        path=file,
        digest=prompt_digest(
            messages=messages,
            pin=front.pin,
            parameters=front.parameters,
            inputs=inputs,
            tools=front.tools,
            response_format=front.response_format,
        ),
    )


def naming_hint() -> str:
    """How versions are called."""
    return "Versions are called v1, v2, v3 …, with .prompty, .yaml or .txt."


def _read(path: Path, file: str) -> str:
    text = read_whole(path, file=file, error=PromptError, most_bytes=MOST_BYTES)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if odd := _ODD.search(text):
        before = text[: odd.start()]
        place = Place(file=file, line=before.count("\n") + 1, column=odd.start() - before.rfind("\n"))
        hint = "Delete it, or end the line there with a line feed."
        raise PromptError(place, f"control character U+{ord(odd[0]):04X}", hint=hint)
    if not text.strip():
        raise PromptError(Place(file=file), "the file is empty")
    return text


def _prompty(text: str, file: str, faults: list[PromptGateError]) -> _Draft:
    front, body_line = split_front_matter(text, file)
    document = read_yaml(front, file=file, first_line=2, error=PromptError)
    node = _top(document, faults)
    refused = {"messages": ("'messages' is not read in .prompty", "Messages stand below the front matter.")}
    node.keys(KEYS, refused={**REFUSED, **refused})
    return _Draft(node=node, sections=split_sections(text, body_line, file, faults))


def _yaml(text: str, file: str, faults: list[PromptGateError]) -> _Draft:
    document = read_yaml(text, file=file, error=PromptError)
    node = _top(document, faults)
    node.keys({*KEYS, "messages"}, refused=REFUSED)
    messages = node.get("messages")
    if messages is None:
        node.fault("no messages", "Write messages: as a list of {role, content}.")
        return _Draft(node=node, sections=())
    items = messages.items("a list of {role, content}")
    if messages.value == []:
        messages.fault("no messages", "Write at least one {role, content}.")
    lines = text.split("\n")
    sections = [section for item in items if (section := _message(item, lines))]
    return _Draft(node=node, sections=sections)


def _text(text: str, file: str, faults: list[PromptGateError]) -> _Draft:
    top = Document(value={}, places={(): Place(file=file, line=1, column=1)})
    skipped = len(text) - len(text.lstrip("\n"))
    section = Section(role="user", content=text.strip("\n"), line=skipped + 1)
    return _Draft(node=_top(top, faults), sections=[section], declares=False)


_READERS: Mapping[str, Callable[[str, str, list[PromptGateError]], _Draft]] = {
    ".prompty": _prompty,
    ".yaml": _yaml,
    ".txt": _text,
}


def _top(document: Document, faults: list[PromptGateError]) -> Node:
    value = {} if document.value is None else document.value
    return Node(value=value, route=(), document=document, faults=faults, error=PromptError)


def _message(node: Node, lines: Sequence[str]) -> Section | None:
    node.keys({"role", "content"})
    for key in ("role", "content"):
        if isinstance(node.value, Mapping) and key not in node.value:
            node.fault(f"{node.name} has no {key!r}", "A message is {role, content}.")
    role, content = node.get("role"), node.get("content")
    name = role.text() if role else None
    if role and name and name not in ROLES:
        role.fault(f"unknown role {name!r}", did_you_mean(name, ROLES, label="Roles"))
        name = None
    text = content.text("a template") if content else None
    if content is None or name is None or text is None:
        return None
    line = content.place.line or 1
    block = _BLOCK.match(lines[line - 1], (content.place.column or 1) - 1)
    skipped = len(text) - len(text.lstrip("\n"))
    return Section(
        role=name,
        content=text.strip("\n"),
        line=line + 1 + skipped if block else line,
        exact=block is not None and block[1] == "|",
    )


def _agreed_inputs(draft: _Draft, front: FrontMatter, lines: Sequence[str]) -> tuple[PromptInput, ...]:
    """The inputs, after a check that what is declared and what is used are the same names."""
    names = _names(draft)
    if names is None:
        return ()
    for name in sorted(names.called):
        place = _place_of_use(draft, name, names.used[name], lines)
        draft.node.note(VariableError(place, f"the template calls {name!r}, which is no function", hint=FUNCTIONS))
    if not draft.declares:
        certain = [PromptInput(name=name) for name in names.used]
        in_doubt = [PromptInput(name=name, required=False) for name in sorted(names.perhaps)]
        return (*certain, *in_doubt)
    declared = front.inputs
    for name, line in names.used.items():
        if name not in declared and name not in names.called:
            place = _place_of_use(draft, name, line, lines)
            hint = f"Declare it under `inputs:`. {did_you_mean(name, declared, label='Declared inputs')}"
            draft.node.note(VariableError(place, f"the template uses {name!r}, which is not declared", hint=hint))
    for name, (_, node) in declared.items():
        if not any(name in some for some in (names.used, names.perhaps, names.own)):
            hint = f"Remove it, or write {{{{ {name} }}}} in a message."
            node.note(VariableError(node.place, f"the input {name!r} is declared and never used", hint=hint))
    return tuple(each for each, _ in declared.values())


def _names(draft: _Draft) -> TemplateNames | None:
    """What the messages use; None after a fault in one of them, since then nobody knows."""
    file = draft.node.place.file
    sound = bool(draft.sections)
    for section in draft.sections:
        try:
            check_section(section.content)
        except TemplateFaultError as fault:
            line = section.line + fault.line - 1 if section.exact else section.line
            draft.node.note(TemplateError(Place(file=file, line=line), fault.what, hint=fault.hint))
            sound = False
    return template_names(joined([each.content for each in draft.sections])) if sound else None


def _place_of_use(draft: _Draft, name: str, line: int, lines: Sequence[str]) -> Place:
    """Where `name` stands, given its line in the joined template."""
    file = draft.node.place.file
    for section in draft.sections:
        height = section.content.count("\n") + 1
        if line <= height:
            break
        line -= height
    number = section.line + line - 1 if section.exact else section.line
    found = re.search(rf"\b{re.escape(name)}\b", lines[number - 1])
    return Place(file=file, line=number, column=found.start() + 1 if found else None)
