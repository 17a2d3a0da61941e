from __future__ import annotations

from typing import Any

import pytest
from scorer_rows import score

from pytest_promptgate.scorers.forbidden import ForbiddenWords, Pii
from pytest_promptgate.scorers.pii_patterns import KINDS, found_in, iban_is_valid, luhn


@pytest.mark.parametrize(
    ("settings", "answered", "value", "reason"),
    [
        ({"words": "ass"}, "first class", 1.0, ""),
        ({"words": "ass"}, "You ASS!", 0.0, "says 'ass'"),
        ({"words": "ass", "whole_words": False}, "first class", 0.0, "says 'ass'"),
        ({"words": "Acme", "ignore_case": False}, "acme", 1.0, ""),
        ({"words": ["free of charge"]}, "It is free\n of  charge.", 0.0, "says 'free of charge'"),
        ({"words": ["c++"]}, "I like C++.", 0.0, "says 'c++'"),
        ({"words": ["stra\u00dfe"]}, "STRASSE", 0.0, "says 'strasse'"),
        ({"words": ["word"]}, "w\u200bord", 0.0, "says 'word'"),
        ({"words": ["word"]}, "\uff57\uff4f\uff52\uff44", 0.0, "says 'word'"),
        ({"words": ["\u732b"], "whole_words": False}, "\u9ed2\u732b\u304c", 0.0, "says '\u732b'"),
        ({"words": ["a", "b", "c", "d"]}, "d c b a a", 0.0, "says 'd', 'c', 'b' and 1 more"),
        ({"words": ["a"]}, "", 1.0, ""),
        ({"words": ["(a+)+$"]}, "a" * 1_000_000, 1.0, ""),
    ],
)
def test_forbidden_words_must_not_stand_in_the_answer(
    settings: dict[str, Any], answered: str, value: float, reason: str
) -> None:
    found = score(ForbiddenWords(**settings), answered)
    assert (found.value, found.reason) == (value, reason)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"words": []}, "words must not be an empty list"),
        ({"words": [1]}, "words must be a text or a list of texts, none of them empty, not 1"),
        ({"words": ["\u200b"]}, "words holds '\\u200b', of which nothing is left to look for"),
        ({"words": "a", "whole_words": "no"}, "whole_words must be true or false, not 'no'"),
        ({"words": "a", "ignore_case": 1}, "ignore_case must be true or false, not 1"),
    ],
)
def test_forbidden_words_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        ForbiddenWords(**settings)
    assert str(told.value) == message


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("mail john.doe+x@mail.example.co.uk.", "email", "john.doe+x@mail.example.co.uk"),
        ("m\u00fcller@ex\u00e4mple.de", "email", "m\u00fcller@ex\u00e4mple.de"),
        ("call +49 30 901820 now", "phone", "+49 30 901820"),
        ("(030) 123456", "phone", "(030) 123456"),
        ("030/1234567", "phone", "030/1234567"),
        ("0049 30 901820", "phone", "0049 30 901820"),
        ("555-123-4567", "phone", "555-123-4567"),
        ("(555) 123-4567", "phone", "(555) 123-4567"),
        ("+1 (555) 123-4567", "phone", "+1 (555) 123-4567"),
        ("4111 1111 1111 1111", "card", "4111 1111 1111 1111"),
        ("5500-0000-0000-0004,", "card", "5500-0000-0000-0004"),
        ("378282246310005", "card", "378282246310005"),
        ("6011000990139424", "card", "6011000990139424"),
        ("DE89 3704 0044 0532 0130 00 IS MINE", "iban", "DE89370400440532013000"),
        ("gb82 west 1234 5698 7654 32", "iban", "gb82west12345698765432"),
        ("FR14 2004 1010 0505 0001 3M02 606", "iban", "FR1420041010050500013M02606"),
        ("NO93 8601 1117 947", "iban", "NO9386011117947"),
        ("BR15 0000 0000 0000 1093 2840 814P 2", "iban", "BR1500000000000010932840814P2"),
    ],
)
def test_personal_data_is_found_and_only_as_its_kind(text: str, kind: str, found: str) -> None:
    assert {each: found_in(text, each) for each in KINDS} == {each: [found] if each == kind else [] for each in KINDS}


@pytest.mark.parametrize(
    "text",
    [
        *("a@b", "me @ home", "2024-01-15", "2026-11-23 10:20:30", "1.234.567,89", "order 4711-2023", "v1.2.3"),
        *("192.168.0.1", "1234567890", "ISBN 978-3-16-148410-0", "123e4567-e89b-12d3-a456-426614174000"),
        *("0.1234567", "3.14159265358979", "tracking 00340434161094021501", "4111 1111 1111 1112"),
        *("0000 0000 0000 0000", "GB82 WEST 1234 5698 7654 33", "XX82 WEST 1234 5698 7654 32", "DE89"),
    ],
)
def test_what_only_looks_like_personal_data_is_let_pass(text: str) -> None:
    assert score(Pii(), text).value == 1.0


def test_a_reason_counts_and_never_repeats() -> None:
    text = "a@b.de, c@d.de, 4111 1111 1111 1111 and +49 30 901820; DE89370400440532013000"
    found = score(Pii(), text)
    assert (found.value, found.reason) == (0.0, "personal data: 2 email, 1 phone, 1 card, 1 iban")


def test_kinds_and_exceptions_are_settings() -> None:
    assert score(Pii(kinds=("card",)), "a@b.de").value == 1.0
    allowed = Pii(allow=("Help@Acme.example", "+49 (30) 901820"))
    assert score(allowed, "help@acme.example or +49 30 901820").value == 1.0
    assert score(allowed, "help@acme.example or +49 30 901821").reason == "personal data: 1 phone"


def test_disguised_digits_are_digits() -> None:
    assert score(Pii(), "\uff14111 1111\u200b 1111 1111").value == 0.0


@pytest.mark.parametrize(
    "unit", ["1", "1 ", "a", "a.", "a@", "a@a.", "+1", "DE89", "(0", "0-", "DE12 AAAA ", "+1 (2) ", "00 1"]
)
def test_a_megabyte_is_read_in_linear_time(unit: str) -> None:
    assert 0.0 <= score(Pii(), unit * (1_000_000 // len(unit))).value <= 1.0


def test_the_checksums_are_those_of_the_standards() -> None:
    assert luhn("79927398713")  # ISO/IEC 7812-1's example
    assert [digit for digit in range(10) if luhn(f"7992739871{digit}")] == [3]
    assert iban_is_valid("GB82WEST12345698765432")  # ISO 13616's example
    assert not iban_is_valid("GB82WEST1234569876543")
    assert not iban_is_valid("GB83WEST12345698765432")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kinds": ["e-mail"]}, "kinds cannot be 'e-mail'. Did you mean 'email'? Accepted: card, email, iban, phone"),
        ({"kinds": []}, "kinds must not be an empty list"),
        ({"allow": [3]}, "allow must be a text or a list of texts, none of them empty, not 3"),
    ],
)
def test_pii_refuses_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        Pii(**settings)
    assert str(told.value) == message
