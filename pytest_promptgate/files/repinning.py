"""Another model in the files of a project: new versions of prompts, and the ``model:`` of suites in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_promptgate.errors import PromptError, SuiteError
from pytest_promptgate.files.edits import Edit, content
from pytest_promptgate.files.prompts import list_versions
from pytest_promptgate.files.prompty_format import split_front_matter
from pytest_promptgate.files.source import read_text, read_yaml
from pytest_promptgate.files.text import shown_path
from pytest_promptgate.files.yaml_edits import with_key, with_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_promptgate.core.types import Json, ModelPin, Suite


def repinned(
    suites: Iterable[tuple[Suite, Sequence[str]]], pin: ModelPin, *, root: Path, prompts: Path
) -> tuple[Edit, ...]:
    """What to write so that some slots of `suites` run on `pin`; nothing is written yet.

    A pin that stands in the suite is edited there. One that stands in the newest version of a prompt makes a new
    version; one in an older version, to which a suite holds on, gets a ``model:`` in that suite instead.

    Args:
        suites: Each with the slots that are to change.
        pin: The new one.
        root: What paths in values and messages are relative to.
        prompts: The directory of the prompts, absolute.

    Raises:
        SuiteError, PromptError: A file is written in a way that cannot be edited without changing something else.
    """
    edits: dict[Path, Edit] = {}
    for suite, slots in suites:
        path = root / suite.path
        text = _text(path, SuiteError, suite.path)
        document = read_yaml(text, file=suite.path, error=SuiteError).value
        assert isinstance(document, Mapping)
        if "model" in document:
            edited = _with_slots(text, document["model"], slots, pin, file=suite.path)
        else:
            edited = _with_prompt(text, suite, pin, edits, root=root, prompts=prompts)
        if edited != text:
            what = f"suite {suite.name} on {pin}"
            edits[path] = Edit(
                path=path, shown=suite.path, before=content(path), after=_encoded(path, edited), what=what
            )
    return tuple(edits.values())


def _with_slots(text: str, model: Json, slots: Sequence[str], pin: ModelPin, *, file: str) -> str:
    """A suite's text with `pin` where its ``model:`` names the pins of `slots`."""
    for slot in slots:
        inner = model[slot] if isinstance(model, Mapping) and slot in model else model
        route = ("model", slot) if inner is not model else ("model",)
        if isinstance(inner, Mapping):
            inner, route = inner["id"], (*route, "id")
        text = with_text(text, route, _model_id(pin, inner), file=file, error=SuiteError)
    return text


def _with_prompt(text: str, suite: Suite, pin: ModelPin, edits: dict[Path, Edit], *, root: Path, prompts: Path) -> str:
    """A suite's text for the pin of its prompt; a new version of that is added to `edits`."""
    name, known = suite.prompt.name, list_versions(prompts, suite.prompt.name)
    document = read_yaml(text, file=suite.path, error=SuiteError).value
    reference = document["prompt"] if isinstance(document, Mapping) else ""
    if suite.prompt.version != known[-1]:
        return with_key(text, "model", str(pin), after="prompt", file=suite.path, error=SuiteError)
    version = f"v{len(known) + 1}"
    old = root / suite.prompt.path
    path = old.with_name(f"{version}{old.suffix}")
    edits.setdefault(path, _new_version(old, path, version, pin, root))
    if reference == name:
        return text
    return with_text(text, ("prompt",), f"{name}@{version}", file=suite.path, error=SuiteError)


def _new_version(old: Path, path: Path, version: str, pin: ModelPin, root: Path) -> Edit:
    file = shown_path(old, root)
    text = _text(old, PromptError, file)
    if old.suffix == ".prompty":
        front, _ = split_front_matter(text, file)
        start = text.index("\n") + 1
        edited = f"{text[:start]}{_front(front, version, pin, file)}{text[start + len(front) :]}"
    else:
        edited = _front(text, version, pin, file)
    label = f"{old.parent.name}@{version} on {pin}"
    return Edit(path=path, shown=shown_path(path, root), before=None, after=_encoded(old, edited), what=label)


def _front(text: str, version: str, pin: ModelPin, file: str) -> str:
    """A prompt's YAML with another pin, and with its own version if it says one."""
    document = read_yaml(text, file=file, error=PromptError).value
    assert isinstance(document, Mapping)
    model, metadata = document["model"], document.get("metadata")
    if not isinstance(model, Mapping):
        text = with_text(text, ("model",), _model_id(pin, model), file=file, error=PromptError)
    elif "provider" in model:
        text = with_text(text, ("model", "id"), pin.name, file=file, error=PromptError)
        text = with_text(text, ("model", "provider"), pin.provider, file=file, error=PromptError)
    else:
        text = with_text(text, ("model", "id"), _model_id(pin, model["id"]), file=file, error=PromptError)
    if isinstance(metadata, Mapping) and "version" in metadata:
        text = with_text(text, ("metadata", "version"), version, file=file, error=PromptError)
    return text


def _model_id(pin: ModelPin, before: Json) -> str:
    """The pin as the one before it was written: OpenAI's may lack its provider."""
    return pin.name if pin.provider == "openai" and "/" not in str(before) and "/" not in pin.name else str(pin)


def _text(path: Path, error: type[SuiteError | PromptError], file: str) -> str:
    return read_text(path, error=error, name=file)


def _encoded(path: Path, text: str) -> bytes:
    """As `path` is encoded: with its byte order mark, if it has one."""
    mark = b"\xef\xbb\xbf"
    return (mark if (content(path) or b"").startswith(mark) else b"") + text.encode("utf-8")
