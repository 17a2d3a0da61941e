"""What can go wrong on the wire, by script or by seeded chance."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias


class Wire(Enum):
    """What happens to the connection."""

    KEPT = "kept"
    DROPPED = "dropped"  # half the reply, then the connection is gone
    CLOSED = "closed"  # no byte of a reply
    HUNG = "hung"  # nothing, for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One reply that is not an answer; hashable, so that chances can be given by fault."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    wire: Wire = Wire.KEPT
    cut: bool = False  # the answer's JSON, torn in the middle, with a matching Content-Length


# (how many requests came before, this one's body) -> a fault, or None for an answer.
Script: TypeAlias = Callable[[int, dict[str, Any]], "Fault | None"]
Faults: TypeAlias = "Script | Sequence[Fault | None] | None"


def _error(status: int, message: str, *, kind: str, code: str | None, **headers: str) -> Fault:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Fault(status=status, body=json.dumps(body).encode(), headers=named)


def rate_limited(retry_after: float | str | None = None, **headers: str) -> Fault:
    """429 as OpenAI sends it; `headers` such as ``x_ratelimit_reset_requests="1s"``."""
    if retry_after is not None:
        headers["retry_after"] = str(retry_after)
    return _error(429, "Rate limit reached for requests", kind="requests", code="rate_limit_exceeded", **headers)


def server_error(status: int = 500, **headers: str) -> Fault:
    """500, 502, 503, 504, 529 and their like."""
    return _error(status, "The server had an error", kind="server_error", code=None, **headers)


def quota_exhausted() -> Fault:
    """The 429 that no waiting mends."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return _error(429, message, kind="insufficient_quota", code="insufficient_quota")


def unauthorized(key: str = "") -> Fault:
    """401; like the real one it quotes a part of the key."""
    return _error(401, f"Incorrect API key provided: {key}.", kind="invalid_request_error", code="invalid_api_key")


def forbidden() -> Fault:
    """403."""
    return _error(
        403, "Country, region, or territory not supported", kind="request_forbidden", code="unsupported_country"
    )


def unknown_model(model: str) -> Fault:
    """404."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return _error(404, message, kind="invalid_request_error", code="model_not_found")


def context_length() -> Fault:
    """400."""
    message = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."
    return _error(400, message, kind="invalid_request_error", code="context_length_exceeded")


def content_filter() -> Fault:
    """400, as Azure sends it."""
    message = "The response was filtered due to the prompt triggering the content management policy."
    return _error(400, message, kind="invalid_request_error", code="content_filter")


def unsupported_parameter(name: str) -> Fault:
    """400."""
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return _error(400, message, kind="invalid_request_error", code="unsupported_parameter")


def html(status: int = 200) -> Fault:
    """A proxy's page in place of JSON."""
    return Fault(status=status, body=b"<html><body>Bad gateway</body></html>", content_type="text/html")


def json_value(value: Any) -> Fault:
    """200 with any JSON value for a body."""
    return Fault(body=json.dumps(value).encode())


TRUNCATED = Fault(cut=True)
DROPPED = Fault(wire=Wire.DROPPED)
CLOSED = Fault(wire=Wire.CLOSED)
HUNG = Fault(wire=Wire.HUNG)


@dataclass(slots=True)
class Chance:
    """A script that draws by the request's own text, so the order of arrival does not matter.

    Args:
        shares: Probability of each fault, in [0, 1]; their sum at most 1.
        seed: Fixes the draws.
    """

    shares: Mapping[Fault, float]
    seed: int = 0
    _asked: dict[str, int] = field(default_factory=dict)

    @property
    def most_tries(self) -> int:
        """How often the request that met most faults was sent."""
        return max(self._asked.values(), default=0)

    def __call__(self, _number: int, body: dict[str, Any]) -> Fault | None:
        text = json.dumps(body["messages"])
        times = self._asked.get(text, 0)
        self._asked[text] = times + 1
        # No checksum: crc32 is linear, so the draws of one text's tries would depend on each other.
        digest = hashlib.blake2b(f"{self.seed}:{times}:{text}".encode(), digest_size=8).digest()
        draw = int.from_bytes(digest) / 2**64
        for fault, share in self.shares.items():
            if draw < share:
                return fault
            draw -= share
        return None


@dataclass(slots=True)
class Bucket:
    """A token bucket: what is above `rate` per second, after a burst, gets 429.

    Args:
        rate: Requests allowed per second.
        burst: Requests that a full bucket holds, >= 1.
        hints: Send ``x-ratelimit-*`` with every reply.
        whole_seconds: Round Retry-After up to whole seconds, as most providers do.
    """

    rate: float
    burst: float
    hints: bool = False
    whole_seconds: bool = False
    refused: int = 0
    _tokens: float = field(init=False)
    _seen: float | None = None

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def take(self, now: float) -> Fault | None:
        """Take one token at `now` (seconds), or tell when the next one falls."""
        elapsed = 0.0 if self._seen is None else now - self._seen
        self._seen = now
        self._tokens = min(self.burst, self._tokens + elapsed * self.rate)
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        self.refused += 1
        wait = (1 - self._tokens) / self.rate
        return rate_limited(f"{math.ceil(wait)}" if self.whole_seconds else f"{wait:.3f}")

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The hints for the reply that is being written; empty if they are off."""
        if not self.hints:
            return ()
        return (
            ("x-ratelimit-limit-requests", f"{self.burst:.0f}"),
            ("x-ratelimit-remaining-requests", f"{math.floor(self._tokens)}"),
            ("x-ratelimit-reset-requests", f"{(self.burst - self._tokens) / self.rate:.3f}s"),
        )
