"""Prompt versions by reference: ``support-triage`` (the newest) and ``support-triage@v2``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptError, PromptGateError, told_together
from pytest_promptgate.files.prompt_file import FILE_NAME, load_prompt_file, naming_hint
from pytest_promptgate.files.text import shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_promptgate.core.prompt import PromptVersion

__all__ = ["find_prompt", "list_versions", "load_prompt_file", "prompt_names"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_VERSION = re.compile(r"v[1-9][0-9]{0,5}\Z")
_LIKE_A_VERSION = re.compile(r"(?i)v[-_. ]?[0-9]")
_SUFFIXES = (".prompty", ".yaml", ".yml", ".txt")


def find_prompt(root: Path, directory: Path, reference: str, *, where: Place | str) -> PromptVersion:
    """The version that `reference` names.

    Args:
        root: What paths in values and messages are relative to.
        directory: That holds one directory per prompt; absolute.
        reference: ``name`` or ``name@v<N>``.
        where: The place of the reference, or what to call it.

    Raises:
        PromptError: There is no such prompt or version, the directory's files are not numbered as they should be,
            or the version's file is wrong.
    """
    name, at, version = reference.partition("@")
    if not _NAME.match(name) or (at and not _VERSION.match(version)):
        raise PromptError(where, f"{reference!r} names no prompt version", hint=_reference_hint(name, version))
    known = _prompt_names(directory)
    if name not in known:
        shown = f"{shown_path(directory, root)}/"
        hint = _name_hint(name, known) if known else f"Write {shown}{name}/v1.prompty, or set promptgate_prompts."
        raise PromptError(where, f"no prompt {name!r} in {shown}", hint=hint)
    files = _version_files(directory / name, root)
    wanted = version or f"v{len(files)}"
    if wanted not in files:
        raise PromptError(where, f"prompt {name!r} has no {wanted}", hint=f"Its versions: {', '.join(files)}.")
    return load_prompt_file(files[wanted], root=root)


def is_name(text: str) -> bool:
    """Whether a suite can name a prompt so."""
    return _NAME.match(text) is not None


def prompt_names(directory: Path) -> list[str]:
    """The prompts in `directory`, sorted: its directories that hold a version; one of partials is none."""
    return [
        name
        for name in _prompt_names(directory)
        if any(FILE_NAME.match(each.name) for each in (directory / name).iterdir())
    ]


def list_versions(directory: Path, name: str) -> tuple[str, ...]:
    """``v1``, ``v2``, … of one prompt, ascending.

    Raises:
        PromptError: No version, a gap, a number that stands twice, or a file that only looks like a version; the
            paths in the message are relative to the parent of `directory`.
    """
    return tuple(_version_files(directory / name, directory.parent))


def _reference_hint(name: str, version: str) -> str:
    if not _NAME.match(name):
        return "Write the name of a directory in the prompts directory: letters, digits, '.', '_' and '-'."
    number = version.lower().removeprefix("v").lstrip("0")
    if number.isdecimal():
        return f"Did you mean '{name}@v{number}'?"
    return f"Write '{name}@v2', or '{name}' for the newest version."


def _name_hint(name: str, known: Sequence[str]) -> str:
    folded = {each.casefold(): each for each in known}
    if name.casefold() in folded:
        return f"Did you mean {folded[name.casefold()]!r}? Upper and lower case differ."
    return did_you_mean(name, known, label="Prompts")


def _prompt_names(directory: Path) -> list[str]:
    # The listing, and not the file system's own answer, decides: that one may be blind to upper and lower case.
    try:
        return sorted(each.name for each in directory.iterdir() if _NAME.match(each.name) and each.is_dir())
    except OSError:
        return []


def _version_files(directory: Path, root: Path) -> Mapping[str, Path]:
    """The files by version, ascending from v1 without a gap."""
    shown = shown_path(directory, root)
    faults: list[PromptGateError] = []
    found: dict[int, Path] = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        named = FILE_NAME.match(path.name)
        number = int(named[1][1:]) if named else 0
        if number and number in found:
            what = f"v{number} stands twice: {found[number].name} and {path.name}"
            faults.append(PromptError(Place(file=f"{shown}/{path.name}"), what, hint="Keep one of them."))
        elif number:
            found[number] = path
        elif _meant_as_version(path):
            place = Place(file=f"{shown}/{path.name}")
            hint = f"{_renamed(path)}{naming_hint()}"
            faults.append(PromptError(place, "not the name of a prompt version", hint=hint))
    missing = next((number for number in range(1, len(found) + 1) if number not in found), None)
    if missing and not faults:
        what = f"v{max(found)} is there, but no v{missing}"
        faults.append(PromptError(Place(file=shown), what, hint="Versions are numbered from v1 without a gap."))
    if not found and not faults:
        faults.append(PromptError(Place(file=shown), "no prompt version", hint=naming_hint()))
    if faults:
        raise told_together(faults)
    return {f"v{number}": found[number] for number in sorted(found)}


def _meant_as_version(path: Path) -> bool:
    if path.name.startswith(".") or path.suffix.lower() not in _SUFFIXES:
        return False
    return path.suffix.lower() == ".prompty" or _LIKE_A_VERSION.match(path.name) is not None


def _renamed(path: Path) -> str:
    number = re.fullmatch(r"(?i)v[-_. ]?0*([1-9][0-9]{0,5})", path.stem)
    suffix = {".yml": ".yaml"}.get(path.suffix.lower(), path.suffix.lower())
    return f"Did you mean 'v{number[1]}{suffix}'? " if number else ""
