"""A run that is stopped keeps every answer it has; the next one goes on from there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from front_project import QUIET_PLUGINS, SUITE, Project
from loopback.answers import last_user_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

CASES = 500


class Gate:
    """Answers with the text itself, and tells when `count` requests have been answered."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.answered = 0
        self.reached = threading.Event()

    def __call__(self, body: dict[str, object]) -> str:
        self.answered += 1
        if self.answered >= self.count:
            self.reached.set()
        return last_user_text(body)


def started(project: Project, *args: str) -> subprocess.Popen[str]:
    """``pytest --prompt-evals ARGS`` in a process of its own, still running."""
    command = [sys.executable, "-m", "pytest", *QUIET_PLUGINS, "--prompt-evals", *args]
    return subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def many(project: Project, base_url: str, count: int = CASES) -> Project:
    """A suite of so many cases that expect an echo."""
    project.served(base_url)
    project.prompt("v1", {}, model="{id: small-1, provider: local}")
    project.dataset([(f"r-{number:03}", f"row {number}", f"row {number}") for number in range(count)])
    return project


def stored(project: Project) -> list[str]:
    """The trials whose answers the store holds."""
    path = project.root / ".promptgate/responses/triage.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line["parts"]["trial"] for line in lines if "parts" in line]


def rows_asked(server: LoopbackServer) -> list[str]:
    """The questions that reached the server, in order."""
    return [last_user_text(request.body) for request in server.requests]


def stopped(process: subprocess.Popen[str], *signals: signal.Signals) -> str:
    """Send the signals; the output of the process once it has ended."""
    for each in signals:
        process.send_signal(each)
    output, _ = process.communicate(timeout=60)
    return output


def test_a_run_that_was_killed_goes_on_where_it_was(project: Project, loopback: Callable[..., LoopbackServer]) -> None:
    gate = Gate(150)
    server = loopback(answers=gate, latency=0.02)
    process = started(many(project, server.base_url))
    assert gate.reached.wait(60)

    stopped(process, signal.SIGKILL)

    kept = stored(project)
    assert len(kept) == len(set(kept))
    assert 100 < len(kept) < CASES
    before = server.count
    project.run("--update-baseline", "-q").assert_outcomes(passed=CASES + 1)
    # No stored answer is asked again, none is lost.
    assert server.count - before == CASES - len(kept)
    assert sorted(stored(project)) == [f"r-{number:03}" for number in range(CASES)]


def test_an_interrupted_update_writes_no_baseline_but_all_reports(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    gate = Gate(10)
    server = loopback(answers=gate, latency=0.05)
    many(project, server.base_url, 200)
    project.suite(SUITE.replace("prompt: triage", "prompt: triage@v1"))
    project.prompt("v2")
    project.dataset(name="few")
    project.suite(SUITE.replace("mails", "few"), name="a-first")
    process = started(project, "--update-baseline", "--junitxml=out.xml", "-o", "promptgate_max_connections=4")
    assert gate.reached.wait(60)

    output = stopped(process, signal.SIGINT)

    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "no baseline was written: the run ended early" in output
    assert not (project.root / "promptgate.lock.json").exists()
    # The suite that was done has its table all the same, and its test cases.
    assert "a-first: triage@v2 on embedded/nearest-example-1" in output
    assert "  accuracy  -         1.000    -       new      10/0/0" in output
    assert 'name="gate:accuracy[nearest-example-1]"' in project.text("out.xml")
    # Whatever the server was asked has been awaited and stored.
    assert len(stored(project)) == server.count < 200


def test_ctrl_c_in_an_ordinary_test_asks_nothing(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", "def test_one():\n    raise KeyboardInterrupt\n")

    result = project.run_apart("--prompt-evals")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert not (project.root / ".promptgate").exists()


def test_a_test_that_ends_the_session_leaves_the_evals_alone(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", "import pytest\ndef test_one():\n    pytest.exit('enough', returncode=7)\n")

    result = project.evals()

    assert result.ret == 7
    assert not (project.root / ".promptgate").exists()
