"""The suites, rubrics and settings that README.md and the pages of docs/ show are read as they stand there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from doc_pages import Block, blocks
from suite_project import SuiteProject

from pytest_promptgate.errors import SuiteError
from pytest_promptgate.files.config import load_config
from pytest_promptgate.files.source import read_yaml
from pytest_promptgate.scorers.offers import promptgate_scorers

READ = ("gate_options.md", "judges.md", "large_suites.md", "statistics.md", "targets.md")
# Another name than the page's, since an imported module stays.
TARGET = "doc_suites_support.agent"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SuiteProject:
    """What the examples of all pages name."""
    project = SuiteProject(root=tmp_path, offers=promptgate_scorers())
    rows = [
        {
            **{name: f"{name} {number}" for name in ("message", "text", "question", "ideal_reply", "document")},
            "id": f"t-{number}",
            "says": ["first", "second"],
            "expected": "billing",
            "locale": "en",
            "language": ("en", "de")[number % 2],
            "tier": "gold",
            "tags": ["safety"],
        }
        for number in range(1, 61)
    ]
    for name in ("mails", "rows", "support", "conversations"):
        project.rows(rows, f"datasets/{name}.jsonl")
    for name in ("triage", "support-triage"):
        project.write(f"prompts/{name}/v1.prompty", PROMPT.replace("triage", name))
    for block in blocks("docs/judges.md"):
        if path := rubric_of(block):
            project.write(path, block.text)
    (target,) = [block.text for block in blocks("docs/targets.md") if block.language == "python"]
    project.write(f"{TARGET.replace('.', '/')}.py", target)
    monkeypatch.syspath_prepend(tmp_path)
    return project


PROMPT = """---
name: triage
model: gpt-4o-2024-11-20
inputs: [{name: message, kind: string}]
---
user:
{{ message }}
"""
LEAST = {
    "prompt": "triage",
    "dataset": "../datasets/mails.jsonl",
    "scorers": {"right": "exact_match"},
    "metrics": {"accuracy": "mean(right)"},
}
CONFIG = {"judges", "model_data", "prices", "providers"}


def examples(block: Block) -> list[str]:
    """The examples of a block: a key that comes again begins another one."""
    found: list[list[str]] = [[]]
    for line in block.text.splitlines():
        key = re.match(r"\w+:", line)
        if key and any(each.startswith(key[0]) for each in found[-1]):
            found.append([])
        found[-1].append(line)
    return ["\n".join(lines) + "\n" for lines in found]


YAML = [block for page in READ for block in blocks(f"docs/{page}") if block.language == "yaml"]


@pytest.mark.parametrize("block", YAML, ids=str)
def test_every_example_is_read(block: Block, project: SuiteProject) -> None:
    for text in examples(block):
        given = read_yaml(text, file="page", error=SuiteError).value
        assert isinstance(given, dict)
        if given.keys() <= CONFIG:
            load_config(project.write("promptgate.yaml", text), kinds=("openai", "azure", "embedded"))
        elif "criterion" in given:
            assert project.refusal(suite({"scorers": {"it": graded(block)}, "metrics": {"mean": "mean(it)"}})) == ""
        else:
            assert project.refusal(suite(given, text.replace("support.agent", TARGET))) == ""


def suite(given: Mapping[str, object], text: str = "") -> str:
    """A suite with what an example gives; the rest is as in the least one."""
    missing = {key: value for key, value in LEAST.items() if key not in given}
    if "target" in given:
        del missing["prompt"]
    if "scorers" in given:
        missing.pop("metrics", None)
    return (text or yaml.safe_dump(dict(given))) + (yaml.safe_dump(missing) if missing else "")


def graded(block: Block) -> dict[str, object]:
    """The scorer that reads the rubric of a block; the comment on top says where it stands."""
    kind = "judge" if "scale:" in block.text.partition("\n")[2] else "compare"
    return {kind: {"rubric": rubric_of(block).removeprefix("evals/")}}


def rubric_of(block: Block) -> str:
    """The path of a rubric, "" if the block is none."""
    found = re.match(r"# (evals/rubrics/\w+\.yaml)", block.text)
    return found[1] if found else ""


@pytest.fixture
def front_page(tmp_path: Path) -> SuiteProject:
    """The files that README.md shows."""
    project = SuiteProject(root=tmp_path, offers=promptgate_scorers())
    for block in blocks("README.md"):
        if block.file:
            project.write(block.file, block.text)
    return project


def test_the_files_of_the_front_page_are_a_project(front_page: SuiteProject) -> None:
    (path,) = front_page.root.glob("evals/*")

    assert front_page.refusal(path.read_text(encoding="utf-8"), path=f"evals/{path.name}") == ""


def test_the_program_of_the_front_page_sends_the_prompt(
    front_page: SuiteProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(front_page.root)
    client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=dict)))
    (program,) = [block.text for block in blocks("README.md") if block.language == "python"]
    scope: dict[str, Any] = {"client": client}

    exec(program, scope)

    assert scope["answer"]["messages"][-1] == {"role": "user", "content": "I was charged twice"}
