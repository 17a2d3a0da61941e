"""Wrong suites: bad file in, exact text out. The pairs stand in ``suite_refusals.txt``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from suite_project import SuiteProject, suite_project

PAIRS = Path(__file__).with_name("suite_refusals.txt")
USERS_CODE = """\
from dataclasses import dataclass

LIMIT = 3


def polite(completion, case):
    raise AssertionError("loading a suite calls no scorer")


@dataclass(frozen=True)
class Odd:
    names: frozenset[str] = frozenset({"a"})

    def __call__(self, completion, case):
        raise AssertionError("loading a suite calls no scorer")


@dataclass(frozen=True)
class Silent:
    name: str = ""


class Fussy:
    def __init__(self):
        raise KeyError("no licence")
"""
TARGETS = """\
from functools import partial

LIMIT = 3


def answer(message, tone="plain"):
    raise AssertionError("loading a suite calls no target")


def nameless(message, /):
    raise AssertionError("loading a suite calls no target")


def lost(mesage, *, tone="plain"):
    raise AssertionError("loading a suite calls no target")


def odd(message):
    raise AssertionError("loading a suite calls no target")


odd.version = 1.5
made = partial(answer, tone=object())


class Agent:
    def __call__(self, message):
        raise AssertionError("loading a suite calls no target")
"""


def pairs() -> list[tuple[str, str, str]]:
    """Name, suite and message of every pair."""
    blocks = re.split(r"^### ", PAIRS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [(name, suite, told.strip()) for name, suite, told in map(_parts, blocks)]


def _parts(block: str) -> tuple[str, str, str]:
    name, _, rest = block.partition("\n")
    suite, _, told = rest.partition("--- is refused:\n")
    return name, suite, told


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SuiteProject:
    """The suite project with a few wrong files more."""
    monkeypatch.syspath_prepend(str(tmp_path))
    project = suite_project(tmp_path)
    project.rows([{"id": "t-1", "message": "a"}], "bare.jsonl")
    project.rows([{"id": "t-1", "mesage": "a", "expected": "b"}], "unfilled.jsonl")
    project.write("prompts/bare/v1.txt", "{{ message }}")
    project.write("prompts/torn/v1.txt", "Answer:\n{{ message")
    project.write("empty.jsonl", "")
    project.write("suite_users_code.py", USERS_CODE)
    project.write("suite_targets.py", TARGETS)
    project.write("suite_broken_code.py", "\n\nraise RuntimeError('no \\x1b[31mlicence')\n")
    project.write("suite_lacking_code.py", "import suite_no_such_module\n")
    project.write("suite_torn_code.py", "def polite(:\n")
    return project


@pytest.mark.parametrize(("suite", "told"), [pytest.param(*pair[1:], id=pair[0]) for pair in pairs()])
def test_a_wrong_suite_is_refused_with_this_text(project: SuiteProject, suite: str, told: str) -> None:
    assert project.refusal(suite) == told
