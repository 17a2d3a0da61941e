"""One prompt version as ``promptgate lint`` sees it: the faults that a run would stop at, and remarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.lint import LintFinding, findings_of
from pytest_promptgate.errors import Place, PromptError, PromptGateError, TemplateLimit
from pytest_promptgate.files.front_matter import read_model
from pytest_promptgate.files.node import Node
from pytest_promptgate.files.prompt_text import MOST_BYTES
from pytest_promptgate.files.prompts import load_prompt_file
from pytest_promptgate.files.prompty_format import split_front_matter, swallowed_markers
from pytest_promptgate.files.source import read_yaml
from pytest_promptgate.files.suite_models import checked_pin
from pytest_promptgate.files.templates import render
from pytest_promptgate.files.text import read_whole, shown_path
from pytest_promptgate.files.yaml_surprises import yaml_surprises

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Json, PromptVersion

_MADE_UP: Mapping[str, Json] = {"integer": 1, "number": 1.5, "float": 1.5, "boolean": True, "array": [], "object": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class LintedPrompt:
    """What was found; `version` is None if the file is wrong."""

    version: PromptVersion | None
    findings: tuple[LintFinding, ...]


def lint_prompt(path: Path, *, root: Path, providers: Mapping[str, ProviderSpec] | None) -> LintedPrompt:
    """Read one version's file.

    Args:
        path: Absolute.
        root: What places are relative to.
        providers: That its pin may name; None: nobody knows them, and its pin is not looked at.
    """
    file = shown_path(path, root)
    try:
        text = read_whole(path, file=file, error=PromptError, most_bytes=MOST_BYTES)
    except PromptGateError as error:
        return LintedPrompt(version=None, findings=findings_of(error))
    version, found = _loaded(path, root)
    front = _front_matter(text, file)
    found += [*_surprises(text, file), *_swallowed(text, file)]
    if version is not None:
        found += [*_metadata(version), *_beyond_limits(version)]
    if front is not None and providers is not None:
        found += _pin(front, providers)
    return LintedPrompt(version=version, findings=tuple(found))


def _loaded(path: Path, root: Path) -> tuple[PromptVersion | None, list[LintFinding]]:
    try:
        return load_prompt_file(path, root=root), []
    except PromptGateError as error:
        return None, [*findings_of(error)]


def _front_matter(text: str, file: str) -> Node | None:
    """What stands above the messages; None if there is nothing, or nothing that can be read."""
    text = text.replace("\r\n", "\n")
    try:
        if file.endswith(".prompty"):
            document = read_yaml(split_front_matter(text, file)[0], file=file, first_line=2, error=PromptError)
        elif file.endswith(".yaml"):
            document = read_yaml(text, file=file, error=PromptError)
        else:
            return None
    except PromptGateError:
        return None
    return Node(value=document.value, route=(), document=document, faults=[], error=PromptError)


def without_variables(version: PromptVersion) -> LintFinding:
    """The warning about a prompt that asks the same for every case."""
    return LintFinding(
        code="PG110",
        place=Place(file=version.path),
        message=f"{version.title} has no variable: every case is asked the same",
        hint="Write {{ name }} where a row's value belongs, and declare it under `inputs:`.",
    )


def _metadata(version: PromptVersion) -> Iterator[LintFinding]:
    place = Place(file=version.path, line=1)
    above = version.path.endswith(".txt")
    for code, key, value, example in (
        ("PG120", "owner", version.owner, '"@team"'),
        ("PG121", "source", version.source, "https://…"),
    ):
        if not value:
            more = " in a .prompty or .yaml file; .txt has no place for it" if above else ""
            hint = f"Write `metadata: {{{key}: {example}}}`{more}."
            yield LintFinding(code=code, place=place, message=f"{version.title} names no {key}", hint=hint)


def _beyond_limits(version: PromptVersion) -> tuple[LintFinding, ...]:
    """What a rendering with made-up values stumbles over; with such values only the limits prove anything."""
    values = {each.name: _MADE_UP.get(each.kind, "x") for each in version.inputs if each.required}
    try:
        render(version, values)
    except TemplateLimit as error:
        return findings_of(error)
    except PromptError:
        pass
    return ()


def _surprises(text: str, file: str) -> Iterator[LintFinding]:
    if file.endswith(".prompty"):
        yield from yaml_surprises(text.split("\n---", 1)[0].partition("\n")[2], file, first_line=2)
    elif file.endswith(".yaml"):
        yield from yaml_surprises(text, file)


def _swallowed(text: str, file: str) -> Iterator[LintFinding]:
    if not file.endswith(".prompty"):
        return
    text = text.replace("\r\n", "\n")
    try:
        first_line = split_front_matter(text, file)[1]
    except PromptError:
        return
    for line, role in swallowed_markers(text, first_line):
        message = f"readers that render a file before they split it would lose this marker {role!r}"
        hint = "Here it is split first. For Prompty's own package, remove the '-' of the tag next to it."
        yield LintFinding(code="PG122", place=Place(file=file, line=line), message=message, hint=hint)


def _pin(front: Node, providers: Mapping[str, ProviderSpec]) -> tuple[LintFinding, ...]:
    """What is wrong with the pin; that it cannot be read at all is the prompt file's own fault, and told there."""
    model = front.get("model")
    pin = read_model(model)[0]
    if model is None or pin is None:
        return ()
    faults: list[PromptGateError] = []
    checked_pin(pin, replace(model.get("id") or model, faults=faults), providers)
    return tuple(finding for fault in faults for finding in findings_of(fault))
