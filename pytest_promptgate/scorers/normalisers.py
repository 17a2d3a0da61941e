"""What may be done to answer and expected text, alike, before they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_promptgate.core.wording import shown
from pytest_promptgate.scorers.settings import strings, unknown

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

_ARTICLES = re.compile(r"\b(?:a|an|the)\b\s*", re.IGNORECASE)
_PLAIN_QUOTES = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"'}
)
_PAIRS = frozenset({"''", '""', "``", "‘’", "“”", "„“", "«»", "»«"})


def _collapse_whitespace(text: str) -> str:
    return " ".join(text.split())


def _without_punctuation(text: str) -> str:
    return text if text.isalnum() else "".join(c for c in text if unicodedata.category(c)[0] != "P")


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] + text[-1] in _PAIRS else text


def _without_articles(text: str) -> str:
    return _ARTICLES.sub("", text)


def _plain_quotes(text: str) -> str:
    return text.translate(_PLAIN_QUOTES)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


NORMALISERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "strip": str.strip,  # white space at both ends
        "lower": str.lower,
        "casefold": str.casefold,  # as lower, and ß = ss
        "collapse_whitespace": _collapse_whitespace,  # every run of white space, also line feeds, to one space
        "punctuation": _without_punctuation,  # removes the characters of Unicode's categories P*
        "quotes": _plain_quotes,  # typographic quotation marks to ' and "
        "unquote": _unquoted,  # removes one pair of quotation marks around the whole
        "articles": _without_articles,  # removes the English words a, an, the
        "nfc": _nfc,  # one spelling for each accented letter
        "nfkc": _nfkc,  # as nfc, and ﬁ = fi, ² = 2, full-width letters = plain ones
    }
)


def normaliser_names(value: object) -> tuple[str, ...]:
    """The setting `normalize` as a tuple; it may be empty."""
    if isinstance(value, Sequence) and not isinstance(value, str) and not value:
        return ()
    for name in (names := strings("normalize", value)):
        if name not in NORMALISERS:
            raise unknown("normalize", name, NORMALISERS)
    return names


def normalised(text: str, names: tuple[str, ...]) -> str:
    """`text` after the normalisers, in their order."""
    for name in names:
        text = NORMALISERS[name](text)
    return text


def text_of(expected: Json) -> str:
    """The text to compare with: a string is itself; numbers, true, false and null are their JSON text.

    Raises:
        ValueError: It is a list or a mapping.
    """
    if isinstance(expected, str):
        return expected
    if isinstance(expected, bool) or expected is None:
        return shown(expected)
    if isinstance(expected, (int, float)):
        return repr(expected)
    raise ValueError(
        f"the expected value is {shown(expected)}, and this scorer compares text; "
        "use json_match, or let `expected` name one key of it"
    )
