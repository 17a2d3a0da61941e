"""How far a calibration is: one line on a terminal, rewritten; nothing elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from pytest_promptgate.core.estimate import dollars
from pytest_promptgate.core.limits import duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from pytest_promptgate.workflows.progress import Progress

_ERASE = "\r\x1b[K"


class CalibrationLine:
    """Erased when it is left, so that the report begins on an empty line.

    Args:
        verdicts: To be asked for.
        stream: That it is written to if it is a terminal; None: stderr.
        clock: Seconds that never run backwards.
    """

    def __init__(
        self, *, verdicts: int, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verdicts = verdicts
        self._stream = stream or sys.stderr
        self._live = verdicts > 0 and self._stream.isatty()
        self._clock = clock
        self._began = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._write("")

    def tick(self, progress: Progress) -> None:
        """Show how far it is."""
        if self._live:
            self._write(self._text(progress))

    def _text(self, progress: Progress) -> str:
        """``12/60 verdicts, $0.04, 40 s left``."""
        parts = [f"{progress.judged}/{self._verdicts} verdicts"]
        if progress.judged:
            parts.append("cost unknown" if progress.cost_usd is None else dollars(progress.cost_usd))
        if 0 < progress.judged < self._verdicts:
            rate = (self._clock() - self._began) / progress.judged
            parts.append(f"{duration(round(rate * (self._verdicts - progress.judged)))} left")
        return ", ".join(parts)

    def _write(self, text: str) -> None:
        self._stream.write(f"{_ERASE}{text}")
        self._stream.flush()
