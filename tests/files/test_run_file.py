"""A run as a file: the same value again, a schema that describes it, and clear words for what is no such file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_documents import made_document, made_report, made_suite, run_validator

from pytest_promptgate.core.excerpts import MOST, excerpt, excerpt_json
from pytest_promptgate.core.run_document import SCHEMA_VERSION, Mark, RunDocument
from pytest_promptgate.core.types import Errored, Part, Skipped, Unscored
from pytest_promptgate.errors import RunFileError
from pytest_promptgate.files.run_file import read_run, run_in, run_schema, run_text

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "pytest_promptgate" / "schemas" / "run.schema.json"

EVERY_GRADE = made_report(
    {"c-01": [1.0], "c-02": [1.0], "c-03": [("billing", "billing")], "c-04": [1.0], "c-05": [1.0]},
    {
        "c-01": [0.0],
        "c-02": [Unscored(reason="no verdict")],
        "c-03": [("shipping", "billing")],
        "c-04": [Errored(message="boom", moved=True)],
        "c-05": [Skipped(reason="the run ended")],
    },
)


def again(document: RunDocument) -> RunDocument:
    text = run_text(document)
    run_validator().validate(json.loads(text))
    return run_in(text.encode(), file="run.json")


def test_what_is_written_is_read_back_as_the_same_value() -> None:
    document = made_document(made_suite(), made_suite(EVERY_GRADE), notes=("one",), reasons=("why",))

    assert again(document) == document


def test_sets_and_choices_come_back_as_what_they_were() -> None:
    suite = made_suite()
    metric = suite.metrics[0]
    part = replace(metric, spec=replace(metric.spec, part=Part(name="language=de", cases=frozenset({"b", "a"}))))
    document = made_document(replace(suite, metrics=(part, replace(metric, measured=None))))

    assert again(document) == document
    assert json.loads(run_text(document))["suites"][0]["metrics"][0]["spec"]["part"]["cases"] == ["a", "b"]


HARD = st.text(st.characters(categories=("L", "N", "P", "Cc", "Cf", "Cs", "Zl", "So")), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | HARD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HARD, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(text=HARD, value=VALUES)
def test_whatever_models_say_and_rows_hold_comes_back(text: str, value: object) -> None:
    report = made_report(new={"c-01": text}, old={"c-01": text}, inputs={"c-01": {"message": value}})  # type: ignore[dict-item]
    document = made_document(made_suite(report))

    assert again(document) == document


def test_long_texts_are_cut_and_tell_their_length_and_digest() -> None:
    report = made_report(new={"c-01": "x" * (MOST + 1)}, inputs={"c-01": {"message": ["y" * MOST]}})
    case = made_suite(report).cases[0]
    answer = case.now[0].answer

    assert answer is not None
    assert answer.text == "x" * MOST + f"… [cut: {MOST + 1} characters, sha256 " + answer.text[-17:-1] + "]"
    assert str(case.inputs["message"]).startswith('["yyy')
    assert excerpt("x" * MOST) == "x" * MOST
    assert excerpt_json({"a": [1, None]}) == {"a": [1, None]}


def test_cases_are_marked_with_what_matters_most_first() -> None:
    cases = made_suite(EVERY_GRADE).cases

    assert [case.marks for case in cases[1:]] == [(Mark.UNSCORED,), (Mark.SAME,), (Mark.ERRORED,), (Mark.SKIPPED,)]
    assert [case.marks for case in made_suite().cases] == [(Mark.WORSE,), (Mark.SAME,), (Mark.BETTER,)]


def test_the_schema_in_the_package_and_in_the_docs_is_that_of_the_code() -> None:
    """Whoever changes the document raises SCHEMA_VERSION, then writes both files anew from `run_schema()`."""
    jsonschema.Draft202012Validator.check_schema(json.loads(run_schema()))

    assert SCHEMA.read_text(encoding="utf-8") == run_schema()
    assert (ROOT / "docs" / "run.schema.json").read_text(encoding="utf-8") == run_schema()


def damaged(**changes: object) -> bytes:
    return json.dumps({**json.loads(run_text(made_document())), **changes}).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            damaged(schema_version=SCHEMA_VERSION + 1),
            "run.json: it is of schema version 2, and this pytest-promptgate reads up to 1\n"
            "  Update pytest-promptgate, or write the run anew with this one.",
        ),
        (damaged(schema_version=True), "run.json: schema_version is true: expected a whole number from 1"),
        (b"[]", "run.json: it is no run document: it has no schema_version"),
        (b'{"schema_version": 1', "run.json:1:21: no valid JSON: Expecting ',' delimiter"),
        (b'{"schema_version": NaN}', "run.json: no valid JSON: NaN is no JSON number"),
        (b"\xff", "run.json: it is not UTF-8"),
        (b"[" * 200_000, "run.json: no valid JSON: "),
        (b'{"schema_version": 1}', "run.json: 'status' is missing"),
        (damaged(status="fine"), 'run.json: status: expected one of complete, interrupted, broke, found "fine"'),
        (damaged(exit_code="1"), 'run.json: exit_code: expected a whole number, found "1"'),
        (damaged(seconds=None), "run.json: seconds: expected a number, found null"),
        (damaged(extra=1), "run.json: extra: this version of pytest-promptgate knows no such key"),
        (damaged(suites={}), "run.json: suites: expected a list, found {}"),
    ],
)
def test_what_is_no_run_is_told_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(RunFileError) as caught:
        run_in(data, file="run.json")

    hint = "\n  Write it anew: pytest --prompt-evals --prompt-report run.json"
    assert str(caught.value).removesuffix(hint) == message or (
        message.endswith("no valid JSON: ") and str(caught.value).startswith(message)
    )


def test_a_score_that_is_no_number_is_told_with_its_path() -> None:
    text = run_text(made_document()).replace('"kind":"score"', '"kind":"guess"', 1)

    with pytest.raises(
        RunFileError, match=r"suites\[0\]\.cases\[0\]\.before\[0\]\.grades\.queue\.kind: expected one of"
    ):
        run_in(text.encode(), file="run.json")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFileError) as caught:
        read_run(tmp_path / "run.json")

    assert str(caught.value) == f"{tmp_path / 'run.json'}: it cannot be read: No such file or directory"
