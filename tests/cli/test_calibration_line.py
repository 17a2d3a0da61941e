from __future__ import annotations

import io

from pytest_promptgate.cli.calibration_line import CalibrationLine
from pytest_promptgate.workflows.progress import Progress


class Terminal(io.StringIO):
    """A stream that says that people look at it."""

    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, *, verdicts: int = 60) -> str:
    times = iter([0.0, 10.0, 20.0, 30.0])
    with CalibrationLine(verdicts=verdicts, stream=stream, clock=lambda: next(times)) as line:
        line.tick(Progress())
        line.tick(Progress(judged=20, cost_usd=0.04))
        line.tick(Progress(judged=40, cost_usd=None))
        line.tick(Progress(judged=60, cost_usd=0.12))
    return stream.getvalue()


def test_a_terminal_shows_verdicts_cost_and_the_time_left_on_one_line() -> None:
    assert shown(Terminal()).split("\r\x1b[K") == [
        "",
        "0/60 verdicts",
        "20/60 verdicts, $0.04, 20 s left",
        "40/60 verdicts, cost unknown, 10 s left",
        "60/60 verdicts, $0.12",
        "",
    ]


def test_a_log_hears_nothing_and_neither_does_anybody_if_all_is_stored() -> None:
    assert shown(io.StringIO()) == ""
    assert shown(Terminal(), verdicts=0) == ""
