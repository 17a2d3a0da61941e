"""Jobs of a workflow run as far as a machine without GitHub can: `run:` steps for real, known actions by stand-ins."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).parent.parent / "docs" / "ci.md"
# pip would install what is installed, from a registry.
_PIP = '#!/bin/sh\ntest "$1 $2 $3" = "install -r requirements.txt"\n'


def workflows() -> dict[str, str]:
    """The complete workflows of the page, by their path."""
    found = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return dict(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step that was run."""

    command: str
    code: int
    said: str


@dataclass(slots=True, kw_only=True)
class Machine:
    """What runs jobs: a clone, and what is left from one job to the next."""

    clone: Path
    outside: Path  # caches and artifacts
    context: Mapping[str, str]  # "github.base_ref" -> "main"
    environment: Mapping[str, str] = field(default_factory=dict)

    def run_job(self, path: str, job: str, **context: str) -> list[Step]:
        """Run one job of a workflow of the page; the steps that were run, in order."""
        steps = yaml.safe_load(workflows()[path])["jobs"][job]["steps"]
        known = {**self.context, **{name.replace("_", ".", 1): value for name, value in context.items()}}
        done: list[Step] = []
        for step in steps:
            red = any(each.code for each in done)
            if not red or step.get("if") in ("always()", "${{ !cancelled() }}"):
                done += self._step(step, known)
        return done

    def run_script(self, job: str) -> list[Step]:
        """Run one job of the page's GitLab pipeline: its lines are one script."""
        script = yaml.safe_load(workflows()[".gitlab-ci.yml"])[job]["script"]
        return [self._shell("\n".join(script), {})]

    def _step(self, step: Mapping[str, Any], known: Mapping[str, str]) -> Sequence[Step]:
        if "uses" in step:
            inputs = {name: filled(str(value), known) for name, value in step.get("with", {}).items()}
            self._stand_in(step["uses"], inputs)
            return ()
        variables = {name: filled(str(value), known) for name, value in step.get("env", {}).items()}
        return [self._shell(filled(step["run"], known), variables)]

    def _stand_in(self, action: str, inputs: Mapping[str, str]) -> None:
        match action:
            case "actions/checkout@v4":
                assert inputs["fetch-depth"] == "0"
            case "actions/setup-python@v5":
                assert inputs["python-version"] == "3.12"
            case "actions/cache/restore@v4":
                copy(self.outside / "cache", self.clone, inputs["path"])
            case "actions/cache/save@v4":
                copy(self.clone, self.outside / "cache", inputs["path"])
            case "actions/upload-artifact@v4":
                for each in inputs["path"].split():
                    copy(self.clone / each, self.outside / "artifacts" / inputs["name"], "")
            case "actions/download-artifact@v4":
                copy(self.outside / "artifacts", self.clone / inputs["path"], "")
            case _:
                raise AssertionError(f"no stand-in for {action}")

    def _shell(self, command: str, variables: Mapping[str, str]) -> Step:
        programs = self.outside / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        (programs / "pip").write_text(_PIP, encoding="utf-8")
        (programs / "pip").chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=self.clone,
            env={**os.environ, "CI": "true", "PATH": path, **self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return Step(command=command, code=done.returncode, said=done.stdout + done.stderr)


def filled(text: str, known: Mapping[str, str]) -> str:
    """`text` with the values of its ``${{ … }}``; one that is not known is an error."""
    return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda match: known[match[1]], text)


def copy(source: Path, target: Path, name: str) -> None:
    """Copy a file or a directory, if it is there."""
    here, there = source / name, target / name
    if here.is_dir():
        shutil.copytree(here, there, dirs_exist_ok=True)
    elif here.is_file():
        there.mkdir(parents=True, exist_ok=True)
        shutil.copy(here, there)
