"""What ``promptgate lint`` says about a suite that can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.lint import LintFinding
from pytest_promptgate.core.nesting import leaves
from pytest_promptgate.core.rubrics import Rubric
from pytest_promptgate.errors import PromptError, PromptGateError
from pytest_promptgate.files.source import read_text
from pytest_promptgate.files.written_out import written_out
from pytest_promptgate.files.yaml_surprises import yaml_surprises

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_promptgate.core.types import Json, Suite
    from pytest_promptgate.pytest_run import Run

LEAST_ROWS = 2  # that share a value before it counts as one for all


def dataset_of(run: Run) -> str:
    """The file that the suite's rows stand in."""
    return run.suite.cases[0].place.file


def rubrics_of(run: Run) -> list[str]:
    """The rubrics of the suite's judges."""
    asked = (getattr(leaf, "rubric", None) for each in run.suite.scorers for leaf in leaves(each.scorer))
    return [each.path for each in asked if isinstance(each, Rubric)]


def surprises_in(path: Path, file: str) -> Iterator[LintFinding]:
    """Values of a YAML file that other readers take for something else; a file that cannot be read has none."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return
    try:
        text = read_text(path, error=PromptError, name=file)
    except PromptGateError:
        return
    yield from yaml_surprises(text, file)


def lint_run(run: Run, root: Path) -> Iterator[LintFinding]:
    """Values that the prompt's text repeats although the suite hands them over."""
    prompt = run.suite.prompt
    if prompt.target is not None:
        return
    carriers = _carriers(run.suite)
    values = {name: value for name, (value, _) in carriers.items()}
    text = read_text(root / prompt.path, error=PromptError, name=prompt.path)
    for name, place in written_out(text, prompt.path, values).items():
        value, carrier = carriers[name]
        yield LintFinding(
            code="PG111",
            place=place,
            message=f"{str(value).strip()!r} is written out, and {carrier} carries the same text",
            hint=f"Write {{{{ {name} }}}} in its place: of two copies one is forgotten.",
        )


def _carriers(suite: Suite) -> dict[str, tuple[Json, str]]:
    """By input: the one value that it has in every case, and what gives it."""
    found: dict[str, tuple[Json, str]] = {}
    for each in suite.prompt.inputs:
        column = suite.inputs.get(each.name, each.name)
        values = [case.inputs.get(column) for case in suite.cases]
        if each.name in suite.constants:
            found[each.name] = suite.constants[each.name], f"the constant {each.name!r} of {suite.path}"
        elif len(values) >= LEAST_ROWS and values[0] is not None and all(value == values[0] for value in values):
            found[each.name] = values[0], f"every row's {column!r}"
        elif each.default is not None:
            found[each.name] = each.default, f"the default of the input {each.name!r}"
    return found
