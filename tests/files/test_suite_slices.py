"""``slices:`` that are gated, and ``dataset: {cluster: …}``: what they mean, and how wrong ones are refused."""

from __future__ import annotations

import importlib.resources
import json
from typing import TYPE_CHECKING

import jsonschema
import pytest
from suite_project import LEAST, SuiteProject, suite_project

from pytest_promptgate.core.types import MetricGate, Tolerance
from pytest_promptgate.errors import SuiteError
from pytest_promptgate.files.source import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.types import Json

EVAL = "evals/triage.eval.yaml"
METRICS = "metrics: {accuracy: mean(exact_match), fast: mean(exact_match), slow: p95(latency_s)}\n"


def rows() -> list[dict[str, Json]]:
    """60 rows: 40 German ones and 20 English ones, three to a document; a quarter of tier 1, the rest of tier 2."""
    return [
        {
            "id": f"t-{number}",
            "message": "a",
            "expected": "tech",
            "language": "en" if number % 3 == 0 else "de",
            "tier": 1 if number % 4 == 0 else 2,
            "tags": ["all", "odd" if number % 2 else "even"],
            "document": f"d{number // 3}",
        }
        for number in range(60)
    ]


@pytest.fixture
def project(tmp_path: Path) -> SuiteProject:
    made = suite_project(tmp_path)
    made.rows(rows())
    return made


# --- slices ----------------------------------------------------------------------------------------------------------


def test_a_column_alone_is_shown_only(project: SuiteProject) -> None:
    suite = project.load(f"{LEAST}slices: [language]\n")

    assert (suite.slices, suite.parts, suite.thin) == (("language",), (), frozenset())
    assert suite.judged == suite.metrics


def test_gate_gates_every_gated_metric_on_every_value_with_20_cases(project: SuiteProject) -> None:
    suite = project.load(
        f"{LEAST}{METRICS}gate: {{fast: {{tolerance: 0.1, floor: 0.5}}}}\nslices: [language, {{tier: gate}}]\n"
    )

    assert suite.slices == ("language", "tier")
    assert [each.name for each in suite.parts] == ["accuracy[tier=2]", "fast[tier=2]"]
    assert [len(each.part.cases) for each in suite.parts if each.part] == [45, 45]
    assert suite.thin == {"tier=1"}
    assert suite.gates["accuracy[tier=2]"] == MetricGate()
    assert suite.gates["fast[tier=2]"] == MetricGate(tolerance=Tolerance(amount=0.1))


def test_metrics_and_values_can_be_named(project: SuiteProject) -> None:
    suite = project.load(
        f"{LEAST}{METRICS}slices: [{{tags: {{gate: [fast], values: [even]}}}}, {{tier: {{values: [2]}}}}]\n"
    )

    assert [each.name for each in suite.parts] == ["fast[tags=even]", "accuracy[tier=2]", "fast[tier=2]"]
    assert suite.thin == frozenset()


def test_what_is_filtered_away_is_in_no_slice(project: SuiteProject) -> None:
    filtered = LEAST.replace("../rows.jsonl", '{path: ../rows.jsonl, where: "tier == 2"}')

    suite = project.load(f"{filtered}slices: [{{language: gate}}]\n")

    assert [each.name for each in suite.parts] == ["exact_match[language=de]"]
    assert suite.thin == {"language=en"}


REFUSED = {
    "slices: [{language: gate, tier: gate}]": (
        f"{EVAL}:4:10: slices[0] must be one column, not a mapping\n"
        "  Write language, {language: gate} or {language: {gate: [accuracy], values: [de]}}."
    ),
    "slices: [{language: report}]": (
        f"{EVAL}:4:11: slices[0].language must be the word gate, or a mapping, not 'report'\n"
        "  Write language, {language: gate} or {language: {gate: [accuracy], values: [de]}}."
    ),
    "slices: [{language: {}}]": (
        f"{EVAL}:4:11: slices[0].language must be the word gate, or a mapping, not a mapping\n"
        "  Write language, {language: gate} or {language: {gate: [accuracy], values: [de]}}."
    ),
    "slices: [{language: {gates: [accuracy]}}]": (
        f"{EVAL}:4:22: unknown key 'gates' in slices[0].language\n  Did you mean 'gate'? Known keys: gate, values."
    ),
    "slices: [{langage: gate}]": (
        f"{EVAL}:4:10: no row has a column 'langage'\n"
        "  Did you mean 'language'? Columns: document, expected, id, language, message, tags, tier."
    ),
    "slices: [{language: {gate: [acuracy]}}]": (
        f"{EVAL}:4:29: 'acuracy' is not measured\n  Did you mean 'accuracy'? Metrics: accuracy, fast, slow."
    ),
    "slices: [{language: {gate: [slow]}}]": (
        f"{EVAL}:4:29: 'slow' cannot be gated by slices: it is only shown itself\n  Mend `gate: {{slow: …}}`."
    ),
    "slices: [{language: {gate: []}}]": (
        f"{EVAL}:4:22: slices[0].language.gate names no metric\n  Leave the key out for all that are gated."
    ),
    "slices: [{language: {values: []}}]": (
        f"{EVAL}:4:22: slices[0].language.values names no value\n  Leave the key out for all that have 20 cases."
    ),
    "slices: [{language: {values: [da, de]}}]": (f"{EVAL}:4:31: no case has language 'da'\n  Values: de, en."),
    "slices: [{tier: {values: [1]}}]": (
        f"{EVAL}:4:27: the slice tier=1 has 15 cases, and a gate needs 20\n  Leave it out: it is shown all the same."
    ),
    "slices: [{document: gate}]": (
        f"{EVAL}:4:11: no slice by 'document' has the 20 cases that a gate needs\n"
        "  The largest: document=d0 (3 cases). To show them without a gate: `slices: [document]`."
    ),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.items(), ids=REFUSED)
