"""docs/lint.md: each code's example is run, and says what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from cli_world import CliProject
from front_project import QUIET_PLUGINS

from pytest_promptgate.core.lint import CODES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
SECTIONS: dict[str, tuple[str, str]] = {
    code: (title, body)
    for code, title, body in re.findall(r"^### (PG\d+): (.*?)\n(.*?)(?=^### |\Z)", PAGE, re.DOTALL | re.MULTILINE)
}
_FILE = re.compile(
    r"^`([^`\n]+)`(?:, with `promptgate lint ([^`\n]+)`)?:\n\n```\w+\n(.*?)```\n", re.DOTALL | re.MULTILINE
)
_SAID = re.compile(r"^```text\n(.*?)```\n", re.DOTALL | re.MULTILINE)


def test_the_page_has_every_code_with_its_title() -> None:
    assert {code: title for code, (title, _) in SECTIONS.items()} == {code: title for code, (_, title) in CODES.items()}


@pytest.mark.parametrize("code", sorted(SECTIONS.keys() - {"PG801"}))
def test_the_example_of_a_code_says_what_the_page_says(project: CliProject, code: str) -> None:
    body = SECTIONS[code][1]
    paths: list[str] = []
    for name, asked, text in _FILE.findall(body):
        project.write(name, text)
        paths += asked.split()
    (said,) = _SAID.findall(_FILE.sub("", body))

    lines = project.cli("lint", *paths).out.splitlines()

    assert [line for line in lines if f" {code} " in line] == said.splitlines()


def test_the_example_project_has_no_findings(project: CliProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "example_project")
    monkeypatch.setenv("PYTEST_ADDOPTS", f"{' '.join(QUIET_PLUGINS)} -p no:cacheprovider")

    assert re.fullmatch(r"no findings in \d+ files\n", project.cli("lint").out)


def test_the_hook_of_pre_commit_takes_what_lint_reads() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    ours = (
        "prompts/p/v1.txt",
        "sub/prompts/p/v2.yaml",
        "a.prompty",
        "evals/t.eval.yaml",
        "promptgate.yaml",
        "datasets/a.jsonl",
        "rubrics/t.yaml",
    )

    assert hook["entry"] == "promptgate lint"
    assert [path for path in (*ours, "README.md", "src/prompts.py", "t.yaml") if re.search(hook["files"], path)] == [
        *ours
    ]
