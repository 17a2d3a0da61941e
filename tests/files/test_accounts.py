"""accounts.json: a hint that is never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_promptgate.files.accounts import read_limits, write_limits


def test_limits_come_back_and_those_of_other_accounts_stay(tmp_path: Path) -> None:
    path = tmp_path / "new" / "accounts.json"
    write_limits(path, {"openai https://api.openai.com/v1": 48})
    write_limits(path, {"local http://127.0.0.1:1/v1": 3})
    assert path.read_text() == (
        '{\n "limits": {\n  "local http://127.0.0.1:1/v1": 3,\n  "openai https://api.openai.com/v1": 48\n }\n}\n'
    )
    assert read_limits(path) == {"local http://127.0.0.1:1/v1": 3, "openai https://api.openai.com/v1": 48}


def test_a_missing_file_knows_nothing(tmp_path: Path) -> None:
    assert read_limits(tmp_path / "accounts.json") == {}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"limits"', '{"limits": 3}', '{"limits": [1]}', "\ufeff{}", "[" * 100_000, '{"other": {}}'],
)
def test_a_damaged_file_knows_nothing_and_is_replaced(text: str, tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text(text, encoding="utf-8")
    assert read_limits(path) == {}
    write_limits(path, {"a": 1})
    assert read_limits(path) == {"a": 1}


def test_entries_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text('{"limits": {"a": 0, "b": -3, "c": 1.5, "d": true, "e": "8", "f": 1e9, "g": 1000000, "h": 8}}')
    assert read_limits(path) == {"h": 8}


def test_where_nothing_can_be_written_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    write_limits(tmp_path / "file" / "accounts.json", {"a": 1})
