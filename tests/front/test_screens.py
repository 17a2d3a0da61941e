"""What stands on a screen of 80 columns when a run is over, kept as it was looked at: ``screens/*.txt``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from front_project import SUITE, Project

from pytest_promptgate.files.run_file import read_run
from pytest_promptgate.reports.markdown import markdown

SCREENS = Path(__file__).parent / "screens"
MOODY = (
    "from pytest_promptgate import Score, Unscored, hookimpl\n"
    "def moody(completion, case):\n"
    "    return Unscored(reason='hm') if case.id in ('c-02', 'c-03') else Score(value=1)\n"
    "@hookimpl\n"
    "def promptgate_scorers():\n"
    "    return {'moody': moody}\n"
)
CTRL_C = "def pytest_runtest_call(item):\n    if 'c-05' in item.name:\n        raise KeyboardInterrupt\n"


def first(project: Project) -> None:
    project.standard()


def green(project: Project) -> None:
    project.standard()
    project.accept()


def red(project: Project) -> None:
    green(project)
    project.worse()


def inconclusive(project: Project) -> None:
    project.standard()
    project.write("conftest.py", MOODY)
    project.suite(SUITE.replace("exact_match", "moody"))


def interrupted(project: Project) -> None:
    project.standard()
    project.write("conftest.py", CTRL_C)


STATES: dict[str, Callable[[Project], None]] = {
    each.__name__: each for each in (first, green, red, inconclusive, interrupted)
}


def closing(result: pytest.RunResult) -> str:
    """The output from our section on, without times and places that differ from machine to machine."""
    text = "\n".join(result.stdout.lines)
    text = text[text.index("= prompt evals =") :].partition("\n")[2]
    text = re.sub(r"^\S+:\d+: KeyboardInterrupt$", "PLACE: KeyboardInterrupt", text, flags=re.MULTILINE)
    return re.sub(r"=+ ((?:no|\d).*) in [\d.]+s =+", r"=== \1 in TIME ===", text).strip() + "\n"


@pytest.mark.parametrize("state", STATES)
def test_the_end_of_a_run_says_what_it_came_to_on_one_screen(
    project: Project, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    STATES[state](project)

    shown = closing(project.run_apart("--prompt-evals", "--prompt-report", "run.json"))
    top = markdown(read_run(project.root / "run.json")).partition("\n")[0]

    assert shown == (SCREENS / f"{state}.txt").read_text(encoding="utf-8")
    assert len(shown.splitlines()) <= 22
    assert shown.replace("\n  ", " ").startswith(top.removeprefix("## ").partition(" ")[2])
