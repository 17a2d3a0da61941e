"""The first files of a project: planned here as values, so that they can be shown before anything is written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from pytest_promptgate.errors import ConfigError
from pytest_promptgate.files.pytest_paths import PYTEST_FILES, with_testpath
from pytest_promptgate.files.source import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PROMPT = "prompts/triage/v1.prompty"
DATASET = "datasets/triage.jsonl"
SUITE = "evals/triage.eval.yaml"
SCHEMA = "schemas/suite.schema.json"
WORKFLOW = ".github/workflows/prompt-gate.yml"
IGNORED = ".gitignore"
PYTEST = "pytest.ini"

# What must not exist before, for each part of the example: a prompt's directory is the prompt.
_EXAMPLE = {"prompts/triage": PROMPT, DATASET: DATASET, SUITE: SUITE}
_SUITES = "evals"
_OWN = ".promptgate/"
_IGNORE = f"""\
# Stored answers of models stay here; the baselines are committed with the prompts.
{_OWN}
!promptgate.lock.json
!promptgate.baselines/
!promptgate.baselines/**
"""
_PYTEST = "# pytest takes this directory for the root of the project, and looks for prompts/ here.\n[pytest]\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What becomes of one file."""

    path: str  # relative to the project's root, with "/"
    text: str | None  # its whole new content; None: it stays as it is
    made: bool  # it is not there yet
    why: str  # for people


def starter_steps(root: Path, *, version: str) -> tuple[Step, ...]:
    """What `promptgate init` does in `root`; no file that exists loses a line.

    Args:
        root: The project's directory.
        version: Of this package, which the workflow installs.

    Raises:
        ConfigError: A file of pytest's settings or the ``.gitignore`` cannot be read.
    """
    return (*_example(root), _schema(root), _workflow(root, version), _ignored(root), *_pytest(root))


def write_steps(root: Path, steps: Sequence[Step]) -> None:
    """Do it.

    Raises:
        OSError: A file or directory cannot be written.
    """
    for step in steps:
        if step.text is not None:
            target = root / step.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(step.text, encoding="utf-8", newline="\n")


def _packaged(name: str) -> str:
    return (resources.files("pytest_promptgate") / name).read_text(encoding="utf-8")


def _made(path: str, text: str, why: str) -> Step:
    return Step(path=path, text=text, made=True, why=why)


def _kept(path: str, why: str = "it is there already") -> Step:
    return Step(path=path, text=None, made=False, why=why)


def _example(root: Path) -> Iterator[Step]:
    """Prompt, dataset and suite belong together: all three or none."""
    there = next((path for path in _EXAMPLE if (root / path).exists()), None)
    if there is not None:
        yield _kept(there, "so no example was made")
        return
    yield _made(PROMPT, _packaged("starter/prompt.prompty"), "the prompt; one file per version")
    yield _made(DATASET, _packaged("starter/dataset.jsonl"), "12 cases")
    yield _made(SUITE, _packaged("starter/suite.yaml"), "what is measured, and how far it may fall")


def _schema(root: Path) -> Step:
    if (root / SCHEMA).exists():
        return _kept(SCHEMA)
    return _made(SCHEMA, _packaged(SCHEMA), "lets an editor complete and check suites")


def _workflow(root: Path, version: str) -> Step:
    if (root / WORKFLOW).exists():
        return _kept(WORKFLOW)
    text = _packaged("starter/prompt-gate.yml").replace("VERSION", version)
    return _made(WORKFLOW, _working_in(below(root)[1], text), "the required check of pull requests")


def below(root: Path) -> tuple[Path, str]:
    """The root of the repository that `root` is in, and the way from there to `root` with "/"; "" if they are one."""
    top = next((each for each in (root, *root.parents) if (each / ".git").exists()), root)
    return top, "" if top == root else root.relative_to(top).as_posix()


def _working_in(directory: str, workflow: str) -> str:
    """A workflow whose steps run, cache and keep in `directory` of the repository."""
    if not directory:
        return workflow
    place = json.dumps(directory, ensure_ascii=False)  # names may have spaces, and "#"
    steps = "    timeout-minutes: 20\n"
    text = workflow.replace(steps, f"{steps}    defaults:\n      run:\n        working-directory: {place}\n")
    return re.sub(r"(?m)^( +path: )(\S+)$", lambda found: f'{found[1]}{place[:-1]}/{found[2]}"', text)


def _ignored(root: Path) -> Step:
    path = root / IGNORED
    if not path.exists():
        return _made(IGNORED, _IGNORE, f"keeps {_OWN} out of Git, and the baselines in")
    text = read_text(path, error=ConfigError, name=IGNORED)
    if any(line.strip().strip("/") == _OWN.strip("/") for line in text.splitlines()):
        return _kept(IGNORED, f"it ignores {_OWN} already")
    return Step(path=IGNORED, text=f"{_ended(text)}{_IGNORE}", made=False, why=f"{_OWN} is ignored now")


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _pytest(root: Path) -> Iterator[Step]:
    """The directory of the suites among those that pytest looks into; nothing if it looks everywhere."""
    for name in PYTEST_FILES:
        if not (root / name).exists():
            continue
        text = read_text(root / name, error=ConfigError, name=name)
        changed = with_testpath(name, text, _SUITES)
        if changed is None:
            continue
        if changed != text:
            yield Step(path=name, text=changed, made=False, why=f"testpaths has {_SUITES} now")
        return
    if not (root / "pyproject.toml").exists():
        yield _made(PYTEST, _PYTEST, "makes this directory the root for pytest")
