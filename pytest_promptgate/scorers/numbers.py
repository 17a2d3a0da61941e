"""The scorer numeric."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, ClassVar

from pytest_promptgate.core.expected import expected_of
from pytest_promptgate.core.types import Score
from pytest_promptgate.scorers.quoting import VALUE, quoted
from pytest_promptgate.scorers.settings import choice, name_of_expected, wrong

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Case, Completion, Json

_GAPS = "'’_\u00a0\u2009\u202f"  # between thousands, whatever the decimal sign
_RUN = re.compile(rf"(?<![\w.])[.]?[0-9][0-9.,{_GAPS}]*(?:[eE][-+\u2212]?[0-9]+)?")
_SIGNS = "-+\u2212"
_CURRENCIES = "$€£¥₹"
_LONGEST = 400  # characters of one number
_LARGEST = 308  # decimal exponent; beyond it a float is infinite
_ARITHMETIC = Context(prec=60)


class NotANumberError(ValueError):
    """The text is not one finite number; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeric:
    """1.0 if the number in the answer is within `tolerance` of the expected one, else 0.0. Exact decimal arithmetic.

    Attributes:
        expected: Column, or key of the expected value; a number, or a text that is one.
        tolerance: Greatest distance that still scores 1.0: ``0.01``, or ``5%`` of the expected number's size.
        unit: Of the tolerance: ``absolute`` (the numbers' own unit) or ``percent``; None: percent iff it ends in ``%``.
        take: Which number of the answer: the ``last``, the ``first``, or the ``only`` one.
        decimal: The decimal sign, ``point`` or ``comma``; the other one may separate thousands.
    """

    expected: str | None = None
    tolerance: float | str = 0.0
    unit: str | None = None
    take: str = "last"
    decimal: str = "point"

    revision: ClassVar[int] = 1
    needs_expected: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name_of_expected(self.expected)
        choice("take", self.take, ("last", "first", "only"))
        choice("decimal", self.decimal, ("point", "comma"))
        if self.unit is not None:
            choice("unit", self.unit, ("absolute", "percent"))
        if self.unit == "absolute" and str(self.tolerance).endswith("%"):
            raise ValueError(f"tolerance {self.tolerance!r} is in percent, but unit says absolute")
        _tolerance(self.tolerance)

    def check(self, case: Case) -> None:
        """Raise ValueError or LookupError if this row cannot be scored, whatever the answer."""
        _expected(expected_of(case, self.expected), self.decimal)

    def __call__(self, completion: Completion, case: Case) -> Score:
        expected = _expected(expected_of(case, self.expected), self.decimal)
        try:
            answered = _taken(completion.text, self.take, self.decimal)
        except NotANumberError as error:
            return Score(value=0.0, reason=str(error))
        allowed, percent = _tolerance(self.tolerance)
        if percent or self.unit == "percent":
            allowed = _ARITHMETIC.divide(_ARITHMETIC.multiply(allowed, expected.copy_abs()), Decimal(100))
        distance = _ARITHMETIC.subtract(answered, expected).copy_abs()
        if distance <= allowed:
            return Score(value=1.0)
        return Score(
            value=0.0,
            reason=f"{float(answered):.12g} is {float(distance):.6g} away from {float(expected):.12g}, "
            f"allowed are {float(allowed):.6g}",
        )


def parse_number(text: str, *, decimal: str) -> Decimal:
    """One number without sign: digits, thousands in threes by one kind of separator, decimals, exponent.

    Raises:
        NotANumberError: It is written in no such way (``1,23``, ``1.2.3``), or is not finite as a float.
    """
    shape = _shape(decimal).fullmatch(text) if len(text) <= _LONGEST else None
    if shape is None:
        raise NotANumberError(f"{quoted(text, width=VALUE)} is no number with a decimal {decimal}")
    exponent = (shape["exponent"] or "0").replace("\u2212", "-")
    digits = re.sub(r"[^0-9]", "", shape["whole"] or "0") + "." + (shape["part"] or "0")
    if len(exponent) > 6:
        raise NotANumberError(f"{quoted(text, width=VALUE)} is not a finite number")
    number = Decimal(f"{digits}e{exponent}")
    if number.adjusted() > _LARGEST:
        raise NotANumberError(f"{quoted(text, width=VALUE)} is not a finite number")
    return number


@functools.cache
def _shape(decimal: str) -> re.Pattern[str]:
    sign, other = (".", ",") if decimal == "point" else (",", ".")
    grouped = rf"[1-9][0-9]{{0,2}}(?P<gap>[{other}{_GAPS}])[0-9]{{3}}(?:(?P=gap)[0-9]{{3}})*"
    whole = rf"(?P<whole>{grouped}|[0-9]+)?"
    return re.compile(
        rf"(?=[.,]?[0-9]){whole}(?:{re.escape(sign)}(?P<part>[0-9]+))?(?:[eE](?P<exponent>[-+\u2212]?[0-9]+))?"
    )


def _taken(text: str, take: str, decimal: str) -> Decimal:
    found = list(_RUN.finditer(text))
    if not found:
        raise NotANumberError(f"no number in {quoted(text)}" if text.strip() else "the answer is empty")
    if take == "only" and len(found) > 1:
        raise NotANumberError(f"{len(found)} numbers in {quoted(text)}, expected only one")
    match = found[-1 if take == "last" else 0]
    number = parse_number(match[0].rstrip(f".,{_GAPS}"), decimal=decimal)
    return number.copy_negate() if _is_negative(text, match.start()) else number


def _is_negative(text: str, start: int) -> bool:
    """Whether a minus stands before the number or its currency sign, and is none between two words or numbers."""
    at = start - 1
    if at >= 0 and text[at] in _CURRENCIES:
        at -= 1
    if at < 0 or text[at] not in _SIGNS or text[at] == "+":
        return False
    return at == 0 or not (text[at - 1].isalnum() or text[at - 1] in "_.,)]%")


def _expected(value: Json, decimal: str) -> Decimal:
    if isinstance(value, str):
        text = value.strip()
        sign = text[:1] if text[:1] and text[:1] in _SIGNS else ""
        try:
            number = parse_number(text.removeprefix(sign), decimal=decimal) if text != sign else None
        except NotANumberError:
            number = None
        if number is not None:
            return -number if sign not in ("", "+") else number
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = Decimal(repr(value))
        if number.is_finite() and number.adjusted() <= _LARGEST:
            return number
    raise wrong("the expected value", "a finite number", value)


def _tolerance(value: object) -> tuple[Decimal, bool]:
    """The amount, and whether it is written in percent."""
    text = str(value).strip()
    if not isinstance(value, bool) and re.fullmatch(r"[0-9]*\.?[0-9]+(?:e[-+]?[0-9]{1,2})?\s*%?", text):
        return Decimal(text.rstrip("% ")), text.endswith("%")
    raise wrong("tolerance", "a number of at least 0, or a share such as 5%", value)
