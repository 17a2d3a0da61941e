"""E-mail addresses, telephone, card and account numbers in a text.

Every pattern is bounded, so that time grows with the text and no faster.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("email", "phone", "card", "iban")

_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[^\W_](?:[\w-]{0,62}))(?:\.[^\W_][\w-]{0,62}){1,8}")
_CARD = re.compile(r"(?<![\w.-])(?<!\d )\d(?:[ -]?\d){12,18}(?![ -]?\d|\w)")
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?!\w)")
_PHONE = re.compile(
    r"(?<![\w.,+-])(?<!\d )(?:(?:\+|00)[1-9]|\(?0[1-9]|\([2-9]\d{2}\)|[2-9]\d{2}[-. ]\d{3}[-. ](?=\d{4}(?!\d)))"
    r"(?:[ ()/.-]{0,2}\d){4,14}(?!\w|[.-]\d)"
)
# Characters of an IBAN by country, of the SWIFT registry.
_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FK", "FO", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}


def found_in(text: str, kind: str) -> list[str]:
    """Everything of one kind in `text`, as it is written there."""
    return list({"email": _emails, "phone": _phones, "card": _cards, "iban": _ibans}[kind](text))


def luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of the others (ISO/IEC 7812-1)."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


def iban_is_valid(text: str) -> bool:
    """Whether length and check digits are right (ISO 13616, MOD 97-10); `text` has no separators."""
    plain = text.upper()
    if len(plain) != _IBAN_LENGTHS.get(plain[:2]):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _emails(text: str) -> Iterator[str]:
    return (match[0] for match in _EMAIL.finditer(text))


def _phones(text: str) -> Iterator[str]:
    for match in _PHONE.finditer(text):
        digits = sum(map(str.isdigit, match[0]))
        if 7 <= digits <= 15 and not _is_account(match[0]):
            yield match[0]


def _is_account(text: str) -> bool:
    digits = "".join(filter(str.isdigit, text))
    return len(digits) >= 13 and text[0] != "+" and luhn(digits)


def _cards(text: str) -> Iterator[str]:
    for match in _CARD.finditer(text):
        digits = "".join(filter(str.isdigit, match[0]))
        if len(set(digits)) > 1 and luhn(digits):
            yield match[0]


def _ibans(text: str) -> Iterator[str]:
    for match in _IBAN.finditer(text):
        plain = re.sub(r"[ -]", "", match[0])
        # Words may follow after a space, which the pattern takes for further groups.
        length = _IBAN_LENGTHS.get(plain[:2].upper(), 0)
        if 0 < length <= len(plain) and iban_is_valid(plain[:length]):
            yield plain[:length]
