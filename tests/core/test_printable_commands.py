"""Text that a CI system would obey is shown without being obeyed."""

from __future__ import annotations

import pytest

from pytest_promptgate.core.printable import one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", "\\x3a:error::x"),
        ("a\n \t::add-mask::x", "a\n \t\\x3a:add-mask::x"),
        ("a ##[error]x ##[b]", "a \\x23#[error]x \\x23#[b]"),
        ("std::vector, evals/a.yaml::case", "std::vector, evals/a.yaml::case"),
        ("## [title]", "## [title]"),
        (":::", "\\x3a::"),
        ("\r::error::x", "\\x0d::error::x"),
    ],
)
def test_commands_are_disarmed(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_folded_line_may_begin_with_a_command_too() -> None:
    assert one_line("\n ::error::x", width=40) == "\\x3a:error::x"
