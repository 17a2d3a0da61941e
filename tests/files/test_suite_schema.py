"""The JSON Schemas of suites and of promptgate.yaml, held against the real parsers."""

from __future__ import annotations

import importlib.resources
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from suite_project import LEAST, suite_project

from pytest_promptgate.core.pin_rules import RULES
from pytest_promptgate.errors import PromptGateError, SuiteError
from pytest_promptgate.files import suites
from pytest_promptgate.files.config import load_config
from pytest_promptgate.files.source import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

PINNED = "gpt-4o-2024-11-20"
ACCEPTED = [
    LEAST,
    f"{LEAST}suite: a.b-c\nsamples: 2\nsmoke: 3\noutputs: false\n",
    f"{LEAST}model: {PINNED}\n",
    LEAST.replace("prompt: triage", "target: textwrap:dedent"),
    f"{LEAST}turns: message\n",
    LEAST.replace("prompt: triage", "target: {call: textwrap:dedent, version: '2', timeout_s: 30}"),
    f"{LEAST}model: {{id: {PINNED}, pinned: true, parameters: {{seed: 1}}}}\n",
    f"{LEAST}model: {{a: {PINNED}, b: {{id: {PINNED}}}}}\n",
    LEAST.replace("../rows.jsonl", '{path: ../rows.jsonl, id: id, where: "score > 1"}'),
    LEAST.replace("../rows.jsonl", "{path: ../rows.jsonl, cluster: message}"),
    LEAST.replace("../rows.jsonl", "{path: ../rows.jsonl, cluster: {column: message, together: true}}"),
    f"{LEAST}inputs: {{message: text}}\nconstants: {{company: Acme}}\n",
    LEAST.replace("[exact_match]", "[exact_match, {contains: a}, {length: {most: 3}}]"),
    LEAST.replace("[exact_match]", "{a: exact_match, b: {exact_match: }, c: {regex: {pattern: a}}}"),
    LEAST.replace("[exact_match]", "[{exact_match: {}, extract: last_line}, {contains: {text: a}, extract: whole}]"),
    LEAST.replace("[exact_match]", "{a: {all_of: [exact_match, {not: {contains: a}}]}, b: {any_of: {c: exact_match}}}"),
    LEAST.replace("[exact_match]", "{a: {weighted: [exact_match, {contains: a, weight: 2}]}}"),
    LEAST.replace("[exact_match]", "{a: {weighted: [{contains: a, weight: 2, extract: code_block}]}}"),
    f"{LEAST}extract: last_line\n",
    f"{LEAST}extract: {{regex: {{pattern: 'a(b)', group: 1, take: first, flags: [dotall], timeout_s: 1}}}}\n",
    f"{LEAST}extract: {{json_path: '$.a[0]'}}\n",
    f"{LEAST}extract: {{code_block: {{language: sql, take: only}}}}\n",
    f"{LEAST}extract: {{xml_tag: answer}}\n",
    f"{LEAST}metrics: {{a: mean(exact_match), b: 'f1(exact_match, label=tech)', c: p95(latency_s)}}\n",
    f"{LEAST}gate: {{rule: confirm}}\n",
    f"{LEAST}gate: {{rule: {{confirm: {{alpha: 0.01, samples: 5, max_calls: 60}}}}}}\n",
    f"{LEAST}gate: {{rule: {{significant: {{max_drop: 0.2}}}}}}\n",
    f"{LEAST}gate: {{rule: {{significant: {{early_stop: e}}}}}}\n",
    f"{LEAST}gate: {{rule: {{significant: {{first_round: true}}}}}}\n",
    f"{LEAST}gate: {{rule: strict, exact_match: {{tolerance: 0.1, floor: -1, gated: false, direction: lower}}}}\n",
    f"{LEAST}gate: {{exact_match: report}}\n",
    f"{LEAST}gate: {{exact_match: {{tolerance: 2.5 %}}}}\n",
    f"{LEAST}must_pass: [t-1, {{tag: safety}}, {{id: t-2, scorers: [exact_match], pass_at: 0}}]\nslices: [tags]\n",
]
REFUSED = [
    "[]",
    "{}",
    "text",
    f"{LEAST}unknown: 1\n",
    f"{LEAST}target: textwrap:dedent\n",
    f"{LEAST}turns: [message]\n",
    LEAST.replace("prompt: triage", f"target: textwrap:dedent\nmodel: {PINNED}"),
    LEAST.replace("prompt: triage", "target: {version: '2'}"),
    LEAST.replace("prompt: triage", "target: {call: textwrap:dedent, timeout_s: 0}"),
    LEAST.replace("prompt: triage", "target: {call: textwrap:dedent, version: [2]}"),
    f"{LEAST}extract: json\n",
    f"{LEAST}extract: {{last_line: {{trim: true}}}}\n",
    f"{LEAST}extract: {{regex: a, json_path: $}}\n",
    f"{LEAST}extract: {{json_path: sku}}\n",
    f"{LEAST}extract: {{code_block: {{take: all}}}}\n",
    f"{LEAST}extract: {{xml_tag: {{take: last}}}}\n",
    LEAST.replace("[exact_match]", "[{extract: last_line}]"),
    LEAST.replace("[exact_match]", "[{exact_match: {}, contains: a, extract: last_line}]"),
    LEAST.replace("[exact_match]", "[{exact_match: {}, weight: 2}]"),
    LEAST.replace("[exact_match]", "{a: {all_of: []}}"),
    LEAST.replace("[exact_match]", "{a: {all_of: [{contains: a, extract: json}]}}"),
    LEAST.replace("[exact_match]", "{a: {not: 3}}"),
    LEAST.replace("[exact_match]", "{a: {weighted: [{exact_match: {}, weight: 0}]}}"),
    LEAST.replace("[exact_match]", "{a: {weighted: [{exact_match: {}, wieght: 1}]}}"),
    LEAST.replace("prompt: triage", "prompt: 1"),
    LEAST.replace("prompt: triage", "prompt: ''"),
    LEAST.replace("prompt: triage\n", ""),
    LEAST.replace("dataset: ../rows.jsonl\n", ""),
    LEAST.replace("../rows.jsonl", "[../rows.jsonl]"),
    LEAST.replace("../rows.jsonl", "{id: id}"),
    LEAST.replace("../rows.jsonl", "{path: ../rows.jsonl, filter: x}"),
    LEAST.replace("../rows.jsonl", "{path: ../rows.jsonl, id: 3}"),
    LEAST.replace("scorers: [exact_match]\n", ""),
    LEAST.replace("[exact_match]", "[]"),
    LEAST.replace("[exact_match]", "{}"),
    LEAST.replace("[exact_match]", "exact_match"),
    LEAST.replace("[exact_match]", "[judge]"),
    LEAST.replace("[exact_match]", "{a: {compare: {}}}"),
    LEAST.replace("[exact_match]", "{a: {judge: {}}}"),
    LEAST.replace("[exact_match]", "[compare]"),
    LEAST.replace("[exact_match]", "{a: {judge: {rubric: 3}}}"),
    LEAST.replace("[exact_match]", "{a: {judge: {rubric: r.yaml, votes: 3}}}"),
    LEAST.replace("[exact_match]", "[{exact_match: {}, contains: a}]"),
    LEAST.replace("[exact_match]", "{a b: exact_match}"),
    LEAST.replace("[exact_match]", "{a: 3}"),
    f"{LEAST}suite: a b\n",
    f"{LEAST}suite: 3\n",
    f"{LEAST}model: 3\n",
    f"{LEAST}model: {{}}\n",
    f"{LEAST}model: {{pinned: true}}\n",
    f"{LEAST}model: {{id: {PINNED}, pinned: sure}}\n",
    f"{LEAST}model: {{id: {PINNED}, seed: 1}}\n",
    f"{LEAST}model: {{id: {PINNED}, parameters: [seed]}}\n",
    f"{LEAST}model: {{a b: {PINNED}}}\n",
    f"{LEAST}model: {{a: [x]}}\n",
    f"{LEAST}inputs: [message]\n",
    f"{LEAST}inputs: {{message: 3}}\n",
    f"{LEAST}constants: [company]\n",
    f"{LEAST}samples: 0\n",
    f"{LEAST}samples: two\n",
    f"{LEAST}samples: true\n",
    f"{LEAST}smoke: 0\n",
    f"{LEAST}outputs: on\n",
    f"{LEAST}metrics: [mean(exact_match)]\n",
    f"{LEAST}metrics: {{}}\n",
    f"{LEAST}metrics: {{a: mean}}\n",
    f"{LEAST}metrics: {{a: 3}}\n",
    f"{LEAST}metrics: {{rule: mean(exact_match)}}\n",
    f"{LEAST}gate: strict\n",
    f"{LEAST}gate: {{rule: {{significant: {{samples: 5}}}}}}\n",
    f"{LEAST}gate: {{rule: {{confirm: {{}}, strict: {{}}}}}}\n",
    f"{LEAST}gate: {{exact_match: 0.1}}\n",
    f"{LEAST}gate: {{exact_match: ignore}}\n",
    f"{LEAST}gate: {{exact_match: {{tolerance: -1}}}}\n",
    f"{LEAST}gate: {{exact_match: {{tolerance: 5 percent}}}}\n",
    f"{LEAST}gate: {{exact_match: {{floor: low}}}}\n",
    f"{LEAST}gate: {{exact_match: {{direction: up}}}}\n",
    f"{LEAST}gate: {{exact_match: {{tol: 1}}}}\n",
    f"{LEAST}must_pass: t-1\n",
    f"{LEAST}must_pass: [[t-1]]\n",
    f"{LEAST}must_pass: [{{}}]\n",
    f"{LEAST}must_pass: [{{id: t-1, tag: safety}}]\n",
    f"{LEAST}must_pass: [{{id: t-1, scorers: []}}]\n",
    f"{LEAST}must_pass: [{{id: t-1, pass_at: high}}]\n",
    f"{LEAST}slices: tags\n",
    f"{LEAST}slices: [tags, tags]\n",
    f"{LEAST}slices: [3]\n",
    f"{LEAST}slices: [{{tags: report}}]\n",
    f"{LEAST}slices: [{{tags: {{}}}}]\n",
    f"{LEAST}slices: [{{tags: gate, language: gate}}]\n",
    f"{LEAST}slices: [{{tags: {{gates: [exact_match]}}}}]\n",
    f"{LEAST}slices: [{{tags: {{gate: []}}}}]\n",
    LEAST.replace("../rows.jsonl", "{path: ../rows.jsonl, cluster: 3}"),
    LEAST.replace("../rows.jsonl", "{path: ../rows.jsonl, cluster: {together: true}}"),
    LEAST.replace("../rows.jsonl", "{path: ../rows.jsonl, cluster: {column: queue, together: 1}}"),
]
CONFIGS = [
    ("{}", True),
    ("", True),
    ('providers: {a: {base_url: "http://h/v1", family: vllm, models: {m: {pinned: true}}, hedge: true}}', True),
    ("providers: {a: {kind: azure, endpoint_env: A, api_key_env: B, deployments: {m: d}, api_version: x}}", True),
    ("providers: {openai: {timeout_s: 5, headers: {X: y}, requests_per_minute: 1, tokens_per_minute: 2}}", True),
    ("prices: {openai/m: {input: 0, output: 1.5, cached: 0}}", True),
    ("[]", False),
    ("provider: {}", False),
    ("providers: []", False),
    ("providers: {a/b: {base_url: 'http://h'}}", False),
    ("providers: {a: {base_url: h}}", False),
    ("providers: {a: {base_url: 'http://u:p@h'}}", False),
    ("providers: {a: {base_url: 'http://h', base_url_env: A}}", False),
    ("providers: {a: {base_url: 'http://h', endpoint: 'http://h'}}", False),
    ("providers: {a: {base_url: 'http://h', api_key: x}}", False),
    ("providers: {a: {base_url: 'http://h', api_key_env: sk-1}}", False),
    ("providers: {a: {base_url: 'http://h', family: antropic}}", False),
    ("providers: {a: {base_url: 'http://h', timeout_s: 0}}", False),
    ("providers: {a: {base_url: 'http://h', retry_for_s: 0}}", True),
    ("providers: {a: {base_url: 'http://h', retry_for_s: 121}}", False),
    ("providers: {a: {base_url: 'http://h', hedge: maybe}}", False),
    ("providers: {a: {base_url: 'http://h', headers: {X: 1}}}", False),
    ("providers: {a: {base_url: 'http://h', models: {m: true}}}", False),
    ("prices: {m: {input: 0, output: 1}}", False),
    ("prices: {openai/m: {input: 0}}", False),
    ("prices: {openai/m: {input: -1, output: 1}}", False),
]


