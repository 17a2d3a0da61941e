"""Which machine asks which cases: by a hash of the case id, so that it is the same on every machine (DECISIONS 22)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_SHARD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of `count` machines, counted from 1."""

    number: int
    count: int

    def __contains__(self, case_id: str) -> bool:
        return shard_of(case_id, self.count) == self.number

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse_shard(text: str) -> Shard:
    """``2/3`` as a `Shard`.

    Raises:
        ValueError: It is none; the message says what was expected.
    """
    match = _SHARD.match(text.strip())
    if match is None:
        raise ValueError("expected I/N, such as 2/3 for the second of three machines")
    number, count = int(match[1]), int(match[2])
    if number > count:
        raise ValueError(f"expected I/N with I from 1 to {count}")
    return Shard(number=number, count=count)


def shard_of(case_id: str, count: int) -> int:
    """The shard of a case, in [1, count]; new rows never move old ones."""
    digest = hashlib.sha256(case_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % count + 1
