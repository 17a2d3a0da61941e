"""Right suites: what they mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from suite_project import LEAST, ROWS, SuiteProject, suite_project

from pytest_promptgate.core.ports import ProviderSpec, Row
from pytest_promptgate.core.types import Case, Completion, Direction, MetricGate, ModelPin, MustPass, Score, Tolerance
from pytest_promptgate.files.config import BUILT_IN
from pytest_promptgate.files.suites import suite_name

if TYPE_CHECKING:
    from collections.abc import Mapping


PINNED = "gpt-4o-2024-11-20"
UNIQUE = "  A case is known by its id, in node ids and in baselines: each row needs its own."
MOST = """\
suite: support-triage
prompt: triage@v1
model: openai/gpt-4o-mini-2024-07-18
dataset: {path: ../rows.jsonl, id: id, where: "language == 'en'"}
inputs: {message: text}
constants: {company: Umbrella}
samples: 3
scorers:
  queue: {exact_match: {expected: queue, normalize: [strip, casefold]}}
  has: {contains: please}
metrics:
  accuracy: mean(queue)
  f1: f1(queue, label=billing)
  mess: confusion(queue)
  cost: total(cost_usd)
  p95_latency: p95(latency_s)
  slow: max(latency_s)
gate:
  rule: strict
  accuracy: {tolerance: 0.02, floor: 0.5}
  cost: {tolerance: 5%}
  mess: report
  slow: {tolerance: 10%}
