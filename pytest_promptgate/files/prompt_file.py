"""One prompt version from its file: ``v<N>.prompty``, ``.yaml`` or ``.txt``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import prompt_digest
from pytest_promptgate.core.prompt import Message, PromptInput, PromptVersion
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptError, PromptGateError, TemplateError, VariableError
from pytest_promptgate.files.composition import Composer
from pytest_promptgate.files.front_matter import KEYS, REFUSED, FrontMatter, read_front_matter
from pytest_promptgate.files.node import Node, raise_faults
from pytest_promptgate.files.partials import DiskShelf
from pytest_promptgate.files.prompt_text import read_prompt_text
from pytest_promptgate.files.prompty_format import ROLES, Section, split_front_matter, split_sections
from pytest_promptgate.files.source import Document, read_yaml
from pytest_promptgate.files.template_spans import Piece
from pytest_promptgate.files.templates import TemplateFaultError, check_section, joined, template_names
from pytest_promptgate.files.text import shown_path
from pytest_promptgate.files.whole_template import Whole, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.files.partials import Shelf

FILE_NAME = re.compile(r"(v[1-9][0-9]{0,5})(\.prompty|\.yaml|\.txt)\Z")
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
    """Read one version; its name is the directory's, and partials stand beside that directory.

    Args:
        path: Absolute.
        root: What paths in values and messages are relative to.

    Raises:
        PromptError: The file is wrong; several faults are told together (`Faults`).
    """
    file = shown_path(path, root)
    if FILE_NAME.match(path.name) is None:
        raise PromptError(Place(file=file), "not the name of a prompt version", hint=naming_hint())
    shelf = DiskShelf(directory=path.parent.parent, root=root)
    return read_version(read_prompt_text(path, file=file), name=path.parent.name, file=file, shelf=shelf)


def read_version(text: str, *, name: str, file: str, shelf: Shelf) -> PromptVersion:
    """One version from the text of its file.

    Args:
        text: With line feeds alone.
        name: The prompt's.
        file: Path of the file as messages show it; ends with a version's file name.
        shelf: Where partials are taken from.

    Raises:
        PromptError: As `load_prompt_file`.
    """
    named = FILE_NAME.search(file)
    assert named is not None
    faults: list[PromptGateError] = []
    draft = _READERS[named[2]](text, file, faults)
    front = read_front_matter(draft.node, name=name, version=named[1])
    composer = Composer(shelf=shelf)
    whole = _composed(draft, composer)
    inputs = _agreed_inputs(draft, whole, front, text.split("\n")) if whole else ()
    raise_faults(faults, file=file)
    assert whole is not None
    messages = tuple(
        Message(role=section.role, content=content)
        for section, content in zip(draft.sections, whole.contents, strict=True)
    )
    return PromptVersion(
        name=name,
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
        partials={file: _own_digest(draft, front), **dict(sorted(composer.used.items()))} if composer.used else {},
        origins=tuple(whole.origins()),
        digest=prompt_digest(
            messages=messages,
            pin=front.pin,
            parameters=front.parameters,
            inputs=inputs,
            tools=front.tools,
            response_format=front.response_format,
        ),
    )


def _own_digest(draft: _Draft, front: FrontMatter) -> str:
    """Of what the file itself says, its partials not put in: tells an edit of it from one of a partial."""
    return prompt_digest(
        messages=[Message(role=each.role, content=each.content) for each in draft.sections],
        pin=front.pin,
        parameters=front.parameters,
        inputs=[each for each, _ in front.inputs.values()],
        tools=front.tools,
        response_format=front.response_format,
    )


def naming_hint() -> str:
    """How versions are called."""
    return "Versions are called v1, v2, v3 …, with .prompty, .yaml or .txt."


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


def _composed(draft: _Draft, composer: Composer) -> Whole | None:
    """The messages with their partials; None after a fault in one of them, since then nobody knows."""
    file = draft.node.place.file
    sections: list[tuple[Piece, ...]] = []
    for section in draft.sections:
        piece = Piece(text=section.content, file=file, line=section.line, exact=section.exact)
        try:
            check_section(section.content)
            sections.append(composer.composed(piece))
        except TemplateFaultError as fault:
            place = Place(file=file, line=piece.line_of(fault.line - 1))
            draft.node.note(TemplateError(place, fault.what, hint=fault.hint))
        except PromptGateError as error:
            draft.node.note(error)
    if not sections or len(sections) < len(draft.sections):
        return None
    contents = [text_of(pieces) for pieces in sections]
    return Whole(sections=sections, names=template_names(joined(contents)))


def _agreed_inputs(draft: _Draft, whole: Whole, front: FrontMatter, lines: Sequence[str]) -> tuple[PromptInput, ...]:
    """The inputs, after a check that what is declared and what is used are the same names."""
    names = whole.names
    for name in sorted(names.called):
        place = _place_of_use(whole, name, names.used[name], draft.node.place.file, lines)
        draft.node.note(VariableError(place, f"the template calls {name!r}, which is no function", hint=FUNCTIONS))
    if not draft.declares:
        certain = [PromptInput(name=name) for name in names.used]
        in_doubt = [PromptInput(name=name, required=False) for name in sorted(names.perhaps)]
        return (*certain, *in_doubt)
    declared = front.inputs
    for name, line in names.used.items():
        if name not in declared and name not in names.called:
            place = _place_of_use(whole, name, line, draft.node.place.file, lines)
            hint = f"Declare it under `inputs:`. {did_you_mean(name, declared, label='Declared inputs')}"
            if place.file != draft.node.place.file:
                hint = f"Declare it under `inputs:` of {draft.node.place.file}, which includes this partial."
            draft.node.note(VariableError(place, f"the template uses {name!r}, which is not declared", hint=hint))
    for name, (_, node) in declared.items():
        if not any(name in some for some in (names.used, names.perhaps, names.own)):
            hint = f"Remove it, or write {{{{ {name} }}}} in a message."
            node.note(VariableError(node.place, f"the input {name!r} is declared and never used", hint=hint))
    return tuple(each for each, _ in declared.values())


def _place_of_use(whole: Whole, name: str, line: int, file: str, lines: Sequence[str]) -> Place:
    """Where `name` stands, given its line in the joined template; with its column if that is in `file`."""
    wanted = re.compile(rf"\b{re.escape(name)}\b")
    for piece, first in whole.placed():
        offset = line - first
        of_piece = piece.text.split("\n")
        if 0 <= offset < len(of_piece) and wanted.search(of_piece[offset]):
            number = piece.line_of(offset)
            found = wanted.search(lines[number - 1]) if piece.file == file else None
            return Place(file=piece.file, line=number, column=found.start() + 1 if found else None)
    return Place(file=file)
