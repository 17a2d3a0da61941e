"""What the commands about prompt versions share: the project, the versions, and what baselines recorded of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.cli.exits import USAGE, Stop
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import Place, PromptGateError
from pytest_promptgate.files.baseline_records import Recorded, recorded_versions
from pytest_promptgate.files.prompts import find_prompt, list_versions

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.core.recorded import Figures
    from pytest_promptgate.core.types import PromptVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The versions of one prompt."""

    project: Project
    name: str
    known: tuple[str, ...]  # "v1", …, ascending

    def load(self, version: str) -> PromptVersion:
        """One version; `version` may lack its ``v``.

        Raises:
            Stop: There is no such version.
            PromptError: Its file is wrong.
        """
        wanted = f"v{version}" if version.isdecimal() else version
        if wanted not in self.known:
            raise Stop(f"prompt {self.name!r} has no {version}\n  Its versions: {', '.join(self.known)}.", USAGE)
        settings = self.project.evals.settings
        where = Place(file=settings.shown(settings.prompts / self.name))
        return find_prompt(settings.root, settings.prompts, f"{self.name}@{wanted}", where=where)

    def recorded(self, versions: Collection[str]) -> tuple[Recorded, ...]:
        """What baselines recorded of `versions`."""
        evals = self.project.evals
        labels = {f"{self.name}@{each}" for each in versions}
        path, lockfile = evals.settings.lockfile, evals.reference.lockfile
        return recorded_versions(evals.settings.root, path, lockfile, labels, aggregates=evals.toolbox().aggregates)


def versions_of(project: Project, name: str) -> Versions:
    """The versions of the prompt `name`.

    Raises:
        Stop: There is no such prompt, or its files are not numbered as they should be.
    """
    settings = project.evals.settings
    directory = settings.prompts
    names = sorted(each.name for each in directory.iterdir() if each.is_dir()) if directory.is_dir() else []
    if name not in names:
        hint = did_you_mean(name, names, label="Prompts")
        raise Stop(f"no prompt {name!r} in {settings.shown(directory)}/\n  {hint}", USAGE)
    try:
        known = list_versions(directory, name)
    except PromptGateError as error:
        raise Stop(str(error)) from None
    return Versions(project=project, name=name, known=known)


def shown_figures(figures: Figures | None) -> str:
    """A recorded value with as many digits as a reader can use; "-" if none was recorded."""
    return "-" if figures is None or figures.value is None else f"{figures.value:.4g}"


def title(recorded: Recorded) -> str:
    """``triage``, or ``triage[large]``."""
    return recorded.suite if recorded.slot == "default" else f"{recorded.suite}[{recorded.slot}]"
