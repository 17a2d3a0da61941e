"""Hooks that watch a run can neither stop nor change it."""

from __future__ import annotations

import pytest
from front_project import Project, section

ON = "; the run went on, and further faults are not told"


def watched(project: Project, hooks: str) -> pytest.RunResult:
    """The standard project with a conftest.py of `hooks`, run."""
    project.standard()
    project.write("conftest.py", f"import sys\nimport pytest\nfrom pytest_promptgate import hookimpl\n\n{hooks}")
    return project.evals()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise ValueError(completion.text and 'full')", "raised ValueError: full at conftest.py:7"),
        ("sys.exit(3)", "raised SystemExit: 3 at conftest.py:7"),
        ("pytest.fail('no')", "raised Failed: no at conftest.py:7"),
    ],
)
def test_what_an_observer_of_answers_raises_is_told_once(project: Project, body: str, told: str) -> None:
    result = watched(project, f"@hookimpl\ndef promptgate_completion(completion):\n    {body}\n")

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals").splitlines()[-1] == f"conftest.py: promptgate_completion {told}{ON}"
    assert result.stdout.str().count("promptgate_completion") == 1


def test_what_an_observer_of_reports_raises_is_told_once_and_the_others_are_called(project: Project) -> None:
    project.write("evals/conftest.py", "")
    project.write(
        "second.py",
        "from pathlib import Path\nfrom pytest_promptgate import hookimpl\n\n@hookimpl\ndef promptgate_report():\n"
        "    Path('told').touch()\n",
    )
    project.pytester.syspathinsert()
    project.standard()
    project.suite(name="other")
    project.write(
        "conftest.py",
        "from pytest_promptgate import hookimpl\n\n@hookimpl\ndef promptgate_report(report):\n    return 1 / 0\n",
    )

    result = project.evals("-p", "second")

    result.assert_outcomes(passed=22)
    told = [line for line in result.stdout.lines if "promptgate_report" in line]
    assert told == [
        f"conftest.py: promptgate_report raised ZeroDivisionError: division by zero at conftest.py:5{ON}",
    ]
    assert (project.root / "told").exists()


def test_an_async_observer_is_told_that_it_is_not_awaited(project: Project) -> None:
    result = watched(project, "@hookimpl\nasync def promptgate_completion(trial):\n    raise AssertionError\n")

    result.assert_outcomes(passed=11)
    assert section(result, "prompt evals").splitlines()[-1] == (
        f"conftest.py: promptgate_completion is async, and observers are called, not awaited{ON}"
    )
