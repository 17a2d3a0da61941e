"""Scorers of form: is_json and json_schema."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_promptgate.core.types import Score
from pytest_promptgate.scorers.parsing import NotJsonError, parse_json
from pytest_promptgate.scorers.patterns import captured
from pytest_promptgate.scorers.quoting import quoted_json, quoted_path
from pytest_promptgate.scorers.settings import choice, flag, wrong

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

    from pytest_promptgate.core.types import Case, Completion, Json

_PATTERN_S = 2.0  # seconds for one match, as in the scorer `regex`
_KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IsJson:
    """1.0 if the answer is one JSON value, else 0.0.

    Attributes:
        kind: object, array, string, number, boolean or null: only this; None: any.
        fenced: The answer may be one Markdown code block.
    """

    kind: str | None = None
    fenced: bool = False

    revision: ClassVar[int] = 1
    reads_json: ClassVar[bool] = True
    needs_expected: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.kind is not None:
            choice("kind", self.kind, _KINDS)
        flag("fenced", self.fenced)

    def __call__(self, completion: Completion, case: Case) -> Score:  # noqa: ARG002 - a scorer's signature
        try:
            value = parse_json(completion.text, fenced=self.fenced)
        except NotJsonError as error:
            return Score(value=0.0, reason=str(error))
        kind = _kind(value)
        if self.kind in (None, kind):
            return Score(value=1.0)
        return Score(value=0.0, reason=f"the answer is of kind {kind}, expected {self.kind}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchema:
    """1.0 if the answer is JSON that the schema allows, else 0.0.

    Attributes:
        schema: A JSON Schema written in the suite, or the path of a JSON file, relative to the suite file.
            After construction always the schema itself, so that it is part of the fingerprint.
        fenced: The answer may be one Markdown code block.
    """

    schema: Mapping[str, Json] | str = field(metadata={"path": True})
    fenced: bool = False

    revision: ClassVar[int] = 1
    reads_json: ClassVar[bool] = True
    needs_expected: ClassVar[bool] = False

    def __post_init__(self) -> None:
        flag("fenced", self.fenced)
        schema = _read(self.schema) if isinstance(self.schema, str) else self.schema
        if not isinstance(schema, Mapping):
            raise wrong("schema", "a JSON Schema (a mapping) or the path of a JSON file that holds one", schema)
        _check_schema(schema)
        object.__setattr__(self, "schema", schema)

    def __call__(self, completion: Completion, case: Case) -> Score:  # noqa: ARG002 - a scorer's signature
        from jsonschema.exceptions import best_match

        try:
            value = parse_json(completion.text, fenced=self.fenced)
        except NotJsonError as error:
            return Score(value=0.0, reason=str(error))
        assert isinstance(self.schema, Mapping)
        fault = best_match(_validator(self.schema).iter_errors(value))
        if fault is None:
            return Score(value=1.0)
        where = quoted_path(list(fault.absolute_path))
        rule = f"{fault.validator}: {quoted_json(fault.validator_value)}"
        return Score(value=0.0, reason=f"{where} is {quoted_json(fault.instance)}, the schema says {rule}")


def _kind(value: Json) -> str:
    return next(name for name, types in _KINDS.items() if type(value) in types)


def _read(path: str) -> object:
    try:
        found: object = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"schema {path!r} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"schema {path!r} is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"schema {path!r} is not JSON at line {error.lineno}, column {error.colno}") from error
    return found


def _validator(schema: Mapping[str, Json]) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    # An empty registry: a reference to elsewhere is never fetched.
    registry: Registry[Any] = Registry()
    return _limited(validator_for(schema, default=Draft202012Validator))(schema, registry=registry)


@functools.cache
def _limited(draft: Any) -> Any:
    """A draft's validator whose patterns cannot hang a run."""
    from jsonschema.validators import extend

    return extend(draft, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def _pattern(validator: Any, pattern: str, instance: object, _schema: object) -> Iterator[ValidationError]:
    """jsonschema's own check of a text, within a time limit; raises TimeoutError."""
    from jsonschema.exceptions import ValidationError

    if validator.is_type(instance, "string"):
        assert isinstance(instance, str)
        if captured(pattern, instance, flags=0, full=False, group=0, timeout_s=_PATTERN_S) is None:
            yield ValidationError(f"{quoted_json(instance)} does not match {pattern!r}")


def _check_schema(schema: Mapping[str, Json]) -> None:
    from jsonschema.exceptions import SchemaError

    try:
        _validator(schema).check_schema(schema)
    except SchemaError as error:
        raise ValueError(
            f"schema is no JSON Schema: {quoted_path(list(error.absolute_path))}: {error.message}"
        ) from error
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise ValueError(f"schema refers to {reference!r}; only references inside the schema (#/…) are followed")
        _check_reference(schema, reference)


def _check_reference(schema: Mapping[str, Json], reference: str) -> None:
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    root: Resource[Any] = Resource.from_contents(schema, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry()
    try:
        registry.resolver_with_root(root).lookup(reference)
    except Unresolvable as error:
        raise ValueError(f"schema refers to {reference!r}, which it does not hold") from error


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference
        for each in schema.values():
            yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)
