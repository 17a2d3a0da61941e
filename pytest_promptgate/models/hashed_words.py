"""The embedded model ``embedded/hashed-words-1``: vectors of texts, without network, the same on every machine.

A text is the vector of its words (as `embedded` reads words) in 512 places: each word adds ``1 + ln(count)`` to the
place that CRC-32 gives it, with the sign that another bit of it gives; the vector is then scaled to length 1.
A text without a word is the zero vector.

It knows words, no meaning: "refund" and "money back" have nothing in common, and a "not" changes little. It is there so
that examples and tests run anywhere. Never gate on it.

Source: Weinberger et al., Feature hashing for large scale multitask learning (2009).
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HASHED_WORDS = "hashed-words-1"
PLACES = 512


def hashed(words: Iterable[str]) -> tuple[float, ...]:
    """The vector of a text's words: `PLACES` numbers, of length 1, or all 0 if there are no words."""
    vector = [0.0] * PLACES
    for word, count in Counter(words).items():
        code = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        vector[code % PLACES] += (1 + math.log(count)) * (1 if code >> 16 & 1 else -1)
    size = math.hypot(*vector)
    return tuple(each / size for each in vector) if size else tuple(vector)
