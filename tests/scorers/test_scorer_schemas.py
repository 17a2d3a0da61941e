from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from scorer_rows import bare_row, score

from pytest_promptgate.core.types import Completion
from pytest_promptgate.scorers.schemas import IsJson, JsonSchema

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"qty": {"$ref": "#/$defs/count"}, "sku": {"type": "string"}},
    "required": ["sku"],
    "$defs": {"count": {"type": "integer", "minimum": 1}},
}


@pytest.mark.parametrize(
    ("kind", "answered", "value", "reason"),
    [
        (None, "{}", 1.0, ""),
        (None, " 1 ", 1.0, ""),
        (None, "null", 1.0, ""),
        (None, "{", 0.0, "not JSON at line 1, column 2: '{'"),
        (None, "", 0.0, "the answer is empty"),
        (None, "NaN", 0.0, "NaN is no JSON number"),
        ("object", "{}", 1.0, ""),
        ("object", "[]", 0.0, "the answer is of kind array, expected object"),
        ("number", "1.5", 1.0, ""),
        ("number", "true", 0.0, "the answer is of kind boolean, expected number"),
        ("string", '"x"', 1.0, ""),
        ("null", "null", 1.0, ""),
    ],
)
def test_is_json_tells_json_from_other_text(kind: str | None, answered: str, value: float, reason: str) -> None:
    found = score(IsJson(kind=kind), answered)
    assert (found.value, found.reason) == (value, reason)


def test_is_json_accepts_a_code_block_if_the_suite_says_so() -> None:
    assert score(IsJson(), "```json\n{}\n```").value == 0.0
    assert score(IsJson(fenced=True), "```json\n{}\n```").value == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"kind": "objekt"},
            "kind cannot be 'objekt'. Did you mean 'object'? Accepted: array, boolean, null, number, object, string",
        ),
        ({"fenced": 1}, "fenced must be true or false, not 1"),
    ],
)
def test_is_json_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        IsJson(**settings)
    assert str(told.value) == message


@pytest.mark.parametrize(
    ("answered", "value", "reason"),
    [
        ('{"sku": "A", "qty": 1}', 1.0, ""),
        ('{"sku": "A", "qty": 1.0}', 1.0, ""),
        ('{"sku": "A", "qty": 0}', 0.0, "$.qty is 0, the schema says minimum: 1"),
        ('{"sku": "A", "qty": true}', 0.0, '$.qty is true, the schema says type: "integer"'),
        ('{"qty": 1}', 0.0, '$ is {"qty": 1}, the schema says required: ["sku"]'),
        ("sorry", 0.0, "not JSON at line 1, column 1: 'sorry'"),
        ('{"sku": "A", "sku": "B"}', 0.0, "the key 'sku' stands twice in one object"),
    ],
)
def test_json_schema_tells_what_the_schema_allows(answered: str, value: float, reason: str) -> None:
    found = score(JsonSchema(schema=SCHEMA), answered)
    assert (found.value, found.reason) == (value, reason)


def test_a_schema_can_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "order.schema.json"
    path.write_text('{"$schema": "http://json-schema.org/draft-07/schema#", "type": "array"}', encoding="utf-8")
    scorer = JsonSchema(schema=str(path))
    assert scorer.schema == {"$schema": "http://json-schema.org/draft-07/schema#", "type": "array"}
    assert score(scorer, "[]").value == 1.0
    assert score(scorer, "{}").value == 0.0


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objekt"}, "schema is no JSON Schema: $.type: 'objekt' is not valid under any of the given schemas"),
        (3, "schema must be a JSON Schema (a mapping) or the path of a JSON file that holds one, not 3"),
        (
            {"$ref": "https://example.com/order.json"},
            "schema refers to 'https://example.com/order.json'; only references inside the schema (#/…) are followed",
        ),
        ({"items": {"$ref": "#/$defs/order"}}, "schema refers to '#/$defs/order', which it does not hold"),
        ("none.json", "schema 'none.json' cannot be read: No such file or directory"),
    ],
)
def test_json_schema_refuses_what_is_no_schema(schema: Any, message: str) -> None:
    with pytest.raises(ValueError) as told:
        JsonSchema(schema=schema)
    assert str(told.value) == message


def test_a_schema_file_that_is_not_json_is_told(tmp_path: Path) -> None:
    path = tmp_path / "order.schema.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError) as told:
        JsonSchema(schema=str(path))
    assert str(told.value) == f"schema {str(path)!r} is not JSON at line 1, column 2"


def test_a_schema_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "order.schema.json"
    path.write_bytes(b'{"title": "\xff"}')
    with pytest.raises(ValueError) as told:
        JsonSchema(schema=str(path))
    assert str(told.value) == f"schema {str(path)!r} is not UTF-8 text"


def test_a_schema_that_refers_to_itself_without_end_is_an_error_of_its_case() -> None:
    with pytest.raises(RecursionError):
        JsonSchema(schema={"$ref": "#"})(Completion(text="1"), bare_row())


def test_a_pattern_in_a_schema_has_a_time_limit() -> None:
    schema: Any = {"properties": {"sku": {"type": "string", "pattern": "^(a+)+$"}}}
    scorer = JsonSchema(schema=schema)

    assert score(scorer, '{"sku": "aaa"}').value == 1.0
    assert score(scorer, '{"sku": "b"}').reason == '$.sku is "b", the schema says pattern: "^(a+)+$"'
    with pytest.raises(TimeoutError) as told:
        score(scorer, json.dumps({"sku": "a" * 40 + "!"}))
    assert str(told.value).startswith("the pattern took more than 2 s on an answer of 41 characters; ")
