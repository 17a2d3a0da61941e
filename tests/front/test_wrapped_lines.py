"""Long lines of the closing summary in a narrow terminal."""

from __future__ import annotations

import pytest

from pytest_promptgate.pytest_summary import wrapped


def test_a_line_is_as_wide_as_the_terminal_and_goes_on_indented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")

    found = wrapped("  language=de (n=7): accuracy 0.857 -> 0.857, tokens 981.286 -> 931.286", indent="    ")

    assert found == ["  language=de (n=7): accuracy 0.857 ->", "    0.857, tokens 981.286 -> 931.286"]


def test_no_line_begins_as_a_command_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")

    assert wrapped("a model has answered ::add-mask::x", indent="  ") == [
        "a model has answered",
        "  \\x3a:add-mask::x",
    ]
