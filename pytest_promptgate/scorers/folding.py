"""Text without disguises: what looks like a plain letter is one, and what cannot be seen is gone."""

from __future__ import annotations

import re
import unicodedata

# Unicode's category Cf, written out, so that a score does not depend on Python's version: soft hyphen, zero-width
# and bidirectional marks, tags and the like.
_INVISIBLE = re.compile(
    "[\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
    "\U000e0020-\U000e007f]+"
)


def undisguised(text: str) -> str:
    """`text` after Unicode compatibility folding (NFKC), without invisible characters, white space collapsed."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).split())
