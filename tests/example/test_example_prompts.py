"""The example's prompts are plain Prompty files, whose versions truly differ."""

from __future__ import annotations

from pathlib import Path

import prompty
import pytest

EXAMPLE = Path(__file__).parents[2] / "example_project"
PROMPTS = sorted([*(EXAMPLE / "prompts").rglob("*.prompty"), *(EXAMPLE / "walk").glob("*.prompty")])


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_microsofts_prompty_reads_the_examples_files_unchanged(path: Path) -> None:
    agent = prompty.load(path)
    messages = prompty.prepare(agent, inputs={"company_name": "Fern & Kettle", "message": "Where is my parcel?"})

    assert agent.model is not None
    assert agent.model.id == "nearest-example-1"
    assert [message.role for message in messages[:3]] == ["system", "user", "assistant"]
    assert "Fern & Kettle" in messages[0].text
    assert (messages[-1].role, messages[-1].text) == ("user", "Where is my parcel?")


def test_no_two_versions_are_the_same() -> None:
    texts = [path.read_text(encoding="utf-8") for path in PROMPTS]

    assert len(set(texts)) == len(texts) == 8
