"""Which suites a change may touch: in doubt a suite runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_promptgate.core.affected import Reads, reasons, selection_lines

TRIAGE = Reads(
    suite="triage",
    path="evals/triage.eval.yaml",
    prompts="prompts/triage/",
    data=frozenset({"data/mails.jsonl", "rubrics/tone.yaml"}),
)
ORDERS = Reads(
    suite="orders", path="evals/orders.eval.yaml", prompts="prompts/orders/", data=frozenset({"data/orders.jsonl"})
)


def touched(*changed: str, triage: Reads = TRIAGE, orders: Reads = ORDERS) -> list[str]:
    """The suites that run when these files have changed."""
    found = reasons([triage, orders], changed, prompts="prompts/")
    return [suite for suite, why in found.items() if why]


@pytest.mark.parametrize(
    "name",
    [
        "evals/triage.eval.yaml",
        "prompts/triage/v2.prompty",
        "prompts/triage/v9.prompty",
        "data/mails.jsonl",
        "rubrics/tone.yaml",
    ],
)
def test_a_file_of_one_suite_concerns_that_suite_alone(name: str) -> None:
    assert touched(name) == ["triage"]
    assert reasons([TRIAGE], [name], prompts="prompts/") == {"triage": f"{name} changed"}


@pytest.mark.parametrize(
    "name",
    [
        "promptgate.yaml",
        "pyproject.toml",
        "requirements.txt",
        "conftest.py",
        "evals/conftest.py",
        "prompts/footer.md",
        "prompts/triage/greeting.md",
        "prompts/triage/parts/v1.prompty",
        "prompts/_partials/footer.txt",
        "data/other.jsonl",
        ".github/workflows/gate.yml",
    ],
)
def test_a_file_of_nobody_may_concern_every_suite(name: str) -> None:
    assert touched(name) == ["triage", "orders"]
    assert reasons([TRIAGE], [name], prompts="prompts/")["triage"] == f"{name} changed, and any suite may read it"


@pytest.mark.parametrize("name", ["app/server.py", "README.md", "docs/page.rst", "evals/gone.eval.yaml"])
def test_code_and_documents_concern_no_suite_without_code(name: str) -> None:
    assert touched(name) == []


@pytest.mark.parametrize("name", ["app/server.py", "README.md", "data/orders.jsonl"])
def test_code_that_takes_part_may_read_anything_but_other_suites_and_prompts(name: str) -> None:
    judged = replace(TRIAGE, code="app.scorers:polite")

    assert "triage" in touched(name, triage=judged)
    assert reasons([judged, ORDERS], [name], prompts="prompts/")["triage"] == (
        f"{name} changed, and app.scorers:polite may read it"
    )
    assert touched("prompts/orders/v2.prompty", "evals/orders.eval.yaml", triage=judged) == ["orders"]


def test_a_target_may_read_everything() -> None:
    target = replace(TRIAGE, prompts="", code="the target app:answer", target=True)

    assert touched("prompts/orders/v2.prompty", triage=target) == ["triage", "orders"]
    assert touched(triage=target) == []


def test_a_directory_that_a_suite_names_is_read_whole() -> None:
    assert touched("data/cases/a.json", triage=replace(TRIAGE, data=frozenset({"data/cases/"}))) == ["triage"]
    assert touched("data/mails.jsonl.bak") == ["triage", "orders"]


def test_doubt_runs_a_suite_though_nothing_has_changed() -> None:
    assert reasons([replace(TRIAGE, doubt="main has no baseline of it")], [], prompts="prompts/") == {
        "triage": "main has no baseline of it"
    }


def test_the_choice_is_told_in_one_line() -> None:
    why = {"a": "x changed", "b": "", "c": "x changed"}

    assert selection_lines(why, "main", verbose=False) == (
        "prompt evals: 2 of 3 suites run: a, c changed since main; 1 skipped (unchanged)",
    )
    assert selection_lines({"a": ""}, "main", verbose=True) == (
        "prompt evals: 0 of 1 suite run: nothing that they may read has changed since main",
        "  a: skipped: unchanged",
    )
    assert selection_lines({f"s{n}": "x" for n in range(10)}, "main", verbose=False) == (
        "prompt evals: 10 of 10 suites run: s0, s1, s2, s3, s4, s5, s6, s7 and 2 more changed since main",
    )
