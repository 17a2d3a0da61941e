"""`embedding_similarity` of a suite, as it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from suite_project import SuiteProject, suite_project

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "evals/triage.eval.yaml:3:"
OPENAI = "{id: openai/text-embedding-3-small, pinned: true}"


@pytest.fixture
def project(tmp_path: Path) -> SuiteProject:
    """The suite project."""
    return suite_project(tmp_path)


def written(settings: str) -> str:
    return f"prompt: triage\ndataset: ../rows.jsonl\nscorers: {{close: {{embedding_similarity: {settings}}}}}\n"


def fingerprint(project: SuiteProject, settings: str) -> str:
    return project.load(written(settings)).scorers[0].fingerprint


def test_its_model_stands_in_its_fingerprint(project: SuiteProject) -> None:
    same = fingerprint(project, f"{{model: {OPENAI}}}")
    others = {
        fingerprint(project, settings)
        for settings in (
            "{model: embedded/hashed-words-1}",
            "{model: {id: openai/text-embedding-3-large, pinned: true}}",
            f"{{model: {OPENAI}, expected: text}}",
            "{model: {id: openai/text-embedding-3-small, pinned: true, "
            "parameters: {additionalProperties: {dimensions: 256}}}}",
        )
    }

    assert fingerprint(project, "embedded/hashed-words-1") in others
    assert len(others) == 4
    assert same not in others


def test_a_rows_digest_covers_the_text_that_is_compared_with(project: SuiteProject) -> None:
    settings = written("{model: embedded/hashed-words-1, expected: text}")
    before = project.load(settings).cases[0].digest
    project.rows([{"id": "t-1", "message": "a", "text": "other", "expected": "tech", "queue": "tech"}])

    assert project.load(settings).cases[0].digest != before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "{expected: text}",
            f"{PLACE}19: embedding_similarity has no model\n"
            "  It has a pin of its own: `{embedding_similarity: {model: provider/id, expected: reference}}`.",
        ),
        (
            "{model: text-embedding-3-small}",
            f"{PLACE}42: cannot tell whether openai/text-embedding-3-small is one fixed snapshot: no rule tells\n"
            "  If you know that it never moves, give your word: {id: openai/text-embedding-3-small, pinned: true}.",
        ),
        (
            "{model: embedded/hashed-words-1, threshold: 0.8}",
            f"{PLACE}74: unknown key 'threshold' in scorers.close.embedding_similarity\n  Known keys: expected, model.",
        ),
        (
            "{model: embedded/hashed-words-1, expected: 7}",
            f"{PLACE}74: scorers.close.embedding_similarity.expected must be the name of a column or of a key of the "
            "row's expected value, not 7",
        ),
        (
            "{model: embedded/hashed-words-1, expected: absent}",
            f"{PLACE}19: close compares with 'absent', which no row has\n"
            "  Columns: expected, id, language, message, queue, score, tags, text.",
        ),
    ],
)
def test_what_is_refused(project: SuiteProject, settings: str, message: str) -> None:
    assert project.refusal(written(settings)) == message


def test_it_stands_by_itself(project: SuiteProject) -> None:
    text = "prompt: triage\ndataset: ../rows.jsonl\nscorers: [{not: {embedding_similarity: embedded/hashed-words-1}}]\n"

    assert project.refusal(text) == (
        f"{PLACE}12: not: embedding_similarity asks a model, so it stands by itself under scorers; "
        "name its metric there"
    )
