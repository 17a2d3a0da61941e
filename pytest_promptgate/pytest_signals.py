"""SIGTERM, with which CI systems and schedulers end a run, is taken for Ctrl-C while evals run."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn


class Termination:
    """Installs the handler, and puts back the one that was there."""

    def __init__(self) -> None:
        self._before: Callable[[int, FrameType | None], object] | int | None = None
        self._installed = False

    def install(self) -> None:
        """Begin to take SIGTERM for Ctrl-C; only the main thread may, and only a handler of Python's comes back."""
        before = signal.getsignal(signal.SIGTERM)
        if self._installed or before is None or threading.current_thread() is not threading.main_thread():
            return
        self._before = before
        signal.signal(signal.SIGTERM, _interrupt)
        self._installed = True

    def restore(self) -> None:
        """Put the handler back, unless somebody has set another one meanwhile; idempotent."""
        if self._installed and signal.getsignal(signal.SIGTERM) is _interrupt:
            signal.signal(signal.SIGTERM, self._before)
        self._installed = False


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt("SIGTERM")
