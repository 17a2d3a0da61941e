"""Edits of several files: all of them, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_promptgate.errors import LockfileError, PromptError
from pytest_promptgate.files.edits import Edit, write_edits

if TYPE_CHECKING:
    from pathlib import Path


def edit(path: Path, before: bytes | None) -> Edit:
    return Edit(path=path, shown=path.name, before=before, after=b"new", what="")


def test_edits_are_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    write_edits([edit(tmp_path / "a", b"old"), edit(tmp_path / "b", None)])

    assert [each.read_bytes() for each in sorted(tmp_path.iterdir())] == [b"new", b"new"]


def test_if_one_cannot_be_written_the_others_are_taken_back(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    edits = [edit(tmp_path / "a", b"old"), edit(tmp_path / "b", None), edit(tmp_path / "gone" / "c", None)]

    with pytest.raises(LockfileError):
        write_edits(edits)

    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a", b"old")]


@pytest.mark.parametrize("before", [None, b"older"])
def test_a_file_that_was_changed_meanwhile_is_not_written_over(tmp_path: Path, before: bytes | None) -> None:
    (tmp_path / "b").write_bytes(b"old")

    with pytest.raises(PromptError) as caught:
        write_edits([edit(tmp_path / "a", None), edit(tmp_path / "b", before)])

    assert str(caught.value) == "b: it was changed meanwhile\n  Run the command again."
    assert [each.name for each in tmp_path.iterdir()] == ["b"]
