"""The example of docs/prompts.md, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_promptgate.files.prompts import load_prompt_file
from pytest_promptgate.files.templates import render

PAGE = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text(encoding="utf-8")
_FILE = re.compile(r"^\*\*`(\S+)`\*\*\n\n```jinja\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_RENDERED = re.compile(r"the system message is:\n\n```text\n(.*?)\n```", re.DOTALL)


def test_the_example_of_partials_renders_as_the_page_says(tmp_path: Path) -> None:
    files = _FILE.findall(PAGE)
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    prompt = load_prompt_file(tmp_path / "prompts/helper/v1.prompty", root=tmp_path)

    assert len(files) == 3
    assert [message.content for message in render(prompt, {"topic": "tax law", "message": "Hi."})] == [
        *_RENDERED.findall(PAGE),
        "Hi.",
    ]
