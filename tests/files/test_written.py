"""Reports as files: a place that is no file is written to, and stays what it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_promptgate.files.written import write_report


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "report.md"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_report(pipe, "the report", file="report.md")
        found = os.read(reader, 100)
    finally:
        os.close(reader)

    assert found == b"the report"
    assert pipe.is_fifo()
