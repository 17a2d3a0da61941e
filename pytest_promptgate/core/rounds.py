"""The rounds of a response store: what is asked anew is kept apart until it is complete (DECISIONS 21)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST = ""  # the round that counts without ever being called complete
SELF = "aa"  # of prompts that are held against themselves
CONTROL = "control-"  # and a digest: the rounds of `workflows.control`
# Other names are those of confirm and control rounds: digests, which are longer.
_NUMBER = re.compile(r"[1-9]\d{0,8}\Z")


def counting(complete: Iterable[str]) -> tuple[str, ...]:
    """The rounds that a plain run reads, the newest first; it writes to the first of them.

    An older round is read where a newer one has no answer to a request, as after going back to an older prompt.

    Args:
        complete: Names of the rounds that a store holds complete, in any order.
    """
    numbers = sorted((int(name) for name in complete if _NUMBER.match(name)), reverse=True)
    return (*map(str, numbers), FIRST)


def following(complete: Iterable[str]) -> str:
    """The round that ``--prompt-refresh`` writes: a new one, or the one that an earlier refresh left unfinished."""
    newest = counting(complete)[0]
    return str(int(newest or 0) + 1)
