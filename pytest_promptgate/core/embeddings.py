"""Vectors of texts: how they are kept, and how near two of them are.

A vector is kept as 32-bit numbers, little-endian, in base64: OpenAI's own compact form. Whoever reads it from the store
gets the very numbers that a fresh answer gives, so a score never depends on where its vectors came from.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Message, Request, RequestKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.types import ModelPin

_SIZE = 4  # bytes of a number


def embedding_request(pin: ModelPin, text: str) -> Request:
    """The request for the vector of `text`."""
    messages = (Message(role="user", content=text),)
    return Request(kind=RequestKind.EMBEDDING, pin=pin, messages=messages, parameters=pin.parameters)


def packed(vector: Sequence[float]) -> str:
    """A vector as text.

    Raises:
        ValueError: A number is not finite, or too large for 32 bits.
    """
    if not all(map(math.isfinite, vector)):
        raise ValueError("a number is not finite")
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
    except OverflowError:
        raise ValueError("a number is too large for 32 bits") from None


def unpacked(text: str) -> tuple[float, ...]:
    """The vector behind a text of `packed`.

    Raises:
        ValueError: It is none.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not base64") from None
    if not raw or len(raw) % _SIZE:
        raise ValueError(f"its {len(raw)} bytes are no whole numbers of 32 bits")
    vector = struct.unpack(f"<{len(raw) // _SIZE}f", raw)
    if not all(map(math.isfinite, vector)):
        raise ValueError("a number is not finite")
    return vector


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Cosine of the angle between two vectors, -1 … 1.

    Raises:
        ValueError: Their lengths differ, or one has no direction: all its numbers are 0.
    """
    if len(one) != len(other):
        raise ValueError(f"the vectors have different lengths: {len(one)} and {len(other)}")
    size = math.hypot(*one) * math.hypot(*other)
    if size == 0:
        raise ValueError("a vector is all zeros, so it has no direction")
    return min(1.0, max(-1.0, math.fsum(a * b for a, b in zip(one, other, strict=True)) / size))
