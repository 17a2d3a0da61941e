"""Rubrics, datasets and files of people's labels that ``promptgate lint`` is asked about by their own names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.cli.lint_suites import surprises_in
from pytest_promptgate.core.lint import LintFinding, findings_of
from pytest_promptgate.errors import Place, PromptGateError, RubricError
from pytest_promptgate.files.datasets import load_rows
from pytest_promptgate.files.node import Node
from pytest_promptgate.files.rubrics import read_rubric
from pytest_promptgate.files.source import Document, read_text, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_promptgate.files.suite_context import SuiteContext

_YAML = (".yaml", ".yml")
_ROWS = (".jsonl", ".csv", ".tsv", ".parquet")  # of a directory; .json and .yaml are of everybody's
_FOREIGN = frozenset({"node_modules", "venv", "site-packages", "__pycache__"})


def may_be_ours(path: Path, top: Path) -> bool:
    """Whether a file below the directory `top` is worth a look."""
    inside = path.relative_to(top).parts
    hidden = any(part.startswith(".") or part in _FOREIGN or part == "promptgate.baselines" for part in inside)
    return not hidden and path.suffix.lower() in (*_YAML, *_ROWS) and path.is_file()


def lint_file(path: Path, context: SuiteContext, *, named: bool) -> Iterator[LintFinding]:
    """The findings of one file.

    Args:
        path: Absolute.
        context: What it may refer to.
        named: It was asked for by its own name: then it is said if nothing here reads it.
    """
    file, suffix = context.shown(path), path.suffix.lower()
    if suffix in _YAML and _is_rubric(path, file):
        yield from _rubric(path, file, context)
    elif suffix in context.loaders and (named or suffix in _ROWS):
        try:
            load_rows(path, where=Place(file=file), loaders=context.loaders, root=context.root)
        except PromptGateError as error:
            yield from findings_of(error)
    elif named:
        hint = "Prompts stand in the prompts directory, suites end in .eval.yaml, rubrics have a criterion."
        yield LintFinding(code="PG902", place=Place(file=file), message="nothing here reads this file", hint=hint)
        return
    else:
        return
    yield from surprises_in(path, file)


def _is_rubric(path: Path, file: str) -> bool:
    try:
        value = read_yaml(read_text(path, error=RubricError, name=file), file=file, error=RubricError).value
    except PromptGateError:
        return path.parent.name == "rubrics"
    return isinstance(value, dict) and ("criterion" in value or path.parent.name == "rubrics")


def _rubric(path: Path, file: str, context: SuiteContext) -> Iterator[LintFinding]:
    faults: list[PromptGateError] = []
    place = Document(value=None, places={(): Place(file=file)})
    owner = Node(value=None, route=(), document=place, faults=faults, error=RubricError)
    read_rubric(path, context, owner, pairwise=not _has_scale(path, file))
    yield from (finding for fault in faults for finding in findings_of(fault))


def _has_scale(path: Path, file: str) -> bool:
    """Without a scale it is a comparison's, which is no fault of its own."""
    try:
        value = read_yaml(read_text(path, error=RubricError, name=file), file=file, error=RubricError).value
    except PromptGateError:
        return True
    return isinstance(value, dict) and "scale" in value