def test_a_wrong_slice_is_refused(project: SuiteProject, text: str, told: str) -> None:
    assert project.refusal(f"{LEAST.rstrip()}\n{text}\n{METRICS}") == told


# --- clusters --------------------------------------------------------------------------------------------------------


def in_clusters(text: str) -> str:
    return LEAST.replace("../rows.jsonl", f"{{path: ../rows.jsonl, cluster: {text}}}")


def test_cases_know_their_cluster_and_keep_their_digest(project: SuiteProject) -> None:
    plain, suite = project.load(LEAST), project.load(in_clusters("document"))

    assert [each.cluster for each in suite.cases[:4]] == ["d0", "d0", "d0", "d1"]
    assert {each.cluster for each in plain.cases} == {""}
    assert [each.digest for each in suite.cases] == [each.digest for each in plain.cases]
    assert (plain.together, suite.together) == (False, False)


def test_cases_of_a_cluster_may_be_answered_together(project: SuiteProject) -> None:
    suite = project.load(in_clusters("{column: tier, together: true}"))

    assert suite.together
    assert {each.cluster for each in suite.cases} == {"1", "2"}


CLUSTERS = {
    "dokument": (
        f"{EVAL}:2:32: no row has a column 'dokument'\n"
        "  Did you mean 'document'? Columns: document, expected, id, language, message, tags, tier."
    ),
    "3": f"{EVAL}:2:32: dataset.cluster must be a column's name, not 3",
    "{together: true}": (
        f"{EVAL}:2:32: dataset.cluster lacks 'column'\n"
        "  Write {cluster: document} or {cluster: {column: conversation, together: true}}."
    ),
    "{column: document, together: 1}": f"{EVAL}:2:60: dataset.cluster.together must be true or false, not 1",
    "{column: document, joint: true}": (
        f"{EVAL}:2:60: unknown key 'joint' in dataset.cluster\n  Known keys: column, together."
    ),
    "tags": "\n".join(
        [
            *(f"rows.jsonl:{line}: a cluster must be text or a whole number, not a list" for line in range(1, 11)),
            "rows.jsonl: 50 further rows have no cluster either",
        ]
    ),
}


@pytest.mark.parametrize(("text", "told"), CLUSTERS.items(), ids=CLUSTERS)
def test_a_wrong_cluster_is_refused(project: SuiteProject, text: str, told: str) -> None:
    assert project.refusal(in_clusters(text)) == told


def test_a_row_without_its_cluster_is_refused(project: SuiteProject) -> None:
    first, *others = rows()
    project.rows([{key: value for key, value in first.items() if key != "document"}, *others])

    assert (
        project.refusal(in_clusters("document")) == "rows.jsonl:1: the row has no 'document', the column of its cluster"
    )


# --- the schema ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry", ["{language: gate}", "{language: {gate: [exact_match]}}", "{tier: {gate: [exact_match], values: [2]}}"]
)
def test_the_schema_takes_what_is_read(project: SuiteProject, entry: str) -> None:
    text = f"{LEAST}slices: [tags, {entry}]\n"
    schema = json.loads((importlib.resources.files("pytest_promptgate") / "schemas/suite.schema.json").read_text())

    jsonschema.Draft202012Validator(schema).validate(read_yaml(text, file="x.yaml", error=SuiteError).value)

    assert len(project.load(text).parts) >= 1
