"""docs/suite_format.md: every example is read, and every key of the schema is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from suite_project import SuiteProject

from pytest_promptgate.scorers.offers import promptgate_scorers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_promptgate.core.types import Json

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/suite_format.md").read_text(encoding="utf-8")
SCHEMA = json.loads((REPOSITORY / "pytest_promptgate/schemas/suite.schema.json").read_text(encoding="utf-8"))
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LEAST = yaml.safe_load(EXAMPLES[0])

PROMPT = """---
name: triage
model: gpt-4o-2024-11-20
inputs:
  - {name: company, kind: string, default: Acme}
  - {name: message, kind: string, required: true}
---
user:
{{ company }}: {{ message }}
"""
TONE = "criterion: Is it kind?\nmodel: gpt-4o-2024-11-20\nscale: {no: 0, yes: 1}\n"
BETTER = "criterion: Which is kinder?\nmodel: gpt-4o-2024-11-20\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SuiteProject:
    """What the page's examples name."""
    project = SuiteProject(root=tmp_path, offers=promptgate_scorers())
    project.write("prompts/triage/v1.prompty", PROMPT)
    project.write("evals/rubrics/tone.yaml", TONE)
    project.write("evals/rubrics/better.yaml", BETTER)
    project.write("suite_format_shop/__init__.py", "")
    project.write("suite_format_shop/agent.py", "def answer(message, company=''):\n    return message\n")
    monkeypatch.syspath_prepend(tmp_path)
    rows: list[dict[str, Json]] = [
        {
            "id": f"t-{number}",
            "message": f"message {number}",
            "text": f"text {number}",
            "asked": ["first", "second"],
            "expected": "billing",
            "queue": "billing",
            "language": ["en", "de"][number % 2],
            "score": number,
            "tags": ["safety"],
        }
        for number in range(1, 61)
    ]
    project.rows(rows, "datasets/rows.jsonl")
    return project


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_every_example_of_the_page_is_read(example: str, project: SuiteProject) -> None:
    text = example.replace("shop.agent", "suite_format_shop.agent")
    given = yaml.safe_load(text)
    # What an example leaves out is as in the first one.
    missing = {key: value for key, value in LEAST.items() if key not in given}
    if "target" in given:
        del missing["prompt"]

    assert project.refusal(text + (yaml.safe_dump(missing) if missing else "")) == ""


def keys(node: Json) -> Iterator[str]:
    """The names of all properties below a schema."""
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from (key for key, value in properties.items() if value is not False)
        for each in node.values():
            yield from keys(each)
    elif isinstance(node, list):
        for each in node:
            yield from keys(each)


def test_the_page_names_every_key_of_the_schema() -> None:
    named = set(re.findall(r"`([a-z_]+)\b", PAGE))

    assert {*keys(SCHEMA)} - named == set()


def test_every_key_stands_in_an_example() -> None:
    words = set(re.findall(r"\b([a-z_]+):", "\n".join(EXAMPLES)))
    alone = {"last_line"}  # written as a value

    assert {*keys(SCHEMA)} - words - alone == set()
