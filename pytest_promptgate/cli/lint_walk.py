"""Which files ``promptgate lint`` looks at: each with what is found in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.cli.lint_files import lint_file, may_be_ours
from pytest_promptgate.cli.lint_suites import dataset_of, lint_run, rubrics_of, surprises_in
from pytest_promptgate.core.lint import LintFinding, findings_of
from pytest_promptgate.errors import ConfigError, Place, PromptGateError
from pytest_promptgate.files.lint_prompt import lint_prompt, without_variables
from pytest_promptgate.files.prompt_file import FILE_NAME
from pytest_promptgate.files.prompts import is_name, list_versions
from pytest_promptgate.pytest_context import suite_context
from pytest_promptgate.pytest_session import CONFIG_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pytest_promptgate.cli.project import Project

Looked: TypeAlias = "tuple[Path, Iterable[LintFinding]]"  # a file, and what is found because of it
SUFFIX = ".eval.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What was asked for.

    Attributes:
        asked: Files and directories, absolute; none: the whole project.
    """

    asked: tuple[Path, ...]

    def holds(self, path: Path) -> bool:
        """Whether `path` was asked for."""
        return not self.asked or any(path == each or each in path.parents for each in self.asked)

    def touches(self, suite: Path) -> bool:
        """Whether `suite` was asked for, or names a file that was: a dataset, a rubric, a prompt by its directory."""
        if self.holds(suite):
            return True
        try:
            text = suite.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        names = {name for each in self.asked if each.is_file() for name in (each.name, each.parent.name)}
        return any(name in text for name in names - {""})


def walk(project: Project, scope: Scope) -> Iterator[Looked]:
    """Look at everything in scope; a file may come up more than once."""
    yield from _project_files(project, scope)
    yield from _suites(project, scope)
    yield from _prompts(project, scope)
    yield from _others(project, scope)


def _config_is_wrong(project: Project) -> bool:
    return any(isinstance(each, ConfigError) for _, error in project.errors for each in _single(error))


def _single(error: PromptGateError) -> Sequence[PromptGateError]:
    return getattr(error, "errors", (error,))


def _project_files(project: Project, scope: Scope) -> Iterator[Looked]:
    settings = project.evals.settings
    for path in (settings.lockfile.parent / CONFIG_FILE, settings.lockfile):
        if path.exists() and scope.holds(path):
            yield path, surprises_in(path, project.shown(path))
    for found in (findings_of(error) for suite, error in project.errors if suite is None):
        yield from ((settings.root / each.place.file, [each]) for each in found)


def _suites(project: Project, scope: Scope) -> Iterator[Looked]:
    for path, error in project.errors:
        if path is not None and scope.touches(path):
            found = _without_echoes(findings_of(error), project)
            yield path, found
            for file in {project.shown(path), *(each.place.file for each in found)}:
                yield project.evals.settings.root / file, surprises_in(project.evals.settings.root / file, file)
    for run in project.runs:
        path = project.evals.settings.root / run.suite.path
        if scope.touches(path):
            yield path, lint_run(run, project.evals.settings.root)
            named = (dataset_of(run), *rubrics_of(run))
            for file in (run.suite.path, *(each for each in named if each)):
                inner = project.evals.settings.root / file
                yield inner, surprises_in(inner, file)
    yield from _uncollected(project, scope)


def _without_echoes(findings: Sequence[LintFinding], project: Project) -> Sequence[LintFinding]:
    """While promptgate.yaml is wrong nobody knows its providers, and no suite is to blame for that."""
    broken = _config_is_wrong(project)
    return [each for each in findings if not (broken and each.message.startswith("unknown provider"))]


def _uncollected(project: Project, scope: Scope) -> Iterator[Looked]:
    """Suites that were asked for, and that pytest does not look for where they stand."""
    root = project.evals.settings.root
    known = {root / run.suite.path for run in project.runs} | {path for path, _ in project.errors}
    for path in scope.asked:
        if path.name.endswith(SUFFIX) and path.is_file() and path not in known:
            try:
                runs = project.evals.open_suite(path)
            except PromptGateError as error:
                yield path, findings_of(error)
            else:
                yield path, [finding for run in runs for finding in lint_run(run, root)]
            yield path, surprises_in(path, project.shown(path))


def _prompts(project: Project, scope: Scope) -> Iterator[Looked]:
    settings = project.evals.settings
    directories = sorted(each for each in _listed(settings.prompts) if each.is_dir() and not each.name.startswith("."))
    yield from _same_but_for_case(directories, project, scope)
    for directory in directories:
        if not any(map(_is_version, _listed(directory))):
            continue  # it holds no prompt: partials, say
        if scope.holds(directory) and not is_name(directory.name):
            yield directory, [_unnameable(directory, project)]
        elif any(scope.holds(each) for each in (directory, *_listed(directory))):
            try:
                list_versions(settings.prompts, directory.name)
            except PromptGateError as error:
                yield directory, findings_of(error)
    files = [path for directory in directories for path in _listed(directory) if _is_version(path)]
    elsewhere = [path for path in scope.asked if path.suffix == ".prompty" and path not in files]
    providers = None if _config_is_wrong(project) else project.evals.project.providers
    played = {run.suite.prompt.path for run in project.runs if run.suite.turns}
    for path in (*files, *elsewhere):
        if scope.holds(path):
            linted = lint_prompt(path, root=settings.root, providers=providers)
            yield path, linted.findings
            if linted.version and not linted.version.inputs and linted.version.path not in played:
                yield path, [without_variables(linted.version)]


def _is_version(path: Path) -> bool:
    return FILE_NAME.match(path.name) is not None


def _unnameable(directory: Path, project: Project) -> LintFinding:
    return LintFinding(
        code="PG113",
        place=Place(file=project.shown(directory)),
        message=f"no suite can name the prompt {directory.name!r}",
        hint="Letters, digits, '.', '_' and '-' make a name, a letter or digit first.",
    )


def _same_but_for_case(directories: Sequence[Path], project: Project, scope: Scope) -> Iterator[Looked]:
    first: dict[str, Path] = {}
    for each in directories:
        other = first.setdefault(each.name.casefold(), each)
        if other is not each and (scope.holds(each) or scope.holds(other)):
            message = f"the prompts {other.name!r} and {each.name!r} are one directory where file names ignore case"
            place = Place(file=project.shown(each))
            yield each, [LintFinding(code="PG112", place=place, message=message, hint="Rename one of them.")]


def _others(project: Project, scope: Scope) -> Iterator[Looked]:
    """Files that were asked for by name or by directory, and that are neither suites nor prompts."""
    settings, context = project.evals.settings, suite_context(project.evals)
    own = {settings.lockfile, settings.lockfile.parent / CONFIG_FILE}
    for asked in scope.asked:
        below = [asked] if asked.is_file() else sorted(each for each in asked.rglob("*") if may_be_ours(each, asked))
        for path in below:
            is_prompt = path.suffix == ".prompty" or settings.prompts in path.parents
            if path not in own and not is_prompt and not path.name.endswith(SUFFIX):
                yield path, lint_file(path, context, named=path == asked)


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []
