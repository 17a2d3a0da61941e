"""Settings of users' scorers: values held against the annotations of a dataclass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest

from pytest_promptgate.errors import PromptGateError, SuiteError
from pytest_promptgate.files.node import Node
from pytest_promptgate.files.settings import build, in_use
from pytest_promptgate.files.source import read_yaml


class Unit(StrEnum):
    WORDS = "words"
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    first: str = "a"
    count: int = 1
    share: float = 0.5
    flag: bool = False
    unit: Unit = Unit.WORDS
    choice: Literal["x", 3] = "x"
    maybe: int | None = None
    names: tuple[str, ...] = ()
    pair: tuple[int, str] = (1, "a")
    many: Sequence[float] = ()
    listed: list[int] = field(default_factory=list)
    unique: frozenset[str] = frozenset()
    weights: Mapping[str, float] = field(default_factory=dict)
    anything: Any = None
    file: str | None = field(default=None, metadata={"path": True})

    def __call__(self) -> None:
        """Never called here."""


class Plain:
    """No dataclass: takes no settings."""


def built(settings: str, offer: type = Scorer) -> tuple[Any, list[str]]:
    document = read_yaml(f"kind: {settings}", file="a.yaml", error=SuiteError)
    faults: list[PromptGateError] = []
    root = Node(value=document.value, route=(), document=document, faults=faults, error=SuiteError)
    node = root.get("kind")
    assert node is not None
    return build(offer, "mine", node, typed=True, directory=Path("evals")), [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ("{count: 3}", "count", 3),
        ("{share: 1}", "share", 1.0),
        ("{flag: true}", "flag", True),
        ("{unit: lines}", "unit", Unit.LINES),
        ("{choice: 3}", "choice", 3),
        ("{maybe: 4}", "maybe", 4),
        ("{names: [a, b]}", "names", ("a", "b")),
        ("{pair: [2, b]}", "pair", (2, "b")),
        ("{many: [1, 0.5]}", "many", (1.0, 0.5)),
        ("{listed: [1]}", "listed", [1]),
        ("{unique: [a, a]}", "unique", frozenset({"a"})),
        ("{weights: {a: 1}}", "weights", {"a": 1}),
        ("{anything: {a: [1]}}", "anything", {"a": [1]}),
        ("word", "first", "word"),
        ("{file: a/b.json}", "file", str(Path("evals/a/b.json"))),
    ],
)
def test_a_setting_becomes_what_its_field_wants(settings: str, name: str, value: object) -> None:
    scorer, faults = built(settings)

    assert faults == []
    assert getattr(scorer, name) == value
    assert type(getattr(scorer, name)) is type(value)
    assert in_use(scorer) == {name: value}


@pytest.mark.parametrize("settings", ["", "{}", "{first: a, maybe: null, share: 0.5}"])
def test_defaults_are_not_in_use(settings: str) -> None:
    assert in_use(built(settings)[0]) == {}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("{count: 1.5}", "a.yaml:1:8: count must be a whole number, not 1.5"),
        ("{count: true}", "a.yaml:1:8: count must be a whole number, not true"),
        ("{share: '1'}", "a.yaml:1:8: share must be a number, not '1'"),
        ("{flag: yes}", "a.yaml:1:8: flag must be true or false, not 'yes'"),
        ("{unit: pages}", "a.yaml:1:8: unit must be 'words' or 'lines', not 'pages'"),
        ("{choice: '3'}", "a.yaml:1:8: choice must be 'x' or 3, not '3'"),
        ("{maybe: x}", "a.yaml:1:8: maybe must be a whole number or null, not 'x'"),
        ("{names: a}", "a.yaml:1:8: names must be a list of text, not 'a'"),
        ("{names: [a, 1]}", "a.yaml:1:8: names must be a list of text, not a list"),
        ("{pair: [1]}", "a.yaml:1:8: pair must be a list of a whole number and text, not a list"),
        ("{many: 1}", "a.yaml:1:8: many must be a list of a number, not 1"),
        ("{weights: [a]}", "a.yaml:1:8: weights must be a mapping, not a list"),
        ("3", "a.yaml:1:1: first must be text, not 3"),
        (
            "{cuont: 1}",
            (
                "a.yaml:1:8: unknown setting 'cuont' of mine\n  Did you mean 'count'? Settings: anything, choice, "
                "count, file, first, flag, listed, many, maybe, names, pair, share, unique, unit, weights."
            ),
        ),
    ],
)
def test_a_wrong_setting_is_told(settings: str, told: str) -> None:
    assert built(settings) == (None, [told])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("{a: 1}", "a.yaml:1:8: unknown setting 'a' of mine\n  It takes none."),
        ("word", "a.yaml:1:1: kind must be a mapping of settings, not 'word'"),
    ],
)
def test_a_class_that_is_no_dataclass_takes_no_settings(settings: str, told: str) -> None:
    assert built(settings, Plain) == (None, [told])
    assert isinstance(built("{}", Plain)[0], Plain)
