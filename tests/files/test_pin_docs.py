"""What docs/pins.md and docs/migrating_models.md say is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_promptgate.cli.main import main
from pytest_promptgate.core.pin_rules import RULES
from pytest_promptgate.errors import PromptGateError, SuiteError
from pytest_promptgate.files.config import load_config
from pytest_promptgate.files.node import Node
from pytest_promptgate.files.source import read_yaml
from pytest_promptgate.files.suite_models import read_slots
from pytest_promptgate.plugin import OPTIONS, REPEATED

DOCS = Path(__file__).parents[2] / "docs"
PINS, MIGRATING = ((DOCS / name).read_text(encoding="utf-8") for name in ("pins.md", "migrating_models.md"))
BLOCKS = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PINS, re.DOTALL)
CONSOLE = re.findall(r"^\$ (.+)$", PINS + MIGRATING, re.MULTILINE)


def test_the_page_names_every_family() -> None:
    assert [family for family in RULES if f"`{family}`" not in PINS] == ["embedded"]


@pytest.mark.parametrize(("name", "text"), [each for each in BLOCKS if each[0] == "promptgate.yaml"])
def test_every_promptgate_yaml_of_the_page_is_read(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "model_prices.json").write_text("{}", encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert load_config(tmp_path / name, kinds=("openai", "azure", "embedded")) is not None


@pytest.mark.parametrize("text", [text for name, text in BLOCKS if name.startswith("evals/")])
def test_every_model_of_the_page_is_a_pin(text: str, tmp_path: Path) -> None:
    (tmp_path / "promptgate.yaml").write_text(
        next(each for _, each in BLOCKS if "providers:" in each), encoding="utf-8"
    )
    providers = load_config(tmp_path / "promptgate.yaml", kinds=("openai",)).providers
    document, faults = read_yaml(text, file="page", error=SuiteError), list[PromptGateError]()

    slots = read_slots(
        Node(value=document.value, route=(), document=document, faults=faults, error=SuiteError), None, providers
    )

    assert (faults, len(slots)) == ([], 1)


@pytest.mark.parametrize("line", CONSOLE)
def test_every_command_of_the_pages_is_there(line: str) -> None:
    program, *words = line.split()
    flags = {word for word in words if word.startswith("--")}
    if program == "pytest":
        assert flags <= {option[0] for option in (*OPTIONS, *REPEATED)}
    else:
        known = main.commands[words[0]].params
        assert flags <= {name for parameter in known for name in parameter.opts}
