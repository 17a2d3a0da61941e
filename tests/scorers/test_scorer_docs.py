from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from suite_project import SuiteProject

from pytest_promptgate.core.nesting import leaves
from pytest_promptgate.core.ports import Judge
from pytest_promptgate.errors import PromptGateError, SuiteError
from pytest_promptgate.files.node import Node
from pytest_promptgate.files.source import read_yaml
from pytest_promptgate.files.suite_scorers import read_scorers
from pytest_promptgate.scorers.extraction import STEPS
from pytest_promptgate.scorers.offers import promptgate_scorers
from pytest_promptgate.scorers.refusals import PHRASES

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = (Path(__file__).parents[2] / "docs" / "scorers.md").read_text(encoding="utf-8")
EXAMPLES = [each for each in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "my_package" not in each]
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
# Those that the page of judges describes.
HERE = sorted({*promptgate_scorers()} - {"compare"})


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_is_read(example: str, tmp_path: Path) -> None:
    project = SuiteProject(root=tmp_path, offers=promptgate_scorers())
    document = read_yaml(example, file="page.yaml", error=SuiteError)
    faults: list[PromptGateError] = []
    root = Node(value=document.value, route=(), document=document, faults=faults, error=SuiteError)
    scorers = read_scorers(root, project.context(), tmp_path)
    assert [str(fault) for fault in faults] == []
    assert all(callable(leaf) or isinstance(leaf, Judge) for scorer in scorers for leaf in leaves(scorer.scorer))


@pytest.mark.parametrize("name", HERE)
def test_the_page_describes_every_setting(name: str) -> None:
    offer: Any = promptgate_scorers()[name]
    for setting in dataclasses.fields(offer):
        assert f"| `{setting.name}` |" in SECTIONS[name]


@pytest.mark.parametrize("name", HERE)
def test_the_table_names_every_scorer(name: str) -> None:
    assert f"[`{name}`](#{name})" in PAGE


def test_the_page_names_every_way_to_extract_and_its_settings() -> None:
    rows: Sequence[str] = re.findall(r"^\| .*\|$", PAGE, re.MULTILINE)
    for name, step in STEPS.items():
        (line,) = [each for each in rows if re.match(rf"\| `\{{?{name}\b", each)]
        fields: Any = dataclasses.fields(step)
        assert all(f"`{each.name}`" in line for each in fields if each.init), name


def test_the_page_names_the_languages_of_refusals() -> None:
    for code in PHRASES:
        assert f"`{code}`" in SECTIONS["refusal"]
