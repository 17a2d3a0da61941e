"""``python -m tests.benchmarks.kill_fifty [--kills N] [--seed S]``: kill -9 at random moments of a 300-case run.

Each kill is followed by a run to the end. Prints one line per kill, and what it comes to.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as for the tests, which share what follows

from killing import CASES, answer, finish, killed_and_resumed, make, written
from loopback.server import LoopbackServer

LATENCY_S = 0.1
ENDS_S = 1.0  # about what starting takes, and what judging and writing take


class Moment:
    """A random moment: while it starts (1 in 10), amid the answers, or while it judges and writes (2 in 10)."""

    def __init__(self, draw: random.Random, server: LoopbackServer) -> None:
        where = draw.random()
        self._server = server
        self._answers = 0 if where < 0.1 else CASES if where > 0.8 else draw.randrange(1, CASES)
        self._wait = draw.uniform(0.0, LATENCY_S if 0 < self._answers < CASES else ENDS_S)
        self._first = server.count
        self._reached: float | None = None

    def __call__(self) -> bool:
        """Whether it has come."""
        now = time.monotonic()
        if self._reached is None and self._server.count - self._first >= self._answers:
            self._reached = now
        return self._reached is not None and now - self._reached >= self._wait

    def __str__(self) -> str:
        return f"{self._wait:4.2f} s after request {self._answers:3}"


def main() -> None:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.kill_fifty", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as directory, LoopbackServer(answers=answer, latency=LATENCY_S) as server:
        root = Path(directory)
        make(root, server.base_url)
        finish(root)
        undisturbed = written(root)
        outcomes = []
        for number in range(1, given.kills + 1):
            moment = Moment(draw, server)
            outcome = killed_and_resumed(root, server, moment, undisturbed)
            outcomes.append(outcome)
            verdict = "ok" if outcome.good else "FAULT"
            when = f"killed {moment}" if outcome.killed else "ended before it was killed"
            print(
                f"{number:3}  {when}  {outcome.stored:3} of {CASES} stored, {outcome.under_way} under way, "
                f"{outcome.again} asked again, {outcome.missing} missing, lockfile "
                f"{'same' if outcome.same else 'DIFFERENT'}  {verdict}",
                flush=True,
            )
    good = sum(outcome.good for outcome in outcomes)
    amid = sum(outcome.killed and 0 < outcome.stored < CASES for outcome in outcomes)
    lost = sum(outcome.under_way for outcome in outcomes)
    print(f"{good} of {len(outcomes)} good; {amid} amid the answers; under way when killed: {lost} answers in all")


if __name__ == "__main__":
    main()
