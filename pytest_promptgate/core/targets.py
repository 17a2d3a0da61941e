"""A callable in place of a prompt: how a case becomes a `Request` of it, and the request its arguments again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_promptgate.core.fingerprint import canonical
from pytest_promptgate.core.types import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pytest_promptgate.core.types import Json, Request, Suite

TARGET = "target"  # the provider, and its kind, of every target's pin
_ENOUGH = 3  # stored samples per case with which the gate can test where it cannot ask again (DECISIONS 5)


def call_messages(arguments: Mapping[str, Json]) -> tuple[Message, ...]:
    """The keyword arguments as the one message of a request, so that digests, stores and estimates know them."""
    return (Message(role="user", content=canonical(arguments)),)


def arguments_of(request: Request) -> dict[str, Any]:
    """What `call_messages` was given; new objects each time, which users' code may change as it likes."""
    found: dict[str, Any] = json.loads(request.messages[-1].content)
    return found


def target_notes(suite: Suite) -> tuple[str, ...]:
    """What a report says of a suite whose production cannot be asked again; nothing for prompts."""
    target = suite.prompt.target
    if target is None or suite.samples >= _ENOUGH or suite.rule == "strict":
        return ()
    return (
        "the earlier target is gone and cannot be asked again, so with fewer than 3 samples any loss counts as one, "
        "lucky or not: write `samples: 5` to let the gate tell luck from loss",
    )
