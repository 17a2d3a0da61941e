"""Scorers whose packages are not installed are refused before the first call, with the command that mends it."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pytest_promptgate.scorers.extras import check_installed
from pytest_promptgate.scorers.offers import promptgate_scorers

NEEDS = [
    ("edit_similarity", {}, "rapidfuzz", "text"),
    ("bleu", {}, "sacrebleu", "nlg"),
    ("chrf", {}, "sacrebleu", "nlg"),
    ("rouge_l", {}, "rouge_score", "nlg"),
    ("rouge_l", {}, "rapidfuzz", "nlg"),
    ("sql_match", {}, "sqlglot", "sql"),
    ("language", {"wanted": "de"}, "py3langid", "language"),
]


@pytest.mark.parametrize(("kind", "settings", "package", "extra"), NEEDS)
def test_a_missing_package_is_told_with_its_extra(
    kind: str, settings: dict[str, Any], package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not there
    offer: Any = promptgate_scorers()[kind]
    with pytest.raises(ValueError) as told:
        offer(**settings)
    assert str(told.value) == (f"the package {package} is not installed. Run: pip install 'pytest-promptgate[{extra}]'")


def test_a_package_is_looked_for_and_not_imported() -> None:
    with pytest.raises(ValueError) as told:
        check_installed("text", "sys", "no_such_package_of_ours")
    assert str(told.value) == (
        "the package no_such_package_of_ours is not installed. Run: pip install 'pytest-promptgate[text]'"
    )


def test_every_extra_is_declared() -> None:
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for _, _, package, extra in NEEDS:
        assert any(each.startswith(package.replace("_", "-")) for each in declared[extra]), (package, extra)
