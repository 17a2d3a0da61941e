"""The prompt versions that baselines were written from, held to what they were then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import prompt_digest
from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.git import commits
from pytest_promptgate.files.partials import CommitShelf
from pytest_promptgate.files.prompt_file import FILE_NAME, load_prompt_file, read_version
from pytest_promptgate.files.prompt_text import plain_text
from pytest_promptgate.files.text import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_promptgate.core.types import PromptVersion

MOST_COMMITS = 200  # that are searched for one version
LABEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)@(v[1-9][0-9]{0,5})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A recorded version that is no longer what it was.

    Attributes:
        now: Its content; or why it cannot be read any more.
        partials: Paths of the partials that have changed or are gone; none: its own file has changed.
    """

    label: str
    path: Path
    now: PromptVersion | PromptGateError
    partials: tuple[str, ...]

    @property
    def name(self) -> str:
        """The prompt's."""
        return self.label.partition("@")[0]

    @property
    def version(self) -> str:
        """Such as "v3"."""
        return self.label.partition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A version as a commit holds it."""

    data: bytes  # of its file, with the line ends of this clone
    prompt: PromptVersion
    commit: str  # the beginning of its id


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What is known of the recorded versions.

    Attributes:
        directory: That holds one directory per prompt; absolute.
        root: What paths in messages are relative to.
        digests: Of the versions, by label.
        partials: Digests of the partials in them, by label and path.
        recipes: Called when texts are wanted: the versions whose text a baseline keeps, by label.
    """

    directory: Path
    root: Path
    digests: Mapping[str, str]
    partials: Mapping[str, Mapping[str, str]]
    recipes: Callable[[], Mapping[str, PromptVersion]]

    def changes(self, names: Iterable[str] | None = None) -> list[Change]:
        """The versions of these prompts, or of all, whose content has changed; oldest first."""
        found = (self._change(label, self.path_of(name, version)) for label, name, version in self._labels(names))
        return [change for change in found if change is not None]

    def _change(self, label: str, path: Path | None) -> Change | None:
        if path is None:
            return None
        recorded = self.partials.get(label, {})
        try:
            now = load_prompt_file(path, root=self.root)
        except PromptGateError as error:
            gone = tuple(file for file in recorded if self.root / file != path and not (self.root / file).exists())
            return Change(label=label, path=path, now=error, partials=gone)
        if now.digest == self.digests[label]:
            return None
        # If the file itself was edited, it is not the partials' doing alone.
        edited = tuple(file for file, new in now.partials.items() if recorded.get(file, new) != new)
        return Change(label=label, path=path, now=now, partials=() if now.path in edited else edited)

    def missing(self, names: Iterable[str]) -> list[str]:
        """The labels of these prompts whose files are gone."""
        return [label for label, name, version in self._labels(names) if self.path_of(name, version) is None]

    def path_of(self, name: str, version: str) -> Path | None:
        """The file of a version; None if there is none."""
        folder = self.directory / name
        found = (FILE_NAME.match(each.name) for each in sorted(folder.iterdir())) if folder.is_dir() else ()
        return next((folder / match[0] for match in found if match and match[1] == version), None)

    def _labels(self, names: Iterable[str] | None) -> list[tuple[str, str, str]]:
        wanted = None if names is None else set(names)
        found = [(match[0], match[1], match[2]) for label in self.digests if (match := LABEL.match(label))]
        return sorted(
            (each for each in found if wanted is None or each[1] in wanted),
            key=lambda each: (each[1], int(each[2][1:])),
        )

    def kept(self, label: str, *, like: PromptVersion | None) -> PromptVersion | None:
        """The version as a baseline keeps it; `like` knows the model where a suite overrides it."""
        recipe = self.recipes().get(label)
        if recipe is None or recipe.digest != self.digests[label]:
            return None
        pins = (recipe.pin, None, like.pin if like else None)
        return next((each for pin in pins if _is_itself(each := replace(recipe, pin=pin))), None)

    def committed(self, label: str, path: Path) -> Committed | None:
        """The version as the last commit that has it holds it; None if there is no such commit, or no Git."""
        # Commits of the directory are those of the partials, too; they are many, so the file's own come first.
        for place in (path, self.directory):
            found = next(self._states(label, path, place), None)
            if found is not None:
                return found
        return None

    def _states(self, label: str, path: Path, place: Path) -> Iterator[Committed]:
        try:
            history = commits(self.root, place, ref="HEAD", most=MOST_COMMITS)
            for commit in history:
                data = commit.revision.read(path)
                found = (
                    None
                    if data is None
                    else self._read(data, path, CommitShelf(revision=commit.revision, directory=self.directory))
                )
                if data is not None and found is not None and found.digest == self.digests[label]:
                    whole = commit.revision.checked_out(path) or data
                    yield Committed(data=whole, prompt=found, commit=commit.revision.commit[:8])
        except PromptGateError:
            return

    def _read(self, data: bytes, path: Path, shelf: CommitShelf) -> PromptVersion | None:
        file = shown_path(path, self.root)
        try:
            text = plain_text(data.decode("utf-8-sig"), file=file)
            return read_version(text, name=path.parent.name, file=file, shelf=shelf)
        except (PromptGateError, UnicodeDecodeError):
            return None

    def before(self, label: str, path: Path, now: PromptVersion) -> PromptVersion | None:
        """What a changed version was; None if nobody knows."""
        kept = self.kept(label, like=now)
        if kept is not None:
            return kept
        committed = self.committed(label, path)
        return None if committed is None else committed.prompt


def _is_itself(prompt: PromptVersion) -> bool:
    digest = prompt_digest(
        messages=prompt.messages,
        pin=prompt.pin,
        parameters=prompt.parameters,
        inputs=prompt.inputs,
        tools=prompt.tools,
        response_format=prompt.response_format,
    )
    return digest == prompt.digest
