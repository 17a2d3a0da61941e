"""YAML texts in which one value is replaced."""

from __future__ import annotations

import pytest

from pytest_promptgate.errors import SuiteError
from pytest_promptgate.files.yaml_edits import with_key, with_text


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("model: {id: old, x: 1}  # kept\n", "model: {id: new/model-1, x: 1}  # kept\n"),
        (
            "# top\nmodel:\n  id:   'old'   # kept\r\n  x: 1\r\n",
            "# top\nmodel:\n  id:   'new/model-1'   # kept\r\n  x: 1\r\n",
        ),
        ('a: "ü…"\nmodel: {"id": "old"}', 'a: "ü…"\nmodel: {"id": "new/model-1"}'),
    ],
)
def test_only_the_value_changes(text: str, edited: str) -> None:
    assert with_text(text, ("model", "id"), "new/model-1", file="x.yaml", error=SuiteError) == edited


def test_what_needs_quotes_gets_them() -> None:
    assert with_text("m: old", ("m",), "a: b", file="x", error=SuiteError) == 'm: "a: b"'


def test_a_new_key_stands_below_another() -> None:
    found = with_key("prompt: a@v1 # why\nx: 1\n", "model", "p/m", after="prompt", file="x", error=SuiteError)

    assert found == "prompt: a@v1 # why\nmodel: p/m\nx: 1\n"
    assert (
        with_key("prompt: a", "model", "p/m", after="prompt", file="x", error=SuiteError) == "prompt: a\nmodel: p/m\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: [a]", "x.yaml: model is no single text\n  Edit it by hand."),
        ("other: a", "x.yaml: model is no single text\n  Edit it by hand."),
        (
            "model: >-\n  old\nx: 1\n",
            "x.yaml: model cannot be set to 'new' without changing something else\n  Edit it by hand.",
        ),
        (
            "model: &m old\njudge: *m\n",
            "x.yaml: model cannot be set to 'new' without changing something else\n  Edit it by hand.",
        ),
    ],
)
def test_what_cannot_be_changed_alone_is_left(text: str, message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        with_text(text, ("model",), "new", file="x.yaml", error=SuiteError)

    assert str(caught.value) == message


def test_a_key_below_a_flow_mapping_is_refused() -> None:
    with pytest.raises(SuiteError) as caught:
        with_key("{prompt: a,\n x: 1}", "model", "m", after="prompt", file="x", error=SuiteError)

    assert str(caught.value) == ("x: model cannot be set to 'm' without changing something else\n  Edit it by hand.")