must_pass: [t-1, {id: t-3, scorers: [queue], pass_at: 0.5}]
slices: [language, tags]
smoke: 2
outputs: false
"""


@pytest.fixture
def project(tmp_path: Path) -> SuiteProject:
    return suite_project(tmp_path)


def test_three_lines_are_a_suite(project: SuiteProject) -> None:
    suite = project.load(LEAST)

    assert (suite.name, suite.path, suite.prompt.label) == ("triage", "evals/triage.eval.yaml", "triage@v1")
    assert suite.slots == {"default": ModelPin(provider="openai", name=PINNED)}
    assert [case.id for case in suite.cases] == ["t-1", "t-2", "t-3", "t-4"]
    assert [(metric.name, metric.expression) for metric in suite.metrics] == [("exact_match", "mean(exact_match)")]
    assert suite.gates == {"exact_match": MetricGate(gated=True, tolerance=Tolerance(amount=0.0), floor=None)}
    assert (suite.samples, suite.rule, suite.smoke, suite.outputs) == (1, "confirm", 8, True)
    assert (suite.must_pass, suite.slices, suite.inputs, suite.constants) == ((), (), {}, {})


def test_the_whole_of_a_suite_is_read(project: SuiteProject) -> None:
    suite = project.load(MOST)

    assert (suite.name, suite.samples, suite.smoke, suite.outputs) == ("support-triage", 3, 2, False)
    assert suite.slots == {"default": ModelPin(provider="openai", name="gpt-4o-mini-2024-07-18")}
    assert [case.id for case in suite.cases] == ["t-1", "t-3"]
    assert (suite.inputs, suite.constants) == ({"message": "text"}, {"company": "Umbrella"})
    assert [(scorer.name, scorer.kind) for scorer in suite.scorers] == [("queue", "exact_match"), ("has", "contains")]
    assert {metric.name: (metric.expression, metric.direction.value) for metric in suite.metrics} == {
        "accuracy": ("mean(queue)", "higher"),
        "f1": ("f1(queue, label=billing)", "higher"),
        "mess": ("confusion(queue)", "lower"),
        "cost": ("total(cost_usd)", "lower"),
        "p95_latency": ("p95(latency_s)", "lower"),
        "slow": ("max(latency_s)", "lower"),
    }
    assert suite.gates == {
        "accuracy": MetricGate(tolerance=Tolerance(amount=0.02), floor=0.5),
        "f1": MetricGate(),
        "mess": MetricGate(gated=False),
        "cost": MetricGate(tolerance=Tolerance(amount=0.05, relative=True)),
        "p95_latency": MetricGate(gated=False),
        "slow": MetricGate(tolerance=Tolerance(amount=0.1, relative=True)),
    }
    assert suite.must_pass == (
        MustPass(cases=frozenset({"t-1"}), scorers=("queue", "has")),
        MustPass(cases=frozenset({"t-3"}), scorers=("queue",), pass_at=0.5),
    )
    assert suite.slices == ("language", "tags")


def test_every_slot_has_the_rule_of_its_model_unless_the_suite_names_one(project: SuiteProject) -> None:
    models = f"model: {{real: {PINNED}, steady: embedded/nearest-example-1}}\n"

    unnamed, named = project.load(LEAST + models), project.load(f"{LEAST}{models}gate: {{rule: significant}}\n")

    assert (unnamed.rule, unnamed.default_rules) == ("confirm", {"real": "confirm", "steady": "strict"})
    assert (named.rule, named.default_rules) == ("significant", {})


def test_a_case_knows_its_row(project: SuiteProject) -> None:
    case = project.load(LEAST).cases[3]

    assert (case.id, case.expected, case.has_expected, case.tags) == ("t-4", "tech", True, ("safety",))
    assert case.inputs == {"message": "d", "text": "D", "queue": "tech", "score": 4}
    assert str(case.place) == "rows.jsonl:4"


def test_must_pass_by_tag_takes_every_case_that_has_it(project: SuiteProject) -> None:
    suite = project.load(f"{LEAST}must_pass: [{{tag: safety}}]\n")

    assert suite.must_pass == (MustPass(cases=frozenset({"t-4"}), scorers=("exact_match",)),)


def test_a_gate_turns_a_metric(project: SuiteProject) -> None:
    suite = project.load(f"{LEAST}metrics: {{a: mean(tokens_out)}}\ngate: {{a: {{direction: higher, gated: false}}}}\n")

    assert suite.metrics[0].direction is Direction.HIGHER
    assert suite.gates == {"a": MetricGate(gated=False)}


def test_a_scorer_brings_its_direction(project: SuiteProject) -> None:
    suite = project.load(LEAST.replace("[exact_match]", "{short: {length: {most: 3}}}"))

    assert suite.metrics[0].direction is Direction.LOWER


def test_a_plugins_aggregate_is_known(project: SuiteProject) -> None:
    assert project.load(f"{LEAST}metrics: {{a: spread(exact_match)}}\n").metrics[0].aggregate == "spread"


@pytest.mark.parametrize(
    ("model", "slots"),
    [
        (PINNED, {"default": ModelPin(provider="openai", name=PINNED)}),
        (f"openai/{PINNED}", {"default": ModelPin(provider="openai", name=PINNED)}),
        (
            f"{{id: {PINNED}, parameters: {{topP: 1}}}}",
            {"default": ModelPin(provider="openai", name=PINNED, parameters={"top_p": 1})},
        ),
        (
            "{id: openai/gpt-9, pinned: true}",
            {"default": ModelPin(provider="openai", name="gpt-9", vouched=True)},
        ),
        (
            f"{{now: {PINNED}, next: {{id: local/org/model, parameters: {{seed: 1}}}}}}",
            {
                "now": ModelPin(provider="openai", name=PINNED),
                "next": ModelPin(provider="local", name="org/model", parameters={"seed": 1}, vouched=True),
            },
        ),
    ],
)
def test_a_model_is_a_text_a_mapping_or_slots(project: SuiteProject, model: str, slots: Mapping[str, ModelPin]) -> None:
    local = ProviderSpec(name="local", kind="openai", family="vllm", models={"org/model": {"pinned": True}})
    project = replace(project, providers={**BUILT_IN, "local": local})

    assert project.load(f"{LEAST}model: {model}\n").slots == slots


def test_azure_takes_only_what_is_deployed(project: SuiteProject) -> None:
    azure = ProviderSpec(name="eu", kind="azure", family="azure", deployments={PINNED: "mine"})
    project = replace(project, providers={**BUILT_IN, "eu": azure})

    assert project.load(f"{LEAST}model: {{id: eu/{PINNED}, pinned: true}}\n").slots["default"].provider == "eu"
    assert project.refusal(f"{LEAST}model: eu/gpt-4o-2024-11-02\n") == (
        "evals/triage.eval.yaml:4:1: provider 'eu' has no deployment of 'gpt-4o-2024-11-02'\n"
        "  Did you mean 'gpt-4o-2024-11-20'? Deployed: gpt-4o-2024-11-20."
    )


def test_a_floating_pin_of_the_prompt_is_told_at_the_suites_prompt(project: SuiteProject) -> None:
    text = (project.root / "prompts/triage/v1.prompty").read_text(encoding="utf-8")
    project.write("prompts/triage/v2.prompty", text.replace(PINNED, "gpt-4o"))

    assert project.refusal(LEAST) == (
        "evals/triage.eval.yaml:1:1: openai/gpt-4o is a floating alias\n"
        "  Write openai/gpt-4o-2024-08-06, the snapshot that it was last seen to name."
    )


def test_a_suite_is_named_by_its_file(project: SuiteProject) -> None:
    assert suite_name(Path("evals/a.b.eval.yaml")) == "a.b"
    assert project.load(LEAST, path="evals/order-items.eval.yaml").name == "order-items"
    assert project.refusal(LEAST, path="evals/a b.eval.yaml") == (
        "evals/a b.eval.yaml:1:1: 'a b' is no name for a suite\n"
        "  Use letters, digits, '.', '_' and '-', a letter or digit first: `suite: NAME`."
    )


def test_loading_twice_gives_equal_suites(project: SuiteProject) -> None:
    assert project.load(MOST) == project.load(MOST)


def test_a_default_that_is_written_out_changes_no_fingerprint(project: SuiteProject) -> None:
    bare = project.load(LEAST).scorers[0]
    spelled = project.load(LEAST.replace("exact_match", "{exact_match: {normalize: [strip]}}")).scorers[0]
    other = project.load(LEAST.replace("exact_match", "{exact_match: {normalize: [casefold]}}")).scorers[0]

    assert bare.fingerprint == spelled.fingerprint != other.fingerprint


def test_users_code_is_imported_from_the_root(project: SuiteProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project.root))
    project.write("suite_own/scorers.py", "def kind(completion, case):\n    raise AssertionError\n")

    scorer = project.load(LEAST.replace("exact_match", '"suite_own.scorers:kind"')).scorers[0]

    assert (scorer.name, scorer.kind) == ("kind", "suite_own.scorers:kind")


def test_a_row_that_nobody_reads_changes_no_digest(project: SuiteProject) -> None:
    before = [case.digest for case in project.load(LEAST).cases]
    project.rows([{**row, "score": 0, "text": "?", "tags": ["new"]} for row in ROWS])
    unread = [case.digest for case in project.load(LEAST).cases]
    project.rows([{**row, "message": "?"} for row in ROWS])
    read = [case.digest for case in project.load(LEAST).cases]

    assert before == unread
    assert not set(before) & set(read)


@pytest.mark.parametrize("column", ["expected", "queue", "text"])
def test_what_the_suite_reads_of_a_row_is_in_its_digest(project: SuiteProject, column: str) -> None:
    suite = LEAST.replace("[exact_match]", "{a: exact_match, b: {exact_match: {expected: queue}}}")
    suite += "inputs: {message: text}\n"
    before = project.load(suite).cases[0].digest
    project.rows([{**row, column: "other"} for row in ROWS])

    assert project.load(suite).cases[0].digest != before


def test_a_scorer_of_the_users_may_read_every_column_but_id_and_tags(project: SuiteProject) -> None:
    suite = LEAST.replace("exact_match", "polite")
    before = project.load(suite).cases[0].digest
    project.rows([{**row, "id": f"x{row['id']}", "tags": ["new"]} for row in ROWS])
    renamed = project.load(suite).cases[0].digest
    project.rows([{**row, "score": 0} for row in ROWS])

    assert renamed == before != project.load(suite).cases[0].digest


def test_rows_without_id_are_named_by_their_content(project: SuiteProject) -> None:
    bare = [{name: value for name, value in row.items() if name != "id"} for row in ROWS]
    project.rows(bare)
    ids = [case.id for case in project.load(LEAST).cases]
    project.rows([*bare[2:], *bare[:2]])
    moved = [case.id for case in project.load(LEAST).cases]

    assert moved == [*ids[2:], *ids[:2]]
    assert all(len(each) == 16 and each.startswith("row-") for each in ids)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"message": "a", "expected": ""}, {"expected": "", "message": "a"}],
         f"rows.jsonl:2: the row is equal to that of line 1\n{UNIQUE}"),
        (
            [{"id": "a b"}, {"id": "a-b"}],
            f"rows.jsonl:2: the id 'a-b' stands on line 1 already (there from 'a b')\n{UNIQUE}",
        ),
        ([{"id": 7}, {"id": "7"}], f"rows.jsonl:2: the id '7' stands on line 1 already\n{UNIQUE}"),
        ([{"id": "a"}, {"id": None}], "rows.jsonl:2: the row has no id in column 'id'"),
        ([{"id": "a"}, {"message": "b"}], "rows.jsonl:2: the row has no id in column 'id'"),
        ([{"id": 1.5}], "rows.jsonl:1: an id must be text or a whole number, not 1.5"),
        ([{"id": "[]"}], "rows.jsonl:1: the id '[]' has no character that a test's name can hold"),
        ([{"id": "cases"}], "rows.jsonl:1: the id 'cases' is reserved"),
        ([{"id": "gate:x"}], "rows.jsonl:1: the id 'gate:x' is reserved"),
        ([{"id": "a", "tags": {"x": 1}}],
         "rows.jsonl:1: tags must be a list of texts, or a text with commas or spaces, not a mapping"),
    ],
)  # fmt: skip
def test_rows_without_an_identity_are_refused(project: SuiteProject, rows: list[dict[str, str]], told: str) -> None:
    project.rows([{"message": "m", "expected": "x", **row} for row in rows])

    assert project.refusal(LEAST) == told


def test_many_wrong_rows_are_told_shortly(project: SuiteProject) -> None:
    project.rows([{"id": "a", "message": str(number), "expected": ""} for number in range(2000)])

    lines = project.refusal(LEAST).splitlines()

    assert len(lines) == 12
    assert lines[-1] == "rows.jsonl: 1,989 further rows are wrong as well"


def test_tags_may_be_one_text(project: SuiteProject) -> None:
    project.rows([{"id": "a", "message": "m", "expected": "x", "tags": "safety, slow  safety"}])

    assert project.load(LEAST).cases[0].tags == ("safety", "slow")


def test_a_column_that_the_suite_reads_is_an_input_whatever_its_name(project: SuiteProject) -> None:
    suite = project.load(f"{LEAST}inputs: {{message: id, company: expected}}\nslices: [tags]\n")

    assert suite.cases[3].inputs.keys() == {"id", "expected", "tags", "message", "text", "queue", "score"}


def test_any_json_value_can_be_expected(project: SuiteProject) -> None:
    project.rows(
        [{"id": "a", "message": "m", "expected": None}, {"id": "b", "message": "m", "expected": [1, {"a": 2}]}]
    )

    cases = project.load(LEAST.replace("exact_match", "json_match")).cases

    assert [(case.expected, case.has_expected) for case in cases] == [(None, True), ([1, {"a": 2}], True)]


def test_paths_in_settings_start_at_the_suite(project: SuiteProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    project.write("evals/forms/answer.json", '{"type": "string"}')

    suite = project.load(LEAST.replace("exact_match", "{json_schema: forms/answer.json}"))
    inline = project.load(LEAST.replace("exact_match", "{json_schema: {schema: {type: string}}}"))

    assert suite.scorers[0].fingerprint == inline.scorers[0].fingerprint


def test_rows_that_a_scorer_cannot_score_are_told_shortly(project: SuiteProject) -> None:
    project.rows([{"id": str(number), "message": "m", **({"expected": "x"} if number else {})} for number in range(3)])
    few = project.refusal(LEAST)
    project.rows([{"id": str(number), "message": "m", **({} if number else {"expected": "x"})} for number in range(13)])
    many = project.refusal(LEAST).splitlines()

    assert few == (
        "rows.jsonl:1: exact_match cannot score this row: the row has no expected value\n"
        "  The scorer stands at evals/triage.eval.yaml:3:11."
    )
    assert many[-1] == "rows.jsonl: exact_match cannot score 2 further rows either"
    assert len(many) == 21


def test_a_plugins_scorer_that_needs_a_column_is_told_of_rows_without_it(project: SuiteProject) -> None:
    scorers = "{short: {length: {most: 3, expected: language}}}"

    assert project.refusal(LEAST.replace("[exact_match]", scorers)) == (
        "rows.jsonl:4: short cannot score this row: it has no 'language'\n"
        "  The scorer stands at evals/triage.eval.yaml:3:19."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Picky:
    """A plugin's scorer whose check fails."""

    kind: str = "value"

    def check(self, case: Case) -> None:
        if self.kind == "value":
            raise ValueError(f"no \x1b[31mqueue in {case.id}")
        raise RuntimeError("broken")

    def __call__(self, completion: Completion, case: Case) -> Score:
        raise AssertionError


def test_a_check_that_fails_on_every_row_is_told_at_the_scorer(project: SuiteProject) -> None:
    project = replace(project, offers={"picky": Picky})

    assert project.refusal(LEAST.replace("exact_match", "picky")) == (
        r"evals/triage.eval.yaml:3:11: picky can score no row: no \x1b[31mqueue in t-1"
    )
    assert project.refusal(LEAST.replace("exact_match", "{picky: other}")) == (
        "evals/triage.eval.yaml:3:12: picky can score no row: its check raised RuntimeError: broken"
    )


def test_rows_of_a_file_without_lines_are_told_by_their_number(project: SuiteProject) -> None:
    rows = [Row(fields={"id": "a", "message": text, "expected": "x"}, line=None) for text in "mn"]
    project = replace(project, loaders={".jsonl": lambda _: rows})

    assert project.refusal(LEAST) == f"rows.jsonl, row 2: the id 'a' stands on an earlier row already\n{UNIQUE}"
