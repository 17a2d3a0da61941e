"""What is shown while calls run: one line on a terminal that never tears the dots, a few lines in a log."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, cast

import pytest
from front_project import QUIET_PLUGINS, RIGHT, SUITE, Project

from pytest_promptgate.pytest_progress import ProgressLine, count, describe, duration
from pytest_promptgate.workflows.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer


# --- one line --------------------------------------------------------------------------------------------------------


def test_the_line_tells_answers_tokens_cost_failures_and_the_time_left() -> None:
    progress = Progress(
        planned=1000, done=412, tokens_in=12_000, tokens_out=345, cost_usd=0.416, errored=3, left_s=12.4
    )

    assert describe(progress) == "prompt evals: 412/1000 answers, 12.3k tokens, $0.42, 3 failed, 12 s left"


def test_what_is_not_known_is_left_out() -> None:
    assert describe(Progress(planned=10, done=0, cost_usd=None)) == "prompt evals: 0/10 answers"


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (999, "999"), (1000, "1.0k"), (12_345, "12.3k"), (4_100_000, "4.1M")]
)
def test_large_counts_are_shortened(number: int, shown: str) -> None:
    assert count(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (9000, "2.5 h")]
)
def test_durations_are_said_in_the_unit_that_fits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


# --- when ------------------------------------------------------------------------------------------------------------


class Screen:
    """A terminal reporter that remembers what it was asked to write."""

    def __init__(self, *, isatty: bool) -> None:
        self.isatty = isatty
        self.calls: list[str] = []
        self.width_of_current_line = 0
        self._tw = self

    def ensure_newline(self) -> None:
        """Nothing stands in the line."""

    def flush(self) -> None:
        """Nothing waits."""

    def write_line(self, text: str) -> None:
        self.calls.append(f"line: {text}")

    def rewrite(self, text: str, erase: bool = False) -> None:
        if erase:
            self.calls.append(f"rewrite: {text}")


class Capture:
    """A capture manager that captures nothing."""

    def global_and_fixture_disabled(self) -> AbstractContextManager[None]:
        return nullcontext()


class Surroundings:
    """As much of pytest's config as a progress line reads."""

    def __init__(self, screen: Screen | None, *, verbose: int = 0) -> None:
        self.plugins = {"terminalreporter": screen, "capturemanager": Capture()}
        self.pluginmanager = self
        self.option = self
        self.verbose = verbose

    def get_plugin(self, name: str) -> Any:
        return self.plugins[name]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def progress_line(screen: Screen | None, clock: Clock, *, verbose: int = 0) -> ProgressLine:
    """A progress line in these surroundings."""
    return ProgressLine(cast("pytest.Config", Surroundings(screen, verbose=verbose)), clock=clock)


def test_a_log_hears_after_10_20_and_40_seconds() -> None:
    screen, clock = Screen(isatty=False), Clock()
    line = progress_line(screen, clock)
    heard: list[float] = []

    for second in range(100):
        clock.now = 100.0 + second
        before = len(screen.calls)
        line.tick(Progress(planned=10, done=1))
        if len(screen.calls) > before:
            heard.append(second)
    line.clear()

    assert heard == [10, 20, 40, 80]
    assert set(screen.calls) == {"line: prompt evals: 1/10 answers"}


def test_a_terminal_sees_every_tick_and_the_line_is_erased_at_the_end() -> None:
    screen = Screen(isatty=True)
    line = progress_line(screen, Clock())

    line.tick(Progress(planned=2, done=0))
    line.tick(Progress(planned=2, done=1))
    line.clear()
    line.clear()

    assert screen.calls == [
        "rewrite: prompt evals: 0/2 answers",
        "rewrite: prompt evals: 1/2 answers",
        "rewrite: ",
    ]


def test_a_quiet_terminal_is_treated_like_a_log() -> None:
    screen, clock = Screen(isatty=True), Clock()
    line = progress_line(screen, clock, verbose=-1)

    line.tick(Progress(planned=2, done=0))
    clock.now += 11
    line.tick(Progress(planned=2, done=1))

    assert screen.calls == ["line: prompt evals: 1/2 answers"]


def test_without_a_terminal_reporter_nothing_is_written() -> None:
    line = progress_line(None, Clock())

    line.tick(Progress(planned=2, done=0))
    line.say("hello")
    line.clear()


# --- on a terminal ---------------------------------------------------------------------------------------------------


def on_terminal(project: Project, *args: str) -> str:
    """Everything that ``pytest ARGS`` writes to a terminal of 80 columns."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "pytest", *QUIET_PLUGINS, *args]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(command, cwd=project.root, stdin=side, stdout=side, stderr=side, env=environment):
        os.close(side)
        written = b""
        while chunk := _read(main):
            written += chunk
    os.close(main)
    return written.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux tells that the other side was closed
        return b""


def screen_lines(written: str) -> list[str]:
    """What stays on the screen: a carriage return writes over the line, colours are not looked at."""
    lines: list[str] = []
    for raw in re.sub(r"\x1b\[[0-9;]*m", "", written).split("\n"):
        cells: list[str] = []
        for part in raw.removesuffix("\r").split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


@pytest.fixture
def slow(project: Project, loopback: Callable[..., LoopbackServer]) -> Project:
    """A project whose model takes long enough for some ticks."""
    server = loopback(answers=RIGHT, latency=0.3)
    return project.served(server.base_url)


def test_the_line_of_dots_stays_whole_on_a_terminal(slow: Project) -> None:
    slow.write("test_unit.py", "def test_one(): pass\ndef test_two(): pass\n")

    written = on_terminal(slow, "--prompt-evals")

    assert "\rprompt evals: 0/10 answers" in written
    lines = screen_lines(written)
    assert [line for line in lines if line.startswith(("test_unit.py", "evals/"))] == [
        "test_unit.py ..",
        "evals/triage.eval.yaml ..........g                                       [100%]",
    ]
    assert not [line for line in lines if re.search(r"\d+/\d+ answers", line)]


def test_verbose_lines_stay_whole_on_a_terminal(slow: Project) -> None:
    lines = screen_lines(on_terminal(slow, "--prompt-evals", "-v"))

    found = [line for line in lines if line.startswith("evals/")]
    assert len(found) == 11
    assert all(
        re.fullmatch(r"evals/triage\.eval\.yaml::triage@v1::\S+ (SCORED 1\.00|NEW) +\[ *\d+%\]", each) for each in found
    )


def test_two_models_of_one_suite_keep_their_dots_on_a_terminal(slow: Project) -> None:
    slow.suite(f"{SUITE}model: {{a: local/small-1, b: local/small-2}}\n")

    # Few connections: the first model's answers are in before the second's.
    lines = screen_lines(on_terminal(slow, "--prompt-evals", "-o", "promptgate_max_connections=5"))

    dots = "".join(line.split()[1] for line in lines if line.startswith("evals/"))
    assert dots == "..........g" * 2
