"""The walk of the example's README, command by command, with the output that it quotes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from doc_pages import first_unquoted

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "example_project"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
FRONT_PAGE = (REPOSITORY / "README.md").read_text(encoding="utf-8")
WALK = README.partition("## The walk")[2].partition("## More to try")[0]


def blocks(text: str, language: str) -> list[list[str]]:
    """The lines of the fenced blocks of `language`, in order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block.splitlines() for tongue, block in found if tongue == language]


@pytest.fixture
def example(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A copy of the example project, as a clone would have it, where CI insists on a baseline."""
    ignored = shutil.ignore_patterns(".promptgate", "__pycache__", ".pytest_cache")
    shutil.copytree(EXAMPLE, pytester.path, ignore=ignored, dirs_exist_ok=True)
    monkeypatch.setenv("CI", "true")
    return pytester


def run(example: pytest.Pytester, lines: list[str]) -> pytest.RunResult:
    """Run one block of the README: files to copy, then one pytest command."""
    *copies, command = lines
    for line in copies:
        program, source, target = line.split()
        assert program == "cp"
        shutil.copy(example.path / source, example.path / target)
    program, *arguments = command.split()
    assert program == "pytest"
    return example.runpytest_subprocess(*arguments)


def test_the_walk_of_the_readme(example: pytest.Pytester) -> None:
    start, worse, better, accept = blocks(WALK, "sh")[:4]
    red, green = blocks(WALK, "text")

    assert run(example, start).ret == pytest.ExitCode.OK

    result = run(example, worse)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert first_unquoted("\n".join(red), result.outlines) == ""

    result = run(example, better)
    assert result.ret == pytest.ExitCode.OK
    assert first_unquoted("\n".join(green), result.outlines) == ""

    before = (example.path / "promptgate.lock.json").read_bytes()
    assert run(example, accept).ret == pytest.ExitCode.OK
    assert (example.path / "promptgate.lock.json").read_bytes() != before
    assert run(example, start).ret == pytest.ExitCode.OK


def test_the_front_page_quotes_the_first_red_gate_as_it_is(example: pytest.Pytester) -> None:
    copy = next(line for (line, *_) in blocks(FRONT_PAGE, "sh") if line.startswith("cp "))
    (red,) = blocks(FRONT_PAGE, "text")

    result = run(example, [copy.partition(" && ")[0], "pytest --prompt-evals"])

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert first_unquoted("\n".join(red), result.outlines) == ""


def test_a_worse_prompt_is_refused_as_a_baseline(example: pytest.Pytester) -> None:
    before = (example.path / "promptgate.lock.json").read_bytes()

    result = run(example, [blocks(WALK, "sh")[1][0], "pytest --update-baseline"])

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (example.path / "promptgate.lock.json").read_bytes() == before


def test_the_committed_baseline_asks_nothing(example: pytest.Pytester) -> None:
    result = run(example, ["pytest --prompt-evals"])

    assert [line.strip() for line in result.outlines if " asked" in line] == [
        "62 cases: 62 unchanged, 0 asked",
        "66 cases: 66 unchanged, 0 asked",
    ]


def test_a_baseline_of_the_same_answers_has_the_same_bytes(example: pytest.Pytester) -> None:
    written = [example.path / "promptgate.lock.json", *sorted((example.path / "promptgate.baselines").iterdir())]
    before = [path.read_bytes() for path in written]
    for path in written:
        path.unlink()

    assert run(example, ["pytest --update-baseline"]).ret == pytest.ExitCode.OK
    assert [path.read_bytes() for path in written] == before