def schema(name: str) -> dict[str, Any]:
    file = importlib.resources.files("pytest_promptgate").joinpath(f"schemas/{name}.schema.json")
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def fits(text: str, name: str) -> bool:
    value = read_yaml(text, file="a.yaml", error=SuiteError).value
    return jsonschema.Draft202012Validator(schema(name)).is_valid(value)


@pytest.mark.parametrize("name", ["suite", "promptgate"])
def test_the_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_the_schema_accepts_the_parser_accepts(tmp_path: Path, text: str) -> None:
    assert fits(text, "suite")
    assert suite_project(tmp_path).refusal(text) == ""


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_schema_refuses_the_parser_refuses(tmp_path: Path, text: str) -> None:
    assert not fits(text, "suite")
    assert suite_project(tmp_path).refusal(text) != ""


@pytest.mark.parametrize(("text", "right"), CONFIGS)
def test_the_schema_of_the_configuration_agrees_with_its_parser(tmp_path: Path, text: str, right: bool) -> None:
    path = tmp_path / "promptgate.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        load_config(path, kinds=("openai", "azure", "embedded"))
        accepted = True
    except PromptGateError:
        accepted = False

    assert (fits(text, "promptgate"), accepted) == (right, right)


def test_the_schema_knows_the_keys_of_the_parser() -> None:
    assert schema("suite")["properties"].keys() == suites.KEYS
    provider = schema("promptgate")["properties"]["providers"]["additionalProperties"]["properties"]
    assert provider["family"]["enum"] == sorted(RULES)
