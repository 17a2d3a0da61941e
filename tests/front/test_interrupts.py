"""Ctrl-C, SIGTERM, ``-x``: a run that ends early keeps what was paid for."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from front_project import QUIET_PLUGINS, RIGHT, Project, asked

from pytest_promptgate.pytest_signals import Termination

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from loopback.server import LoopbackServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")


def begin(project: Project, *args: str) -> subprocess.Popen[str]:
    """Start ``pytest --prompt-evals`` in a process of its own."""
    command = [sys.executable, "-m", "pytest", *QUIET_PLUGINS, "-p", "no:cacheprovider", "--prompt-evals", *args]
    return subprocess.Popen(
        command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=outside_ci()
    )


def outside_ci() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "CI"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_its_summary_and_keeps_what_was_answered(
    project: Project, loopback: Callable[..., LoopbackServer], number: signal.Signals
) -> None:
    sent = threading.Event()

    def answers(body: dict[str, object]) -> str:
        if server.count == 4 and not sent.is_set():
            sent.set()
            process.send_signal(number)
        return RIGHT[question(body)]

    server = loopback(answers=answers, latency=0.2)
    project.served(server.base_url)
    with begin(project, "-o", "promptgate_max_connections=2") as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert "KeyboardInterrupt" in output
    assert "not judged: the run ended early; answers are stored, the next run goes on from there" in output
    paid = server.count
    assert 4 <= paid < 10
    again = project.evals()
    assert server.count == 10
    assert asked(again)[0].startswith(f"10 cases: 0 unchanged, {paid} from the store, {10 - paid} asked")


def question(body: dict[str, object]) -> str:
    """The text of the last message."""
    messages = body["messages"]
    assert isinstance(messages, list)
    return str(messages[-1]["content"])


def test_a_second_signal_does_not_wait_for_what_is_under_way(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    def answers(body: dict[str, object]) -> str:
        begun.set()
        return RIGHT[question(body)]

    begun = threading.Event()
    # The first answer comes at once; the others would take longer than the test may.
    latencies = iter([0.0])
    server = loopback(answers=answers, latency=lambda _draw: next(latencies, 600.0))
    project.served(server.base_url)
    with begin(project) as process:
        assert begun.wait(60)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
        output, _ = process.communicate(timeout=60)

    assert process.returncode in (2, -signal.SIGINT), output
    assert asked(project.evals("--prompt-offline")) == [
        "10 cases: 0 unchanged, 1 from the store, 0 asked, 9 not answered"
    ]


def test_minus_x_cancels_what_is_not_needed(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    server = loopback(answers={**RIGHT, "the card was charged two times": "account"}, latency=0.05)
    project.served(server.base_url)
    project.suite(project.text("evals/triage.eval.yaml") + "must_pass: [c-01]\n")
    project.dataset([*ROWS_FIRST, *[(f"n-{number:03}", "short", "billing") for number in range(200)]])

    result = project.evals("-x", "-o", "promptgate_max_connections=2")

    assert result.ret == 1
    result.assert_outcomes(failed=1)
    assert 0 < server.count < 201
    asked_before = server.count
    again = project.evals("--prompt-offline")
    assert asked(again)[0].startswith(f"201 cases: 0 unchanged, {asked_before} from the store, 0 asked")


ROWS_FIRST = [("c-01", "the card was charged two times", "billing")]


def test_sigterm_is_put_back_as_it_was() -> None:
    calls: list[int] = []

    def mine(number: int, _frame: FrameType | None) -> None:
        calls.append(number)

    before = signal.signal(signal.SIGTERM, mine)
    try:
        termination = Termination()
        termination.install()
        termination.install()
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
            os.kill(os.getpid(), signal.SIGTERM)
        termination.restore()
        termination.restore()
        assert signal.getsignal(signal.SIGTERM) is mine
        os.kill(os.getpid(), signal.SIGTERM)
        assert calls == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_handler_that_was_set_meanwhile_stays() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        termination = Termination()
        termination.install()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        termination.restore()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_after_a_run_sigterm_is_what_it_was(project: Project) -> None:
    before = signal.getsignal(signal.SIGTERM)
    project.standard().evals()
    assert signal.getsignal(signal.SIGTERM) is before


def test_ordinary_tests_see_no_handler_of_ours(project: Project) -> None:
    project.standard()
    project.write(
        "test_unit.py",
        "import signal\ndef test_one():\n    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n",
    )
    assert project.evals().ret == 0
