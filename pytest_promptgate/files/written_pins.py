"""Every pin that a file of the project names, as it is written: one that a run would refuse is found too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_promptgate.core.pins import parse_model
from pytest_promptgate.core.types import ModelPin
from pytest_promptgate.errors import Place, PromptGateError, RubricError, SuiteError
from pytest_promptgate.files.prompts import find_prompt, list_versions, prompt_names
from pytest_promptgate.files.source import read_text, read_yaml
from pytest_promptgate.files.suite_embeddings import EMBEDDING
from pytest_promptgate.files.suite_judges import JUDGES
from pytest_promptgate.files.suite_models import RESERVED
from pytest_promptgate.files.text import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_promptgate.core.types import Json


_SETTING = {**dict.fromkeys(JUDGES, "rubric"), EMBEDDING: "model"}  # of scorers that ask a model: what names it


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPin:
    """A pin, and the file that names it."""

    file: str  # relative to the root
    slot: str = ""  # of a suite with several; or the scorer that asks it
    pin: ModelPin
    current: bool = True  # False: of a version that is not its prompt's newest


def written_pins(root: Path, prompts: Path, suites: Iterable[Path]) -> tuple[tuple[WrittenPin, ...], tuple[str, ...]]:
    """The pins of all prompts, of `suites`, their scorers and their rubrics; and what could not be read.

    Args:
        root: What paths are relative to.
        prompts: The directory of the prompts, absolute.
        suites: Files, absolute.
    """
    found: dict[str, WrittenPin] = {}
    faults: list[str] = []
    readers = [partial(_of_prompt, root, prompts, name) for name in prompt_names(prompts)]
    readers += [partial(_of_suite, root, path) for path in suites]
    for reader in readers:
        try:
            found |= {f"{each.file}[{each.slot}]": each for each in reader()}
        except PromptGateError as fault:
            faults.append(str(fault))
    return tuple(found.values()), tuple(faults)


def _of_prompt(root: Path, prompts: Path, name: str) -> Iterator[WrittenPin]:
    where = Place(file=shown_path(prompts / name, root))
    versions = list_versions(prompts, name)
    for version in versions:
        prompt = find_prompt(root, prompts, f"{name}@{version}", where=where)
        if prompt.pin is not None:
            yield WrittenPin(file=prompt.path, pin=prompt.pin, current=version == versions[-1])


def _of_suite(root: Path, path: Path) -> Iterator[WrittenPin]:
    file = shown_path(path, root)
    document = read_yaml(read_text(path, error=SuiteError, name=file), file=file, error=SuiteError).value
    if not isinstance(document, Mapping):
        return
    model = document.get("model")
    slots = model if isinstance(model, Mapping) and not RESERVED & model.keys() else {"": model}
    for slot, written in slots.items():
        if pin := _pin(written):
            yield WrittenPin(file=file, slot=slot, pin=pin)
    scorers = [*_asking(document.get("scorers"))]
    for name, kind, written in scorers:
        if kind == EMBEDDING and (pin := _pin(written)):
            yield WrittenPin(file=file, slot=name, pin=pin)
    for rubric in dict.fromkeys(path for _, kind, path in scorers if kind in JUDGES and isinstance(path, str)):
        yield from _of_rubric(root, Path(os.path.normpath(path.parent / rubric)))


def _of_rubric(root: Path, path: Path) -> Iterator[WrittenPin]:
    file = shown_path(path, root)
    document = read_yaml(read_text(path, error=RubricError, name=file), file=file, error=RubricError).value
    if isinstance(document, Mapping) and (pin := _pin(document.get("model"))):
        yield WrittenPin(file=file, pin=pin)


def _asking(scorers: Json, name: str = "") -> Iterator[tuple[str, str, Json]]:
    """The scorers that ask a model, however deep: name, kind, and its rubric's path or its model as written."""
    for inner in scorers if isinstance(scorers, list) else ():
        yield from _asking(inner, name)
    for key, inner in scorers.items() if isinstance(scorers, Mapping) else ():
        setting = inner.get(_SETTING.get(key, "")) if isinstance(inner, Mapping) else inner
        if key in _SETTING and setting is not None:
            yield name or key, key, setting
        else:
            yield from _asking(inner, name or key)


def _pin(written: Json) -> ModelPin | None:
    """A pin as a suite or a rubric writes it, with the word that is given for it; None if it is written wrongly."""
    text, vouched = written, False
    if isinstance(written, Mapping):
        text, vouched = written.get("id"), written.get("pinned") is True
    if not isinstance(text, str) or not text.strip():
        return None
    provider, name = parse_model(text.strip())
    return ModelPin(provider=provider, name=name, vouched=vouched)
