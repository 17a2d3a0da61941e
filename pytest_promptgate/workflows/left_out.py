"""A case that who was asked leaves out: what an account raises in place of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Skipped


class LeftOut(Exception):
    """No answer, and none is missed.

    Args:
        grade: What every scorer is to get; with ``left_out``.
    """

    def __init__(self, grade: Skipped) -> None:
        super().__init__(grade.reason)
        self.grade = grade
