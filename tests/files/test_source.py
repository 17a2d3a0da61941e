"""YAML with places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.errors import PromptError, SuiteError
from pytest_promptgate.files.source import place_of, read_text, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.types import Json


def refusal(text: str) -> str:
    with pytest.raises(SuiteError) as caught:
        read_yaml(text, file="a.yaml", error=SuiteError)
    return str(caught.value)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        *[(word, word) for word in ("yes", "No", "on", "OFF", "y", "n", "nULL")],
        *[(word, word) for word in ("012", "0o14", "1_000", "1:30", "0b1", "+", ".", "1.2.3", "2024-01-31")],
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[(word, None) for word in ("null", "Null", "NULL", "~", "")],
        *[("7", 7), ("-1", -1), ("+2", 2), ("0x1F", 31), ("0", 0), ("-0.5", -0.5), (".5", 0.5), ("1e3", 1000.0)],
        *[("'7'", "7"), ('"true"', "true"), ("!!str 7", "7"), ("12345678901234567890", 12345678901234567890)],
    ],
)
def test_a_scalar_means_what_yaml_1_2_says_and_is_text_where_1_1_differs(scalar: str, value: Json) -> None:
    read = read_yaml(f"key: {scalar}", file="a.yaml", error=SuiteError).value

    assert read == {"key": value}
    assert isinstance(read, dict)
    assert type(read["key"]) is type(value)


def test_keys_that_yaml_1_1_takes_for_truth_values_stay_text() -> None:
    assert read_yaml("on: 1\nno: 2", file="a.yaml", error=SuiteError).value == {"on": 1, "no": 2}


def test_every_key_and_item_has_a_place() -> None:
    document = read_yaml("a:\n  b: [x, {c: 1}]\n", file="a.yaml", error=SuiteError)

    places = {route: str(place) for route, place in document.places.items()}

    assert places == {
        (): "a.yaml:1:1",
        ("a",): "a.yaml:1:1",
        ("a", "b"): "a.yaml:2:3",
        ("a", "b", 0): "a.yaml:2:7",
        ("a", "b", 1): "a.yaml:2:10",
        ("a", "b", 1, "c"): "a.yaml:2:11",
    }
    assert len(document.places) == 6
    assert str(place_of(document, ("a", "b", 1, "absent"))) == "a.yaml:2:10"


def test_places_count_from_the_line_on_which_the_text_starts() -> None:
    document = read_yaml("a: 1\nb: 2", file="v1.prompty", first_line=2, error=PromptError)

    assert str(document.places["b",]) == "v1.prompty:3:1"


def test_an_alias_repeats_a_value_and_is_placed_where_it_stands() -> None:
    document = read_yaml("a: &x [1, 2]\nb: *x", file="a.yaml", error=SuiteError)

    assert document.value == {"a": [1, 2], "b": [1, 2]}
    assert str(place_of(document, ("b", 1))) == "a.yaml:2:1"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeff"])
def test_an_empty_document_is_null(text: str) -> None:
    assert read_yaml(text, file="a.yaml", error=SuiteError).value is None


BOMB = "a: &a [0,0,0,0,0,0,0,0,0,0]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{below}'] * 10)}]\n" for below, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3", "a.yaml:3:1: duplicate key 'a'\n  It stands on line 1 already."),
        ("a:\n\tb: 1", ("a.yaml:2:1: not valid YAML: found character that cannot start any token\n"
         "  Indent with spaces; YAML allows no tabs there.")),
        ("a: b: c", ("a.yaml:1:5: not valid YAML: mapping values are not allowed in this context\n"
         "  A value that contains ': ' needs quotes; keys of one mapping start in the same column.")),
        ("a: @x", ("a.yaml:1:4: not valid YAML: found character that cannot start any token\n"
         "  A value that starts with '@' needs quotes.")),
        (
            "a: [1",
            "a.yaml:2:1: not valid YAML: did not find expected ',' or ']'\n"
            "  Look here and on the lines before: a bracket or a quote that is not closed, or an indent that is off.",
        ),
        ("a: {{ x }}", ("a.yaml:1:5: a list or mapping stands where a key is expected\n"
         "  A value that starts with '{' or '[' needs quotes.")),
        ("? [a]\n: 1", "a.yaml:1:3: a list or mapping stands where a key is expected\n  Keys are text."),
        ("a: &x b\n*x : 1", "a.yaml:2:1: an alias stands where a key is expected\n  Keys are text."),
        ("1: a", "a.yaml:1:1: the key 1 is not text\n  Quote it: '1'."),
        ("true: a", "a.yaml:1:1: the key true is not text\n  Quote it: 'true'."),
        ("b: 1\n<<: {a: 1}", "a.yaml:2:1: the merge key '<<' is not read\n  Write the keys out."),
        ("a: !!binary aGk=", "a.yaml:1:4: the tag !!binary is not read\n  Remove it; text is written in quotes."),
        ("a: !mine {}", "a.yaml:1:4: the tag !mine is not read\n  Remove it; text is written in quotes."),
        ("a: 1\n--- \nb: 2", "a.yaml:2:1: a second YAML document starts here\n  One file holds one document."),
        ("a: .nan", "a.yaml:1:4: .nan is not a finite number\n  Quote it if it is text."),
        ("a: 1e999", "a.yaml:1:4: 1e999 is too large for a number\n  Quote it if it is text."),
        ("a: &x [*x]", "a.yaml:1:8: alias *x names no finished value before it"),
        ("a: *x", "a.yaml:1:4: alias *x names no finished value before it"),
        ("- " * 70 + "x", "a.yaml:1:121: nested deeper than 60 levels"),
        ("a: x\n b\x1b: 1", "a.yaml:2:3: unprintable character U+001B"),
        (BOMB, "a.yaml:5:29: aliases repeat more than 100,000 values\n  Write the values out."),
        ("a" * 5_000_001, ("a.yaml:1:1: 5,000,001 characters of YAML; at most 5,000,000 are read\n"
         "  Split the file; a dataset of this size is better written as .jsonl.")),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place(text: str, told: str) -> None:
    assert refusal(text) == told


def test_text_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa4")

    assert read_text(path, error=SuiteError) == "a: ä"


def test_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xe4\n")

    with pytest.raises(SuiteError) as caught:
        read_text(path, error=SuiteError, name="evals/a.yaml")

    assert str(caught.value) == "evals/a.yaml:2: byte 0xe4 is not UTF-8\n  Save the file as UTF-8."


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PromptError) as caught:
        read_text(tmp_path / "a.yaml", error=PromptError, name="a.yaml")

    assert str(caught.value) == "a.yaml: no such file"


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(PromptError) as caught:
        read_text(tmp_path, error=PromptError, name="evals")

    assert str(caught.value) == "evals: cannot be read: Is a directory"
