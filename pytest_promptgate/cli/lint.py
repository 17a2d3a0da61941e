"""``promptgate lint``: every fault that a run would stop at, of all files at once, and what a run does not say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_promptgate.cli.exits import FAILED, OK, USAGE, Stop
from pytest_promptgate.cli.lint_walk import Scope, walk
from pytest_promptgate.cli.project import open_project
from pytest_promptgate.core.lint import lint_report
from pytest_promptgate.reports.lint import as_json, github, text

if TYPE_CHECKING:
    from pytest_promptgate.cli.project import Project
    from pytest_promptgate.core.lint import LintReport

_INI_FILES = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
WHOLE_PROJECT: tuple[str, ...] = (".",)


@click.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as annotations of a GitHub workflow.",
)
@click.option("--strict", is_flag=True, help="Warnings fail as errors do.")
def lint(paths: tuple[str, ...], form: str, strict: bool) -> int:
    """Check prompts, suites, datasets, rubrics and promptgate.yaml. Asks nothing.

    PATHS are files or directories; by default the whole project. With PATHS, suites that read one of them are checked
    as well.
    """
    asked = tuple(_existing(each) for each in paths)
    with open_project(_arguments(asked), whole=True, need_suites=False, tolerant=True, collect_errors=True) as project:
        looked = [(path, tuple(findings)) for path, findings in walk(project, Scope(asked=asked))]
        findings = (each for _, found in looked for each in found)
        report = lint_report(findings, files=len({path for path, _ in looked}))
        click.echo(_rendered(report, form, project))
    return FAILED if report.fails(strict=strict) else OK


def _existing(path: str) -> Path:
    found = Path(path).absolute()
    if not found.exists():
        raise Stop(f"no such file or directory: {path}", USAGE)
    return Path(os.path.normpath(found))


def _arguments(asked: tuple[Path, ...]) -> tuple[str, ...]:
    """What pytest finds the root directory by: without a configuration file above, the working directory is it."""
    configured = any((above / name).is_file() for path in asked for above in path.parents for name in _INI_FILES)
    return tuple(map(str, asked)) if configured or any(_is_root(path) for path in asked) else WHOLE_PROJECT


def _is_root(path: Path) -> bool:
    return any((path / name).is_file() for name in _INI_FILES)


def _rendered(report: LintReport, form: str, project: Project) -> str:
    if form == "github":
        return github(report, directory=_below_workspace(project.evals.settings.root))
    return as_json(report) if form == "json" else text(report)


def _below_workspace(root: Path) -> str:
    """From the checkout that a GitHub workflow works in to the root directory; "" if they are the same."""
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or root)
    inside = root != workspace and root.is_relative_to(workspace)
    return f"{root.relative_to(workspace).as_posix()}/" if inside else ""
