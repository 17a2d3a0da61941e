"""Fixtures that every room's tests share."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from loopback.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def loopback() -> Iterator[Callable[..., LoopbackServer]]:
    """Start OpenAI-compatible servers on the loopback interface: ``server = loopback(answers=...)``."""
    with ExitStack() as servers:

        def start(**settings: Any) -> LoopbackServer:
            return servers.enter_context(LoopbackServer(**settings))

        yield start
