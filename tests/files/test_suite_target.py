"""`target:` of a suite, as it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from suite_project import SuiteProject, suite_project

from pytest_promptgate.core.plan import plan
from pytest_promptgate.core.targets import arguments_of
from pytest_promptgate.files.templates import render

if TYPE_CHECKING:
    from pathlib import Path

CODE = """\
def answer(message, tone="plain", *, depth=2):
    return message

def anything(**given):
    return str(given)

def versioned(message):
    return message
versioned.version = "2026-11"
"""
SUITE = "target: suite_target_code:answer\ndataset: ../rows.jsonl\nscorers: [exact_match]\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SuiteProject:
    """The suite project, with a module of targets."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "suite_target_code", raising=False)
    project = suite_project(tmp_path)
    project.write("suite_target_code.py", CODE)
    return project


def test_a_target_is_called_with_columns_and_constants_and_its_own_defaults(project: SuiteProject) -> None:
    suite = project.load(f"{SUITE}inputs: {{message: text}}\nconstants: {{depth: 3}}\n")

    planned = plan(suite, "default", render=render)

    assert arguments_of(planned.trials[0].request) == {"message": "A", "depth": 3}
    assert str(planned.pin) == "target/suite_target_code:answer"
    assert suite.rule == "confirm"


def test_keyword_arguments_of_any_name_take_what_the_suite_hands_over(project: SuiteProject) -> None:
    suite = project.load(f"{SUITE.replace('answer', 'anything')}inputs: {{message: text}}\nconstants: {{depth: 3}}\n")

    assert arguments_of(plan(suite, "default", render=render).trials[0].request) == {"message": "A", "depth": 3}


def test_without_a_version_the_source_stands_for_it_and_nothing_is_stored(project: SuiteProject) -> None:
    suite = project.load(SUITE)

    assert not suite.storable
    assert suite.prompt.node == "suite_target_code:answer"
    assert suite.prompt.label.startswith("suite_target_code:answer@source-")


@pytest.mark.parametrize(
    ("target", "version"),
    [
        ("suite_target_code:versioned", "2026-11"),
        ("{call: suite_target_code:versioned, version: '3'}", "3"),
        ("{call: suite_target_code:answer, version: 4, timeout_s: 5}", "4"),
    ],
)
def test_a_version_is_the_suites_or_the_callables_own(project: SuiteProject, target: str, version: str) -> None:
    suite = project.load(SUITE.replace("suite_target_code:answer", target))

    assert suite.storable
    assert suite.prompt.node == suite.prompt.label == f"{suite.prompt.name}@{version}"


def test_another_version_makes_other_requests(project: SuiteProject) -> None:
    digests = [
        plan(suite, "default", render=render).trials[0].digest
        for version in ("1", "2")
        if (
            suite := project.load(
                SUITE.replace(": suite", ": {call: suite").replace("er\n", f"er, version: {version}}}\n")
            )
        )
    ]

    assert len(set(digests)) == 2
