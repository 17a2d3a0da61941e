"""Prompts for production code: the versions that the gate judged, loaded and rendered from the same files.

::

    from pathlib import Path

    from openai import OpenAI
    from pytest_promptgate.prompts import load_prompt

    triage = load_prompt("support-triage", directory=Path(__file__).parent / "prompts")
    rendered = triage.render(company_name="Fern & Kettle", message="Where is my parcel?")
    answer = OpenAI().chat.completions.create(**rendered.request())

It imports neither pytest nor a client: Jinja and YAML are all that it needs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.chat import chat_messages, chat_options, client_options
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptError
from pytest_promptgate.files.prompts import find_prompt
from pytest_promptgate.files.templates import render

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from pytest_promptgate.core.prompt import Json, Message, PromptVersion

__all__ = ["Prompt", "Rendered", "load_prompt"]

DIRECTORY = "prompts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One version of a prompt; immutable, so it may be kept and shared by threads."""

    version: PromptVersion

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the variables, in the order in which the file declares them."""
        return tuple(each.name for each in self.version.inputs)

    def render(self, /, **inputs: Json) -> Rendered:
        """Put values in.

        Args:
            inputs: By name. One that is not required may be left out.

        Raises:
            PromptError: A required input is missing or None, a name is no input of this version, or the template
                fails or exceeds its limits.
        """
        version = self.version
        place = Place(file=version.path)
        for name in inputs:
            if name not in self.inputs:
                hint = did_you_mean(name, self.inputs, label="Inputs")
                raise PromptError(place, f"{version.label} has no input {name!r}", hint=hint)
        missing = [each.name for each in version.inputs if each.required and each.name not in inputs]
        if missing:
            listed = ", ".join(map(repr, missing))
            raise PromptError(place, f"{version.label}: no value for {listed}", hint=f"Write render({missing[0]}=…).")
        given = {each.name: inputs.get(each.name, each.default) for each in version.inputs}
        return Rendered(version=version, texts=render(version, given))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A version with values put in: what to send, and where it comes from."""

    version: PromptVersion
    texts: tuple[Message, ...]

    @property
    def messages(self) -> list[dict[str, str]]:
        """``{"role": …, "content": …}`` for each message."""
        return chat_messages(self.texts)

    @property
    def model(self) -> str:
        """The pinned model, as its provider calls it; "" if the file names none."""
        return self.version.pin.name if self.version.pin else ""

    @property
    def options(self) -> dict[str, Any]:
        """Parameters, tools and the form of the answer, as ``chat.completions.create`` takes them."""
        return self._options(self.version.pin.provider if self.version.pin else "openai")

    def request(self, *, model: str = "", family: str = "") -> dict[str, Any]:
        """The keyword arguments of ``client.chat.completions.create``: what the gate sends for the same values.

        Args:
            model: In place of the pinned one, such as the name of a deployment on Azure.
            family: Whose names of parameters the provider knows, as ``family`` in promptgate.yaml; default: the
                provider's name. It decides between ``max_completion_tokens`` (openai, azure) and ``max_tokens``.

        Raises:
            PromptError: No model is named.
        """
        if not (model or self.model):
            place = Place(file=self.version.path)
            hint = "Write `model:` into the file, or request(model=…)."
            raise PromptError(place, f"{self.version.label} names no model", hint=hint)
        options = self._options(family) if family else self.options
        return {"model": model or self.model, "messages": self.messages, **options}

    @property
    def attributes(self) -> dict[str, str]:
        """Where an answer comes from, for traces, logs and the product itself.

        ``prompt.digest`` is the one in promptgate.lock.json; ``prompt.source`` is ``metadata.source`` of the file, or
        else the file's own path.
        """
        version = self.version
        return {
            "prompt.name": version.name,
            "prompt.version": version.version,
            "prompt.digest": version.digest,
            "prompt.source": version.source or version.path,
        }

    def _options(self, family: str) -> dict[str, Any]:
        version = self.version
        return client_options(
            chat_options(
                version.parameters, tools=version.tools, response_format=version.response_format, family=family
            )
        )


def load_prompt(reference: str, *, directory: str | os.PathLike[str] | Traversable | None = None) -> Prompt:
    """Read one version of a prompt. The file is read once, here: keep what is returned.

    Args:
        reference: ``support-triage`` for the newest version, or ``support-triage@v3``.
        directory: That holds one directory per prompt, such as ``importlib.resources.files("shop") / "prompts"``.
            None: the nearest directory ``prompts`` in or above the working directory, which suits scripts; a program
            that is started from anywhere names it.

    Raises:
        PromptError: There is no such directory, prompt or version, or its file is wrong.
    """
    where = f"load_prompt({reference!r})"
    found = _nearest(where) if directory is None else _path(directory, where)
    return Prompt(version=find_prompt(found.parent, found, reference, where=where))


def _nearest(where: str) -> Path:
    here = Path.cwd()
    for parent in (here, *here.parents):
        if (parent / DIRECTORY).is_dir():
            return parent / DIRECTORY
    hint = "Name it: load_prompt(…, directory=Path(__file__).parent / 'prompts')."
    raise PromptError(where, f"no directory {DIRECTORY!r} in or above {here}", hint=hint)


def _path(directory: str | os.PathLike[str] | Traversable, where: str) -> Path:
    if isinstance(directory, str | os.PathLike):
        return Path(directory).absolute()
    hint = "The package is zipped: unpack it with importlib.resources.as_file, and name that directory."
    raise PromptError(where, f"{directory} is no directory of the file system", hint=hint)
