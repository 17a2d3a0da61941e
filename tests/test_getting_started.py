"""docs/getting_started.md, step by step, with the output that it quotes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pytest_promptgate.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[1] / "docs/getting_started.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RED, BETTER = (text.splitlines() for language, text in BLOCKS if language == "text")
EXAMPLE = "user:\nI sent the parcel back, where is my money?\n\nassistant:\nbilling\n\n"


@pytest.fixture
def started(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The project of `promptgate init`."""
    monkeypatch.delenv("CI", raising=False)
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    return pytester


def run(started: pytest.Pytester, *args: str) -> pytest.RunResult:
    return started.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio", *args)


def quoted(result: pytest.RunResult, lines: list[str]) -> bool:
    """Whether all `lines` stand in the output, in this order."""
    rest: Iterator[str] = (line.rstrip() for line in result.outlines)
    return all(line.rstrip() in rest for line in lines)


def test_the_steps_of_the_page_print_what_it_quotes(started: pytest.Pytester) -> None:
    assert run(started, "--update-baseline").ret == pytest.ExitCode.OK
    first = (started.path / "prompts/triage/v1.prompty").read_text()
    second = started.path / "prompts/triage/v2.prompty"
    (more,) = [text for _, text in BLOCKS if text.startswith("user:")]

    second.write_text(first.replace(EXAMPLE, ""))
    red = run(started, "--prompt-evals")
    second.write_text(first.replace(EXAMPLE, f"{EXAMPLE}{more}\n"))
    better = run(started, "--prompt-evals")

    assert red.ret == pytest.ExitCode.TESTS_FAILED
    assert quoted(red, RED)
    assert better.ret == pytest.ExitCode.OK
    assert quoted(better, BETTER)


def test_the_code_for_production_runs(started: pytest.Pytester) -> None:
    (code,) = [text for language, text in BLOCKS if language == "python"]
    scope: dict[str, object] = {}

    exec(code, scope)

    assert getattr(scope["rendered"], "model", "") == "nearest-example-1"
