from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_promptgate.scorers.offers import promptgate_scorers

PAGE = (Path(__file__).parents[2] / "docs" / "scorers.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_is_a_scorer(example: str) -> None:
    scorers: Any = yaml.safe_load(example)["scorers"]
    for entry in scorers.values() if isinstance(scorers, dict) else scorers:
        if isinstance(entry, str):
            assert ":" in entry
            continue
        ((kind, settings),) = entry.items()
        offer: Any = promptgate_scorers()[kind]
        first = dataclasses.fields(offer)[0].name
        assert offer(**(settings if isinstance(settings, dict) else {first: settings}))


@pytest.mark.parametrize("name", sorted(promptgate_scorers()))
def test_the_page_describes_every_setting(name: str) -> None:
    offer: Any = promptgate_scorers()[name]
    for setting in dataclasses.fields(offer):
        assert f"| `{setting.name}` |" in SECTIONS[name]
