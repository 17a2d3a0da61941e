"""Lifted prompts as Prompty files, each checked against what Python makes of the original."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.lifted_parts import NotLiftedError, Slot, as_jinja, filled
from pytest_promptgate.files.prompt_file import load_prompt_file
from pytest_promptgate.files.templates import TemplateFaultError, render, template_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.files.lifted_python import Found, Section

# A value that would be taken for markup if it were ever read as any.
_SAMPLE = "<%s> {{ 7 * 7 }} {x} %%s\nsystem:\n{%% raw %%}"
_SUFFIX = re.compile(r"-(prompt|template|text|str|messages?)\Z")
_ROLES = re.compile(r"(system|user|assistant|developer|prompt|template|messages?)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """A prompt that stands in a file of its own now."""

    name: str
    source: str  # where it stood
    text: str  # of v1.prompty
    slots: tuple[Slot, ...]

    @property
    def call(self) -> str:
        """The Python that takes the place of the original."""
        values = ", ".join(f"{slot.name}={slot.expression}" for slot in self.slots)
        return f'load_prompt("{self.name}").render({values})'


def lift(found: Found, *, name: str, source: str, model: str) -> Lifted:
    """The prompt as a file.

    Args:
        found: The prompt.
        name: Of its directory.
        source: Where it stands.
        model: ``provider/id``, or "".

    Raises:
        NotLiftedError: It cannot be written so that it renders as the original does.
    """
    if found.why_not:
        raise NotLiftedError(found.why_not)
    slots = _slots(found.sections)
    bodies = [_body(section) for section in found.sections]
    text = _file(name, source, model, slots, list(zip((each.role for each in found.sections), bodies, strict=True)))
    _check(found.sections, slots, name, text)
    return Lifted(name=name, source=source, text=text, slots=slots)


def directory_name(name: str) -> str:
    """``TRIAGE_PROMPT`` as the name of a directory: ``triage``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    plain = re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-") or "prompt"
    short = _SUFFIX.sub("", plain)
    return plain if _ROLES.match(short) else short


def _slots(sections: Sequence[Section]) -> tuple[Slot, ...]:
    found = {part.name: part for section in sections for part in section.parts if isinstance(part, Slot)}
    for section in sections:
        if section.jinja:
            try:
                names = template_names(section.jinja)
            except TemplateFaultError as fault:
                raise NotLiftedError(fault.what) from None
            found |= {name: Slot(name=name, expression=name) for name in (*names.used, *sorted(names.perhaps))}
    return tuple(found.values())


def _body(section: Section) -> str:
    text = section.jinja or as_jinja(section.parts)
    if not text.strip():
        raise NotLiftedError("a message has no text")
    return text.strip("\n")


def _file(name: str, source: str, model: str, slots: Sequence[Slot], messages: Sequence[tuple[str, str]]) -> str:
    inputs = "".join(f"  - {{name: {slot.name}, kind: string, required: true}}\n" for slot in slots)
    front = [
        f"name: {name}\n",
        f"metadata:\n  source: {json.dumps(source, ensure_ascii=False)}\n",
        f"model: {json.dumps(model, ensure_ascii=False)}\n" if model else "",
        f"inputs:\n{inputs}" if inputs else "",
    ]
    body = "\n\n".join(f"{role}:\n{content}" for role, content in messages)
    return f"---\n{''.join(front)}---\n{body}\n"


def _check(sections: Sequence[Section], slots: Sequence[Slot], name: str, text: str) -> None:
    """Load the file, render it with samples, and compare with Python's own text."""
    samples = {slot.name: _SAMPLE % slot.name for slot in slots}
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / name / "v1.prompty"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8", newline="\n")
        try:
            messages = render(load_prompt_file(path, root=Path(root)), _jinja_samples(sections, samples))
        except PromptGateError as error:
            raise NotLiftedError(error.what) from None
    for section, message in zip(sections, messages, strict=True):
        if not section.jinja and message.content != filled(section.parts, samples).strip("\n"):
            raise NotLiftedError("it would render as another text")


def _jinja_samples(sections: Sequence[Section], samples: Mapping[str, str]) -> dict[str, Any]:
    """Samples with the attributes that templates of Jinja ask for."""
    found: dict[str, Any] = dict(samples)
    for section in sections:
        for name, attribute in re.findall(r"\b([A-Za-z_]\w*)\.([A-Za-z_]\w*)", section.jinja):
            if name in found:
                known = found[name] if isinstance(found[name], dict) else {}
                found[name] = {**known, attribute: attribute}
    return found
