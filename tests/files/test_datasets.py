"""Rows of every format, and every way a dataset can be wrong: the whole texts."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet
import pytest

from pytest_promptgate import toolbox
from pytest_promptgate.core.ports import Row
from pytest_promptgate.errors import DatasetError, Place, PromptGateError
from pytest_promptgate.files.datasets import load_rows
from pytest_promptgate.files.offers import promptgate_dataset_loaders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import Json

WHERE = Place(file="evals/a.eval.yaml", line=2, column=10)
LOADERS = promptgate_dataset_loaders()


def load(root: Path, name: str, content: str | bytes) -> Sequence[Row]:
    path = root / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return load_rows(path, where=WHERE, loaders=LOADERS, root=root)


def told(root: Path, name: str, content: str | bytes) -> str:
    with pytest.raises(PromptGateError) as caught:
        load(root, name, content)
    return str(caught.value)


def parquet(root: Path, **columns: Any) -> bytes:
    pyarrow.parquet.write_table(pyarrow.table(columns), root / "made.parquet")
    return (root / "made.parquet").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.jsonl", '{"id": "t-1", "n": "1"}\n\n  {"id": "t-2", "n": ""}  \r\n', [1, 3]),
        ("a.json", '[\n{"id": "t-1", "n": "1"},\n\n{"id": "t-2", "n": ""}]\n', [2, 4]),
        ("a.yaml", "- {id: t-1, n: '1'}\n- id: t-2\n  n: ''\n", [1, 2]),
        ("a.yml", "- {id: t-1, n: '1'}\n- id: t-2\n  n: ''\n", [1, 2]),
        ("a.csv", 'id,n\nt-1,1\n\n"t-2",\n', [2, 4]),
        ("a.tsv", "id\tn\r\nt-1\t1\r\nt-2\t\r\n", [2, 3]),
        ("A.CSV", "id,n\nt-1,1\nt-2,\n", [2, 3]),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, content: str, lines: list[int], mark: str) -> None:
    assert load(tmp_path, name, mark + content) == [
        Row(fields={"id": "t-1", "n": "1"}, line=lines[0]),
        Row(fields={"id": "t-2", "n": ""}, line=lines[1]),
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_json_values_stay_as_they_are_written(tmp_path: Path, name: str) -> None:
    fields: dict[str, Json] = {
        "whole": 1,
        "float": 1.0,
        "large": 12345678901234567890,
        "null": None,
        "true": True,
        "text": "\u2028 {{ 7*7 }} 😀 \\",
        "list": [[], {"a": 1}],
        "": "",
    }
    line = json.dumps(fields)
    (row,) = load(tmp_path, name, f"[{line}]" if name == "a.json" else line)

    assert repr(row.fields) == repr(fields)


def test_a_line_separator_inside_a_json_text_ends_no_line(tmp_path: Path) -> None:
    (row,) = load(tmp_path, "a.jsonl", '{"a": "x\u2028y\x85z"}')

    assert row.fields == {"a": "x\u2028y\x85z"}


def test_csv_cells_are_text_and_may_hold_line_ends_and_quotes(tmp_path: Path) -> None:
    rows = load(tmp_path, "a.csv", 'id,text\n007,"a, ""b""\nc"\n1e3,null\n')

    assert rows == [
        Row(fields={"id": "007", "text": 'a, "b"\nc'}, line=2),
        Row(fields={"id": "1e3", "text": "null"}, line=4),
    ]


def test_a_csv_cell_may_be_long(tmp_path: Path) -> None:
    (row,) = load(tmp_path, "a.csv", f"text\n{'x' * 1_000_000}\n")

    assert row.fields == {"text": "x" * 1_000_000}


def test_parquet_values_become_what_json_can_hold(tmp_path: Path) -> None:
    content = parquet(
        tmp_path,
        whole=[1, None],
        day=[datetime.date(2026, 1, 31), None],
        moment=[datetime.datetime(2026, 1, 31, 12, 30, tzinfo=datetime.UTC), None],
        price=[decimal.Decimal("12.50"), decimal.Decimal("3.00")],
        tags=[["a", "b"], []],
        nested=[{"a": 1.5}, {"a": None}],
        text=["x", None],
    )
    first, second = load(tmp_path, "a.parquet", content)

    assert first.fields == {
        "whole": 1,
        "day": "2026-01-31",
        "moment": "2026-01-31T12:30:00+00:00",
        "price": 12.5,
        "tags": ["a", "b"],
        "nested": {"a": 1.5},
        "text": "x",
    }
    assert (second.fields["whole"], second.fields["price"], second.fields["text"]) == (None, 3, None)
    assert first.line is None


def test_yaml_dates_and_old_words_stay_text(tmp_path: Path) -> None:
    (row,) = load(tmp_path, "a.yaml", "- {day: 2026-01-31, answer: yes, code: 012}\n")

    assert row.fields == {"day": "2026-01-31", "answer": "yes", "code": "012"}


RETURNED = "  A loader returns a list of pytest_promptgate.Row."
SUFFIXES = "Datasets can be: .csv, .json, .jsonl, .parquet, .tsv, .yaml, .yml."
SHAPE = '\n  A dataset is a list of objects: [{"id": "t-1", …}, …].'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "", "a.jsonl: no rows\n  A dataset without cases would pass whatever happens."),
        ("a.jsonl", "\n \n", "a.jsonl: no rows\n  A dataset without cases would pass whatever happens."),
        (
            "a.jsonl",
            '{"a": 1}\n  {"b": 2,}',
            "a.jsonl:2:11: not valid JSON: expecting property name enclosed in double quotes",
        ),
        ("a.jsonl", '{"a": 1}\n{"b"', "a.jsonl:2:5: not valid JSON: expecting ':' delimiter"),
        ("a.jsonl", '{"a": 1} {"b": 2}\n', "a.jsonl:1:9: text after the object\n  One line holds one object."),
        (
            "a.jsonl",
            '[{"a": 1}]',
            "a.jsonl:1: a row must be an object, not a list\n  A file that holds one list is called .json.",
        ),
        ("a.jsonl", '{"a": 1}\n3\n', "a.jsonl:2: a row must be an object, not 3"),
        ("a.jsonl", "{}\n", "a.jsonl:1: an object without a key"),
        ("a.jsonl", '{"a": {"b": 1, "b": 2}}', "a.jsonl:1: the key 'b' stands twice in one object"),
        ("a.jsonl", '{"a": NaN}', "a.jsonl:1: NaN is not a finite number"),
        ("a.jsonl", '{"a": 1}\n{"a": [-Infinity]}', "a.jsonl:2: -Infinity is not a finite number"),
        ("a.jsonl", '{"a": 1e999}', "a.jsonl:1: 1e999 is too large for a number"),
        ("a.jsonl", '{"a": ' + "1" * 5000 + "}", "a.jsonl:1: a number with too many digits"),
        ("a.jsonl", "[" * 100_000, "a.jsonl:1: nested too deep"),
        ("a.jsonl", '{"a": 1}\n{"a": "\\ud83d"}', "a.jsonl:2: half a character: a lone surrogate, such as \\ud83d"),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xe9"}', "a.jsonl:2: byte 0xe9 is not UTF-8\n  Save the file as UTF-8."),
        ("a.jsonl", '{"a": 1}\n\0', "a.jsonl:2: a NUL byte: this is no text file\n  Save it as UTF-8 text."),
        (
            "a.jsonl",
            "version https://git-lfs.github.com/spec/v1\n",
            "a.jsonl:1: a Git LFS pointer, not the file itself\n  Run: git lfs pull",
        ),
        ("a.json", " \n", f"a.json: the file is empty{SHAPE}"),
        ("a.json", "[ ]", "a.json: no rows\n  A dataset without cases would pass whatever happens."),
        (
            "a.json",
            '{"a": 1}\n{"a": 2}',
            "a.json:1:1: not a list of objects\n  A file with one object a line is called .jsonl.",
        ),
        ("a.json", '\n "x"', f"a.json:2:2: not a list of objects{SHAPE}"),
        ("a.json", '[{"a": 1},\n [2]]', f"a.json:2: a row must be an object, not a list{SHAPE}"),
        ("a.json", '[{"a": 1},\n {"a": 1 "b"}]', "a.json:2:10: not valid JSON: expecting ',' delimiter"),
        ("a.json", '[{"a": 1},\n {"a":\n NaN}]', "a.json:2: NaN is not a finite number"),
        ("a.json", '[{"a": 1}\n {"a": 2}]', "a.json:2:2: not valid JSON: ',' or ']' expected"),
        ("a.json", '[{"a": 1},\n]', "a.json:2:1: not valid JSON: expecting value"),
        ("a.json", '[{"a": 1}', "a.json:1:10: not valid JSON: ',' or ']' expected"),
        ("a.json", '[{"a": 1}]\n x', "a.json:2:2: text after the list"),
        ("a.json", '[{"a": 1, "a": 1}]', "a.json:1: the key 'a' stands twice in one object"),
        ("a.yaml", "# nothing\n", "a.yaml: the file is empty\n  A dataset is a list of mappings."),
        ("a.yaml", "a: 1\n", "a.yaml:1:1: not a list of mappings\n  Begin each row with a dash."),
        ("a.yaml", "- {a: 1}\n- b\n", "a.yaml:2: a row must be an object, not 'b'\n  A dataset is a list of mappings."),
        ("a.yaml", "- a: 1\n  a: 2\n", "a.yaml:2:3: duplicate key 'a'\n  It stands on line 1 already."),
        ("a.yaml", "- {a: .nan}\n", "a.yaml:1:7: .nan is not a finite number\n  Quote it if it is text."),
        ("a.csv", "", "a.csv: the file is empty\n  The first line names the columns."),
        ("a.csv", "id,text\n\n", "a.csv:1: a header and no rows"),
        (
            "a.csv",
            "id,text\nt-1,a\nt-2,b, c\n",
            "a.csv:3: 3 cells where the header has 2 columns\n  A cell with a separator in it needs quotes.",
        ),
        ("a.csv", 'id,text\nt-1,"a\nb"\nt-2\n', "a.csv:4: 1 cells where the header has 2 columns"),
        ("a.csv", "id,text,id\n1,2,3\n", "a.csv:1: two columns are named 'id'"),
        ("a.csv", "id,,text\n1,2,3\n", "a.csv:1: column 2 has no name"),
        ("a.csv", "id, text\n1,2\n", "a.csv:1: the column name ' text' begins or ends with white space"),
        (
            "a.csv",
            "id;text\n1;2\n",
            "a.csv:1: one column, 'id;text', with ';' in its name\n  Separate the cells by commas.",
        ),
        (
            "a.tsv",
            "id,text\n1,2\n",
            "a.tsv:1: one column, 'id,text', with ',' in its name\n  Separate the cells by tabs.",
        ),
        (
            "a.csv",
            'id,text\n1,a\n2,"b\n3,c\n',
            "a.csv:3: not readable: unexpected end of data\n  A quoted cell that begins here never ends.",
        ),
        (
            "a.csv",
            'id,text\n1,"a"b\n',
            "a.csv:2: not readable: ',' expected after '\"'\n  Inside a quoted cell a quote is written twice: \"\".",
        ),
        ("a.csv", b"id,text\n1,caf\xe9\n", "a.csv:2: byte 0xe9 is not UTF-8\n  Save the file as UTF-8."),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    assert told(tmp_path, name, content) == message


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1.0, float("nan")]}, "a.parquet: row 2, column 'a': nan is not a finite number"),
        ({"a": [[float("inf")]]}, "a.parquet: row 1, column 'a': inf is not a finite number"),
        (
            {"a": [b"x"]},
            "a.parquet: row 1, column 'a': a value of type bytes, which is no text, number, list or object",
        ),
        ({"a": []}, "a.parquet: no rows\n  A dataset without cases would pass whatever happens."),
    ],
)
def test_a_fault_in_parquet_is_told_with_row_and_column(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    assert told(tmp_path, "a.parquet", parquet(tmp_path, **columns)) == message


def test_two_parquet_columns_of_one_name_are_told(tmp_path: Path) -> None:
    table = pyarrow.table([pyarrow.array([1]), pyarrow.array([2])], names=["a", "a"])
    pyarrow.parquet.write_table(table, tmp_path / "made.parquet")

    assert told(tmp_path, "a.parquet", (tmp_path / "made.parquet").read_bytes()) == (
        "a.parquet: two columns are named 'a'"
    )


def test_what_is_no_parquet_file_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "a.parquet", "id,text\n").startswith("a.parquet: not a readable parquet file: ")


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = parquet(tmp_path, a=[1])
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert told(tmp_path, "a.parquet", content) == (
        "a.parquet: reading .parquet needs pyarrow, which is not installed\n"
        "  Run: pip install 'pytest-promptgate[parquet]'"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "a.jsnl",
            f"no loader for the suffix '.jsnl' of a.jsnl\n  Did you mean '.jsonl'? {SUFFIXES}",
        ),
        (
            "rows",
            f"no loader for a name without suffix of rows\n  {SUFFIXES}",
        ),
        (
            "supprt.csv",
            "dataset supprt.csv: no such file\n  Did you mean 'support.csv'? Files there: dir.csv, support.csv.",
        ),
        ("no/a.csv", "dataset no/a.csv: no such file\n  There is no directory 'no' either."),
        ("dir.csv", "dataset dir.csv: is a directory, not a file"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_at_the_place_that_says_it(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "support.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "dir.csv").mkdir()

    with pytest.raises(DatasetError) as caught:
        load_rows(tmp_path / name, where=WHERE, loaders=LOADERS, root=tmp_path)

    assert str(caught.value) == f"evals/a.eval.yaml:2:10: {message}"


def test_without_a_root_messages_name_the_whole_path(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n", encoding="utf-8")

    with pytest.raises(DatasetError) as caught:
        load_rows(tmp_path / "a.csv", where=WHERE, loaders=LOADERS)

    assert str(caught.value) == f"{(tmp_path / 'a.csv').as_posix()}:1: a header and no rows"


def test_a_plugins_loader_that_breaks_is_told(tmp_path: Path) -> None:
    def broken(path: str) -> Sequence[Row]:
        raise RuntimeError("cannot\x1b[2J parse")

    def wrong(path: str) -> Any:
        return [{"a": 1}]

    (tmp_path / "a.own").write_text("x", encoding="utf-8")
    messages = []
    for loader in (broken, wrong):
        with pytest.raises(DatasetError) as caught:
            load_rows(tmp_path / "a.own", where=WHERE, loaders={".own": loader}, root=tmp_path)
        messages.append(str(caught.value))

    assert messages == [
        r"a.own: the loader of .own files failed: RuntimeError: cannot\x1b[2J parse",
        f"a.own: the loader of .own files did not return a sequence of rows\n{RETURNED}",
    ]


def test_the_formats_come_through_the_hook() -> None:
    assert set(toolbox.collect(toolbox.new_manager(), {}).loaders) == {
        ".jsonl",
        ".json",
        ".yaml",
        ".yml",
        ".csv",
        ".tsv",
        ".parquet",
    }


@pytest.mark.parametrize("content", ['{"a": 1}\n', "broken"])
def test_the_garbage_collector_is_left_as_it_was(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.jsonl").write_text(content, encoding="utf-8")
    for wanted in (True, False):
        (gc.enable if wanted else gc.disable)()
        with contextlib.suppress(DatasetError):
            load_rows(tmp_path / "a.jsonl", where=WHERE, loaders=LOADERS)
        seen = gc.isenabled()
        gc.enable()
        assert seen is wanted


def test_directories_called_name_is_value_add_no_columns_to_parquet(tmp_path: Path) -> None:
    directory = tmp_path / "day=1"
    directory.mkdir()

    (row,) = load(directory, "a.parquet", parquet(tmp_path, a=[1]))

    assert row.fields == {"a": 1}
