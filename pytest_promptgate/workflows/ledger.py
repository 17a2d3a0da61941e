"""Results as they arrive: filed by the engine's thread, waited for by the main thread."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeAlias

from pytest_promptgate.workflows.progress import Progress, timed, with_judged, with_plan, with_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_promptgate.core.types import Judged, Result

Key: TypeAlias = tuple[str, str, str]  # suite, slot, case id


class Ledger:
    """Every planned case, open or done; safe to use from both threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._changed = threading.Condition()
        self._open: dict[Key, list[Result | None]] = {}
        self._done: dict[Key, tuple[Result, ...]] = {}
        self._awaited: set[Key] = set()
        self._progress = Progress()
        self._clock = clock
        self._began: float | None = None

    def plan(self, key: Key, samples: int) -> range:
        """Open a case of `samples` trials, or open it again for those that it lacks; the samples that are new."""
        with self._changed:
            known = self._open.get(key) or self._done.get(key) or ()
            new = range(len(known) + 1, samples + 1)
            if new:
                self._done.pop(key, None)
                self._open[key] = [*known, *[None] * len(new)]
                self._progress = with_plan(self._progress, len(new))
            return new

    def begin(self) -> None:
        """Start the clock of `progress`, once."""
        with self._changed:
            if self._began is None:
                self._began = self._clock()

    def file(self, key: Key, result: Result) -> bool:
        """Keep the result of one trial; a second one of the same trial is dropped, and False returned."""
        with self._changed:
            samples = self._open.get(key)
            if samples is None or samples[result.trial.sample - 1] is not None:
                return False
            samples[result.trial.sample - 1] = result
            self._progress = with_result(self._progress, result)
            done = tuple(each for each in samples if each is not None)
            if len(done) == len(samples):
                del self._open[key]
                self._done[key] = done
                self._release(key)
            return True

    def judged(self, judged: Judged) -> None:
        """Count calls to a judge."""
        with self._changed:
            self._progress = with_judged(self._progress, judged)

    def _release(self, key: Key) -> None:
        # The main thread looks by itself every now and then: to be woken for each of many results would cost more
        # than the results, and would take the interpreter from the thread that asks.
        self._awaited.discard(key)
        if not self._open:
            self._changed.notify_all()

    def get(self, key: Key) -> tuple[Result, ...] | None:
        """The results of a case in sample order, or None while one of them is missing."""
        return self._done.get(key)

    def progress(self) -> Progress:
        """Where the run stands."""
        with self._changed:
            return timed(self._progress, 0.0 if self._began is None else self._clock() - self._began)

    def wake(self) -> None:
        """Let whoever waits look again."""
        with self._changed:
            self._changed.notify_all()

    def expect(self, keys: Iterable[Key]) -> None:
        """`wait` waits for those of `keys` that are not done; the main thread's, one set at a time."""
        with self._changed:
            self._awaited = {key for key in keys if key not in self._done}

    def wait(self, timeout_s: float) -> bool:
        """Wait until nothing is open, `timeout_s` is over, or `wake` was called; whether all expected are done."""
        with self._changed:
            if self._awaited:
                self._changed.wait(timeout_s)
            return not self._awaited

    def open_keys(self) -> frozenset[Key]:
        """The cases that are not done."""
        with self._changed:
            return frozenset(self._open)

    def unplanned(self, keys: Iterable[Key]) -> Key | None:
        """The first of `keys` that nobody planned: waiting for it would never end."""
        with self._changed:
            return next((key for key in keys if key not in self._done and key not in self._open), None)
