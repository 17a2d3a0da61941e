"""``run.json``: one run as a file. What is written is read back as the same value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

from pytest_promptgate.core.run_document import SCHEMA_VERSION, RunDocument
from pytest_promptgate.errors import Place, RunFileError
from pytest_promptgate.files.canonical_json import encode
from pytest_promptgate.files.shapes import WrongShapeError
from pytest_promptgate.files.typed_json import decoder, encoder
from pytest_promptgate.files.typed_schema import schema_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.types import Json

_HINT = "Write it anew: pytest --prompt-evals --prompt-report run.json"


def run_text(document: RunDocument) -> str:
    """The text of a run's file: one line of JSON, the same for the same run."""
    return encode(encoder(RunDocument)(document)) + "\n"


def read_run(path: Path) -> RunDocument:
    """The run in a file.

    Raises:
        RunFileError: It cannot be read, is of a newer version, or is damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunFileError(str(path), f"it cannot be read: {error.strerror or error}") from None
    return run_in(data, file=str(path))


def run_in(data: bytes, *, file: str) -> RunDocument:
    """The run in the bytes of such a file; raises as `read_run`."""
    value = _json(data, file)
    if not isinstance(value, dict) or "schema_version" not in value:
        raise RunFileError(file, "it is no run document: it has no schema_version", hint=_HINT)
    version = value["schema_version"]
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise RunFileError(file, f"schema_version is {json.dumps(version)[:40]}: expected a whole number from 1")
    if version > SCHEMA_VERSION:
        what = f"it is of schema version {version}, and this pytest-promptgate reads up to {SCHEMA_VERSION}"
        raise RunFileError(file, what, hint="Update pytest-promptgate, or write the run anew with this one.")
    try:
        found = decoder(RunDocument)(value)
    except WrongShapeError as error:
        raise RunFileError(file, str(error), hint=_HINT) from None
    assert isinstance(found, RunDocument)
    return found


def run_schema() -> str:
    """The JSON Schema of such a file, as it is kept in ``schemas/run.schema.json``."""
    whole = schema_of(RunDocument, title="A run of pytest-promptgate, as --prompt-report run.json writes it")
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _json(data: bytes, file: str) -> Json:
    try:
        value: Json = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise RunFileError(file, "it is not UTF-8", hint=_HINT) from None
    except json.JSONDecodeError as error:
        place = Place(file=file, line=error.lineno, column=error.colno)
        raise RunFileError(place, f"no valid JSON: {error.msg}", hint=_HINT) from None
    except (ValueError, RecursionError) as error:
        raise RunFileError(file, f"no valid JSON: {error}", hint=_HINT) from None
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")
