"""kill -9 in the middle of a run: the next one goes on, pays for nothing twice, and ends the same.

Fifty random moments: ``python -m tests.benchmarks.kill_fifty``.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from killing import CASES, answer, finish, killed_and_resumed, make, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loopback.server import LoopbackServer

KILLS = 3


def test_a_killed_run_is_resumed_to_the_same_lockfile_and_asks_for_no_stored_answer_again(
    tmp_path: Path, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=answer, latency=0.05)
    make(tmp_path, server.base_url)
    finish(tmp_path)
    undisturbed = written(tmp_path)
    draw = random.Random(7)
    for _ in range(KILLS):
        moment = server.count + draw.randrange(1, CASES)
        outcome = killed_and_resumed(tmp_path, server, lambda moment=moment: server.count >= moment, undisturbed)  # type: ignore[misc]
        assert outcome.killed
        assert outcome.good, outcome
        assert outcome.stored < CASES
