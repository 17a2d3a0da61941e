"""Markers of test functions, as they are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from suite_project import ROWS, SuiteProject, suite_project

from pytest_promptgate.core.plan import plan
from pytest_promptgate.core.targets import arguments_of
from pytest_promptgate.core.types import Case, Completion, Score
from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.python_suite import Marked, for_slot, load_marked
from pytest_promptgate.files.templates import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_promptgate.core.types import Suite

RIGHT = {"dataset": "../rows.jsonl", "scorers": ["exact_match"]}
ACCEPTED = "  A marker takes what a suite file can hold: text, numbers, lists, mappings; and callables as scorers."


def answer(case: dict[str, Any], model: str = "") -> str:
    return str(case["text"]) + model


def nothing() -> None: ...


def several(case: dict[str, Any]) -> Iterator[str]:
    yield str(case)


async def later(case: dict[str, Any]) -> Any:
    yield str(case)


def polite(completion: Completion, case: Case) -> bool:
    return "please" in completion.text and bool(case.id)


@dataclass(frozen=True)
class Shorter:
    than: int = 10

    def __call__(self, completion: Completion, case: Case) -> Score:
        return Score(value=float(len(completion.text) < self.than and bool(case.id)))


@pytest.fixture
def project(tmp_path: Path) -> SuiteProject:
    return suite_project(tmp_path)


def marked(
    project: SuiteProject,
    keywords: dict[str, Any],
    function: Callable[..., Any] = answer,
    combinations: Sequence[str] = ("",),
) -> Suite:
    found = Marked(
        path=project.root / "tests" / "test_it.py",
        line=7,
        name="test_router",
        function=function,
        keywords=keywords,
        combinations=combinations,
    )
    return load_marked(found, project.context())


def refusal(project: SuiteProject, keywords: dict[str, Any], **more: Any) -> str:
    with pytest.raises(PromptGateError) as caught:
        marked(project, keywords, **more)
    return str(caught.value)


def test_the_function_gets_the_row_without_expected_and_tags(project: SuiteProject) -> None:
    suite = marked(project, RIGHT)

    row = {name: value for name, value in ROWS[0].items() if name != "expected"}
    assert arguments_of(plan(suite, "default", render=render).trials[0].request) == row
    assert (suite.name, suite.path, suite.rule) == ("test_router", "tests/test_it.py", "confirm")
    assert str(suite.slots["default"]) == "target/tests/test_it.py:test_router"
    assert not suite.storable


def test_each_combination_is_a_slot_with_requests_of_its_own(project: SuiteProject) -> None:
    suite = marked(project, {**RIGHT, "version": 3, "suite": "mine"}, combinations=["a", "b/x::[2]"])

    assert list(suite.slots) == ["a", "b/x-2"]
    digests = {plan(suite, slot, render=render).trials[0].digest for slot in suite.slots}
    assert len(digests) == 2
    target = for_slot(suite, "b/x-2", polite).prompt.target
    assert target is not None
    assert (target.reference, target.call, target.version) == ("tests/test_it.py:test_router[b/x-2]", polite, "3")
    assert suite.storable


def test_scorers_may_be_callables_and_their_settings_and_source_are_their_identity(project: SuiteProject) -> None:
    def fingerprints(scorers: object) -> dict[str, str]:
        return {each.name: each.fingerprint for each in marked(project, {**RIGHT, "scorers": scorers}).scorers}

    assert list(fingerprints([polite, Shorter(), "exact_match"])) == ["polite", "Shorter", "exact_match"]
    found = fingerprints(
        {"a": Shorter(than=3), "b": Shorter(than=4), "c": Shorter(than=3), "d": Shorter, "e": Shorter()}
    )
    assert found["a"] == found["c"] != found["b"]
    assert found["d"] == found["e"]


def test_paths_start_at_the_test_file(project: SuiteProject) -> None:
    project.write("tests/own.jsonl", json.dumps({"id": "o-1", "expected": "x"}))

    assert [case.id for case in marked(project, {**RIGHT, "dataset": Path("own.jsonl")}).cases] == ["o-1"]


@pytest.mark.parametrize(
    ("keywords", "more", "told"),
    [
        (
            {**RIGHT, "gat": {}},
            {},
            "tests/test_it.py:7: unknown key 'gat' in the marker\n  Did you mean 'gate'? Known keys: dataset, extract, "
            "gate, metrics, must_pass, outputs, samples, scorers, slices, smoke, suite, timeout_s, version.",
        ),
        (
            {**RIGHT, "model": "gpt-4o"},
            {},
            "tests/test_it.py:7: the marker takes no prompt, target, model, inputs, constants or turns\n  The function "
            'is what is asked: it gets the row as `case`; models are stacked: `parametrize("model", […])`.',
        ),
        (
            {"scorers": ["exact_match"]},
            {},
            "tests/test_it.py:7: the suite has no dataset\n"
            "  Add `dataset: ../datasets/NAME.jsonl`; the path starts at this file.",
        ),
        (
            {**RIGHT, "gate": {"exact_match": {"tolerance": "x"}}},
            {},
            "tests/test_it.py:7: gate.exact_match.tolerance must be a number >= 0 or a share such as 5%, not 'x'",
        ),
        (
            RIGHT,
            {"function": nothing},
            "tests/test_it.py:7: test_router takes no argument `case`\n  Write `def test_router(case, …)`: it is the row.",
        ),
        (
            RIGHT,
            {"function": several},
            "tests/test_it.py:7: test_router is a generator\n"
            "  Return what is to be scored; set things up in a fixture.",
        ),
        (
            RIGHT,
            {"function": later},
            "tests/test_it.py:7: test_router is a generator\n"
            "  Return what is to be scored; set things up in a fixture.",
        ),
        (
            RIGHT,
            {"combinations": ["a b", "a-b", "c"]},
            "tests/test_it.py:7: the parameter ids 'a b', 'a-b' cannot be told apart in node ids\n  Each is a model slot "
            "with its own baseline: name them with `ids=` or `pytest.param(…, id=…)`.",
        ),
        (
            {**RIGHT, "scorers": {"q": {1, 2}}},
            {},
            f"tests/test_it.py:7: scorers.q cannot be a set\n{ACCEPTED}",
        ),
        (
            {**RIGHT, "samples": float("nan"), "gate": polite},
            {},
            f"tests/test_it.py:7: samples cannot be nan\n{ACCEPTED}\n"
            f"tests/test_it.py:7: gate cannot be a function\n{ACCEPTED}",
        ),
        (
            {**RIGHT, "version": [1]},
            {},
            "tests/test_it.py:7: version must be text, not a list\n"
            '  Write `version: "1"`, and raise it with every change.',
        ),
    ],
)
def test_a_wrong_marker_is_refused_with_this_text(
    project: SuiteProject, keywords: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    assert refusal(project, keywords, **more) == told
