"""A run of 300 cases that is killed with -9, and the run after it; for a test, and for the benchmark of fifty kills."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

CASES = 300
_DROPPED = ("CI", "OPENAI_API_KEY", "OPENAI_BASE_URL", "PYTEST_ADDOPTS")

PROMPT = """\
---
name: echo
model: {id: small-1, provider: local}
inputs:
  - {name: message, kind: string, required: true}
---
user:
{{ message }}
"""

SUITE = """\
prompt: echo
dataset: ../datasets/rows.jsonl
scorers: {same: exact_match}
metrics: {accuracy: mean(same)}
"""


class Server(Protocol):
    """What is asked of the loopback server."""

    @property
    def base_url(self) -> str:
        """Where it listens."""

    @property
    def requests(self) -> Sequence[Any]:
        """What it was asked."""


def question(number: int) -> str:
    """The question of a case; every tenth is that of the case before, so that ordinals matter."""
    return f"question {number - 1 if number % 10 == 9 else number}"


def answer(body: dict[str, Any]) -> str:
    """A server's answer: mostly the question, sometimes not."""
    text = str(body["messages"][-1]["content"])
    return "no idea" if zlib.crc32(text.encode()) % 7 == 0 else text


def make(root: Path, base_url: str) -> None:
    """Write the project."""
    for name in ("prompts/echo", "datasets", "evals"):
        (root / name).mkdir(parents=True)
    rows = (
        {"id": f"c-{number:03}", "message": question(number), "expected": question(number)} for number in range(CASES)
    )
    (root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (root / "prompts/echo/v1.prompty").write_text(PROMPT, encoding="utf-8")
    (root / "datasets/rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    (root / "evals/echo.eval.yaml").write_text(SUITE, encoding="utf-8")
    provider = f"{{base_url: {base_url}, family: vllm, models: {{small-1: {{pinned: true}}}}}}"
    (root / "promptgate.yaml").write_text(f"providers:\n  local: {provider}\n", encoding="utf-8")


def clear(root: Path) -> None:
    """Forget all runs."""
    shutil.rmtree(root / ".promptgate", ignore_errors=True)
    shutil.rmtree(root / "promptgate.baselines", ignore_errors=True)
    (root / "promptgate.lock.json").unlink(missing_ok=True)


def begin(root: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start ``pytest --update-baseline`` without other people's plugins."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_promptgate.plugin", "--prompt-evals-update"]
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=root,
            env=kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def finish(root: Path) -> None:
    """Run to the end, which must be green."""
    log = root / "run.log"
    if begin(root, log).wait(timeout=120) != 0:
        raise AssertionError(log.read_text(encoding="utf-8"))


def kill_when(root: Path, due: Callable[[], bool]) -> bool:
    """Start a run and kill it with -9 as soon as `due`; False if it had ended before."""
    process = begin(root, root / "killed.log")
    while process.poll() is None and not due():
        time.sleep(0.001)
    ended = process.poll() is not None
    process.kill()
    process.wait()
    return not ended


def written(root: Path) -> dict[str, bytes]:
    """What a run leaves for Git."""
    files = [root / "promptgate.lock.json", *sorted((root / "promptgate.baselines").glob("*"))]
    return {file.name: file.read_bytes() for file in files}


def stored(root: Path) -> Counter[str]:
    """How often each question stands in the store; torn lines are none."""
    found: Counter[str] = Counter()
    path = root / ".promptgate/responses/echo.jsonl"
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if "answer" in value:
            found[question(int(value["parts"]["trial"].removeprefix("c-")))] += 1
    return found


def asked(server: Server, since: int) -> Counter[str]:
    """How often each question was asked, from the request number `since` on."""
    return Counter(str(request.body["messages"][-1]["content"]) for request in server.requests[since:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One kill, and the run after it."""

    killed: bool  # False: the run had ended before
    stored: int  # answers, when it was killed
    under_way: int  # requests that the killed run had sent and not stored
    again: int  # stored answers that were asked for again: 0, or it is a fault
    missing: int  # answers that the store lacks in the end: 0, or it is a fault
    same: bool  # lockfile and outputs are those of the undisturbed run

    @property
    def good(self) -> bool:
        """Nothing was lost, nothing paid twice."""
        return self.again == 0 and self.missing == 0 and self.same


def killed_and_resumed(root: Path, server: Server, due: Callable[[], bool], undisturbed: dict[str, bytes]) -> Outcome:
    """Kill a fresh run when it is `due`, run again to the end, and compare."""
    clear(root)
    began = len(server.requests)
    killed = kill_when(root, due)
    before, paid = stored(root), asked(server, began)
    resumed = len(server.requests)
    finish(root)
    wanted = Counter(question(number) for number in range(CASES))
    return Outcome(
        killed=killed,
        stored=before.total(),
        under_way=(paid - before).total(),
        again=(asked(server, resumed) - (wanted - before)).total(),
        missing=(wanted - stored(root)).total(),
        same=written(root) == undisturbed,
    )
