"""The JSON Schema of prompt files accepts and refuses what the parser accepts and refuses."""

from __future__ import annotations

import importlib.resources
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from pytest_promptgate.core.parameters import CANONICAL, EXTRA, PROMPTY
from pytest_promptgate.errors import PromptError, PromptGateError
from pytest_promptgate.files.prompts import load_prompt_file
from pytest_promptgate.files.source import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: dict[str, Any] = json.loads(
    importlib.resources.files("pytest_promptgate").joinpath("schemas/prompt.schema.json").read_text(encoding="utf-8")
)
RIGHT = [
    "",
    "name: t\ndisplayName: T\ndescription: d\nmetadata: {version: v1, owner: me, source: here, tags: [a], note: null}",
    "model: gpt-4o-2024-11-20",
    "model: {id: a/b, options: {temperature: 0, topP: 1, stop: x, seed: -1, reasoningEffort: low}}",
    "model: {id: b, provider: local, apiType: chat}",
    "model: {id: /b, provider: local}",
    "model: {options: {maxOutputTokens: 5, additionalProperties: {min_p: 0.1}, temperature: null}}",
    "inputs: [{name: x, kind: string, required: true, description: d, example: e}]",
    "inputs: {x: {kind: array, items: {kind: object, properties: {a: {kind: string}}}, default: []}}",
    "inputs: [{name: x, kind: union, anyOf: [{kind: string}, {kind: integer}]}]",
    "inputs: []",
    "outputs: {a: {kind: string, enumValues: [x, y], nullable: true}, b: {kind: float}}",
    "outputs: [{name: a, kind: boolean}]",
    "tools: [{name: f, kind: function, parameters: {a: {kind: string}}, strict: true}]",
    "tools: {f: {kind: function, description: d}}",
    "tools: [{type: function, function: {name: f, parameters: {type: object}}}]",
    "template: {format: jinja2, parser: prompty}",
    "template: {format: {kind: jinja2, strict: true}, parser: {kind: prompty}}",
]
WRONG = [
    "nmae: t",
    "name: 3",
    "name: ''",
    "metadata: x",
    "metadata: {version: 1}",
    "metadata: {owner: [a]}",
    "model: ''",
    "model: 3",
    "model: /b",
    "model: a/",
    "model: {id: /b}",
    "model: {provider: openai}",
    "model: {id: a, apiType: responses}",
    "model: {id: a, connection: {kind: reference}}",
    "model: {id: a, options: {temprature: 0}}",
    "model: {id: a, options: {temperature: 3}}",
    "model: {id: a, options: {n: 2}}",
    "model: {id: a, options: {maxOutputTokens: 0}}",
    "model: {id: a, options: {stop: [1]}}",
    "model: {id: a, options: []}",
    "inputs: hello",
    "inputs: [{kind: string}]",
    "inputs: [{name: x}]",
    "inputs: [{name: x, kind: image}]",
    "inputs: [{name: x-y, kind: string}]",
    "inputs: [{name: self, kind: string}]",
    "inputs: {x: hello}",
    "inputs: {x: {kind: string, required: 1}}",
    "inputs: {x: {kind: string, nullable: true}}",
    "inputs: {x: {kind: string, sample: a}}",
    "inputs: {x: {kind: array}}",
    "inputs: {x: {kind: string, items: {kind: string}}}",
    "outputs: {a: {kind: text}}",
    "tools: [{name: f, kind: mcp}]",
    "tools: [{kind: function}]",
    "tools: [{name: a b, kind: function}]",
    "tools: [{type: x, function: {name: f}}]",
    "tools: [{name: f, kind: function, bindings: {}}]",
    "template: jinja2",
    "template: {format: jinja2}",
    "template: {format: mustache, parser: prompty}",
    "template: {format: {kind: jinja2, strict: false}, parser: prompty}",
    "instructions: hi",
    "messages: []",
    "messages: hi",
    "messages: [{role: tool, content: x}]",
    "messages: [{role: user}]",
    "messages: [{role: user, content: ''}]",
    "messages: [{role: user, content: x, name: y}]",
]


def parses(tmp_path: Path, text: str) -> bool:
    path = tmp_path / "t" / "v1.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    try:
        load_prompt_file(path, root=tmp_path)
    except PromptGateError:
        return False
    return True


def whole(text: str) -> str:
    used = "{{ x }}" if "name: x" in text or "{x: " in text else "Hi."
    return text if "messages:" in text else f"{text}\nmessages: [{{role: user, content: '{used}'}}]\n"


@pytest.mark.parametrize(("text", "right"), [*((each, True) for each in RIGHT), *((each, False) for each in WRONG)])
def test_schema_and_parser_agree(tmp_path: Path, text: str, right: bool) -> None:
    document = read_yaml(whole(text), file="v1.yaml", error=PromptError).value
    validator = jsonschema.Draft202012Validator(SCHEMA)

    assert (validator.is_valid(document), parses(tmp_path, whole(text))) == (right, right)


def test_the_schema_is_a_schema_and_knows_every_parameter() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    options = SCHEMA["properties"]["model"]["oneOf"][1]["properties"]["options"]["properties"]

    assert set(options) == {*CANONICAL, *PROMPTY, EXTRA}
