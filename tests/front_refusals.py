"""What a run that goes wrong tells, as its user reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from front_project import section

if TYPE_CHECKING:
    from front_project import Project

SUITE_FILE = "evals/triage.eval.yaml"


def clean(result: pytest.RunResult) -> pytest.RunResult:
    """`result`, which shows no traceback and did not succeed."""
    text = "\n".join((*result.outlines, *result.errlines))
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR), text
    assert "Traceback" not in text
    assert 'File "' not in text
    assert not re.search(r"^E   ", text, re.MULTILINE)
    return result


def collection_error(result: pytest.RunResult) -> str:
    """The message of the one file that could not be collected."""
    assert clean(result).ret == pytest.ExitCode.INTERRUPTED
    heading, *lines = section(result, "ERRORS").splitlines()
    assert re.fullmatch(r"_+ ERROR collecting .* _+", heading)
    return "\n".join(lines)


def usage_error(result: pytest.RunResult) -> str:
    """The message of a run that could not begin."""
    assert clean(result).ret == pytest.ExitCode.USAGE_ERROR
    told = "\n".join(result.errlines).strip()
    assert told.startswith("ERROR: ")
    return told.removeprefix("ERROR: ")


def refused(project: Project, *args: str) -> str:
    """What ``pytest --prompt-evals`` tells of a wrong file, with the project's own directory left out."""
    result = project.evals(*args)
    told = usage_error(result) if result.ret == pytest.ExitCode.USAGE_ERROR else collection_error(result)
    return told.replace(f"{project.root}/", "")


def failures(result: pytest.RunResult) -> list[str]:
    """The lines under FAILURES, the headings without their underscores."""
    return [line.strip("_ ") if line.startswith("__") else line for line in section(result, "FAILURES").splitlines()]


def told_below(result: pytest.RunResult) -> list[str]:
    """What stands below the closing table of the one metric."""
    lines = section(result, "prompt evals").splitlines()
    rows = [index for index, line in enumerate(lines) if line.startswith("  accuracy ")]
    return lines[rows[-1] + 1 :]
