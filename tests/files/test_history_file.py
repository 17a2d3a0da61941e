"""`promptgate.history.jsonl`: lines are added, torn ones are survived, what cannot be read is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_promptgate.core.history import Entry, Point, Series
from pytest_promptgate.errors import HistoryError
from pytest_promptgate.files.history import append_history, read_history

ENTRY = Entry(
    suite="triage",
    slot="default",
    series=Series.DRIFT,
    at="2026-11-01T02:00:00Z",
    commit="1f3c",
    prompt="triage@v1",
    model="openai/gpt-4o-2024-11-20",
    served=(),
    metrics={"accuracy": Point(value=0.9, n=10)},
    accepted=("accuracy: \u2028 odd",),
)
LATER = replace(ENTRY, at="2026-11-02T02:00:00Z")
NAME = "promptgate.history.jsonl"


def test_lines_are_added_and_the_old_ones_stay_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / NAME
    append_history(path, [ENTRY], file=NAME)
    before = path.read_bytes()
    append_history(path, [LATER], file=NAME)

    assert path.read_bytes().startswith(before)
    assert path.read_bytes().count(b"\n") == 2
    assert read_history(path, file=NAME).entries == (ENTRY, LATER)


def test_a_torn_last_line_costs_nothing_but_itself(tmp_path: Path) -> None:
    path = tmp_path / NAME
    append_history(path, [ENTRY], file=NAME)
    with path.open("ab") as file:
        file.write(b'{"accepted":[')

    append_history(path, [LATER], file=NAME)
    found = read_history(path, file=NAME)

    assert found.entries == (ENTRY, LATER)
    assert [str(fault) for fault in found.faults] == [
        f"{NAME}:2: left out: no valid JSON: Expecting value",
    ]


def test_lines_that_hold_no_run_are_told_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"\n<<<<<<< ours\n[]\n\xff\n")

    assert [str(fault) for fault in read_history(path, file=NAME).faults] == [
        f"{NAME}:2: left out: a Git conflict was not resolved",
        f"{NAME}:3: left out: it is no JSON object",
        f"{NAME}:4: left out: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    ]


def test_a_history_that_is_not_there_says_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(HistoryError) as caught:
        read_history(tmp_path / NAME, file=NAME)

    assert str(caught.value) == (
        f"{NAME}: there is no such file\n  It is written by: pytest --prompt-evals --prompt-history"
    )


def test_a_history_that_cannot_be_read_or_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(HistoryError) as read:
        read_history(tmp_path, file=NAME)
    with pytest.raises(HistoryError) as written:
        append_history(tmp_path / "missing" / NAME, [ENTRY], file=NAME)

    assert str(read.value) == f"{NAME}: it cannot be read: Is a directory"
    assert str(written.value) == (
        f"{NAME}: it cannot be written: No such file or directory\n"
        "  The run's own result does not depend on it. Mend the cause; the next run adds to it."
    )
