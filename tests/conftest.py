"""Fixtures that every room's tests share."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import hypothesis  # noqa: F401  (its extensions look at references, which what is frozen below hides)
import pytest
from loopback.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later garbage collection.

    Many tests run a whole pytest in this process, which ends with a full collection. Over thousands of collected tests that
    took longer than the run itself.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def loopback() -> Iterator[Callable[..., LoopbackServer]]:
    """Start OpenAI-compatible servers on the loopback interface: ``server = loopback(answers=...)``."""
    with ExitStack() as servers:

        def start(**settings: Any) -> LoopbackServer:
            return servers.enter_context(LoopbackServer(**settings))

        yield start
