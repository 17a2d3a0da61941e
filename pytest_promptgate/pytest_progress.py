"""What a person sees while calls run: one line on a terminal, a few lines in a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_promptgate.core.estimate import dollars

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_promptgate.workflows.progress import Progress

FIRST_HEARTBEAT_S = 10.0  # a log hears nothing of a run that is shorter


class ProgressLine:
    """Writes progress from the main thread, between items.

    On a terminal one line is rewritten, and erased before the next item's. Elsewhere a line is written after 10, 20,
    40 … seconds: enough that no CI takes the run for dead, too few to be in anybody's way.

    Args:
        config: Of a run whose terminal reporter exists; there is none with ``-p no:terminal``.
        clock: Seconds that never run backwards.
    """

    def __init__(self, config: pytest.Config, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._clock = clock
        self._started = clock()
        self._next = self._started + FIRST_HEARTBEAT_S
        self._shown = False
        self.live = self._reporter is not None and self._reporter.isatty and config.option.verbose >= 0

    def tick(self, progress: Progress) -> None:
        """Show `progress`."""
        if self._reporter is None:
            return
        if self.live:
            self._write(describe(progress), live=True)
            self._shown = True
        elif (now := self._clock()) >= self._next:
            self._next = now + (now - self._started)
            self._write(describe(progress), live=False)

    def say(self, line: str) -> None:
        """Write one line that stays, on terminals and in logs."""
        if self._reporter is not None:
            self._write(line, live=False)

    def clear(self) -> None:
        """Erase the live line, so that other lines can follow."""
        if self._shown:
            self._write("", live=True)
            self._shown = False

    def _write(self, text: str, *, live: bool) -> None:
        reporter = self._reporter
        assert reporter is not None
        if self._capture is None:
            self._put(reporter, text, live=live)
            return
        with self._capture.global_and_fixture_disabled():
            self._put(reporter, text, live=live)

    @staticmethod
    def _put(reporter: pytest.TerminalReporter, text: str, *, live: bool) -> None:
        reporter.ensure_newline()  # ends a line of dots; the next item begins another one
        if not live and reporter._tw.width_of_current_line:  # under -q pytest does not know that it has begun one
            reporter.write("\n")
        if live:
            reporter.rewrite(text, erase=True)
            reporter.rewrite(text)  # only moves the cursor to the text's end
        else:
            reporter.write_line(text)
        reporter.flush()


def describe(progress: Progress) -> str:
    """One line: ``prompt evals: 412/1000 answers, 12.3k tokens, $0.42, 12 s left``."""
    parts = [f"{progress.done}/{progress.planned} answers"]
    if progress.judged:
        parts.append(f"{progress.judged} verdicts")
    tokens = progress.tokens_in + progress.tokens_out + progress.tokens_judged
    if tokens:
        parts.append(f"{count(tokens)} tokens")
    if progress.cost_usd:
        parts.append(dollars(progress.cost_usd))
    if progress.errored:
        parts.append(f"{progress.errored} failed")
    if progress.left_s is not None:
        parts.append(f"{duration(progress.left_s)} left")
    return "prompt evals: " + ", ".join(parts)


def count(number: int) -> str:
    """``950``, ``12.3k``, ``4.1M``."""
    for limit, sign in ((1_000_000, "M"), (1_000, "k")):
        if number >= limit:
            return f"{number / limit:.1f}{sign}"
    return str(number)


def duration(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
