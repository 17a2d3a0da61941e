"""Somebody else's package, installed: its entry point is heard by pytest and by the command."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import pytest
from front_project import Project, section

SOURCE = Path(__file__).parents[1] / "courtesy_package"
SUITE = """\
prompt: triage
dataset: ../datasets/mails.letters
scorers: {tone: {courteous: {words: [billing, account]}}}
metrics: {best: best_half(tone), all: mean(tone)}
"""


def installed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the sample package where Python finds it, with the metadata that an installer takes from its pyproject.toml."""
    target = project.root / "site"
    shutil.copytree(SOURCE / "promptgate_courtesy", target / "promptgate_courtesy")
    told = tomllib.loads((SOURCE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = told["name"].replace("-", "_"), told["version"]
    entries = "\n".join(f"{key} = {value}" for key, value in told["entry-points"]["promptgate"].items())
    project.write(
        f"site/{name}-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    project.write(f"site/{name}-{version}.dist-info/entry_points.txt", f"[promptgate]\n{entries}\n")
    monkeypatch.setenv("PYTHONPATH", str(target), prepend=os.pathsep)


def test_an_installed_package_offers_and_observes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.standard()
    installed(project, monkeypatch)
    project.write("datasets/mails.letters", "my parcel is not here\tshipping\ncharged twice on my card\tbilling\n")
    project.suite(SUITE)

    result = project.run_apart("--prompt-evals")

    result.assert_outcomes(passed=4)
    assert "  best    -         1.000    -       new      2/0/0" in section(result, "prompt evals")
    assert "  all     -         0.500    -       new      2/0/0" in section(result, "prompt evals")
    assert sorted(project.text("heard.txt").split()) == ["billing", "shipping"]


def test_the_command_knows_an_installed_package_as_pytest_does(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.standard()
    installed(project, monkeypatch)
    project.write("datasets/mails.letters", "my parcel is not here\tshipping\n")
    project.suite(SUITE)

    result = project.pytester.run("promptgate", "estimate", "evals/triage.eval.yaml")

    assert result.ret == 0, result.stderr.str()
    result.stdout.fnmatch_lines(["*triage*"])
