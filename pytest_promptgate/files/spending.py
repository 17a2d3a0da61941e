"""What one rendering may use up: calls, steps of loops, text that is made, and time.

Whatever a template does, one of them ends it within seconds, long before a machine's memory is full.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

from jinja2.exceptions import SecurityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_CHARACTERS = 5_000_000  # of one rendered prompt, and of any text on the way to it
MOST_CALLS = 100_000  # of macros, functions and methods
MOST_ITEMS = 1_000_000  # that range() may count in all
MOST_STEPS = 1_000_000  # of all loops together
MOST_MADE = 50_000_000  # characters and items of all that is put together on the way
MOST_WALKED = 1_000_000  # items of one value, whose size is asked for
MOST_SECONDS = 5.0  # some templates stay below every count, and still take for ever


class Spent(threading.local):
    """What the prompt that this thread is rendering has used up."""

    calls = 0
    items = 0
    steps = 0
    made = 0
    until = 0.0  # 0: nothing is rendered, so that nothing is computed while a template is only compiled

    def begin(self) -> None:
        """Count anew."""
        self.calls = self.items = self.steps = self.made = 0
        self.until = monotonic() + MOST_SECONDS

    def end(self) -> None:
        """Nothing is rendered any more."""
        self.until = 0.0

    def call(self) -> None:
        """Count a call."""
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise SecurityError(f"more than {MOST_CALLS:,} calls")
        self.check_time()

    def count(self, counted: range) -> None:
        """Count what a range() gives."""
        # len() fails beyond sys.maxsize, so the bounds are asked for instead.
        self.items += max(0, (counted.stop - counted.start) // counted.step + 1)
        if self.items > MOST_ITEMS:
            raise SecurityError(f"range() counts more than {MOST_ITEMS:,} items")

    def loop(self, iterable: Iterable[Any]) -> Iterator[Any]:
        """`iterable`, step by step."""
        for each in iterable:
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise SecurityError(f"more than {MOST_STEPS:,} steps of loops")
            self.check_time()
            yield each

    def make(self, value: Any) -> Any:
        """`value`, once its size is counted; a text or list that stands in it twice counts twice."""
        size = size_of(value)
        self.made += size
        if size > MOST_CHARACTERS:
            raise SecurityError(f"a value of more than {MOST_CHARACTERS:,} characters")
        if self.made > MOST_MADE:
            raise SecurityError(f"more than {MOST_MADE:,} characters on the way")
        self.check_time()
        return value

    def check_time(self) -> None:
        """Stop what takes too long."""
        if monotonic() > self.until:
            raise SecurityError(f"more than {MOST_SECONDS:g} seconds")


spent = Spent()


def size_of(value: Any) -> int:
    """Characters and items of a value, with all that stands in it; more than `MOST_CHARACTERS` if it is too large."""
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, list | tuple | dict):
        return 0
    size = walked = 0
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        walked += 1
        if isinstance(each, str | list | tuple | dict):
            size += len(each)
        if size > MOST_CHARACTERS or walked > MOST_WALKED:
            return MOST_CHARACTERS + 1
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
    return size


def check_size(size: int, what: str = "a value") -> None:
    """Refuse what would be too large, before it is made."""
    if size > MOST_CHARACTERS:
        raise SecurityError(f"{what} longer than {MOST_CHARACTERS:,}")
