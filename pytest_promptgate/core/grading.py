"""What a scorer may return, and the grade that it stands for."""

from __future__ import annotations

import math
from dataclasses import replace

from pytest_promptgate.core.types import Score, Unscored


def grade_of(returned: object) -> Score | Unscored | None:
    """The grade that a scorer's return value stands for; None if it is none.

    A `Score` from 0 to 1, an `Unscored`, a truth value, or a number from 0 to 1; NaN and infinity are no grades.
    """
    match returned:
        case Score(value=int() | float() as value, reason=str(), labels=None | (str(), str())) if 0 <= value <= 1:
            return returned if type(value) is float else replace(returned, value=float(value))
        case Unscored(reason=str()):
            return returned
        case bool() | int() | float() if math.isfinite(returned) and 0 <= returned <= 1:
            return Score(value=float(returned))
    return None
