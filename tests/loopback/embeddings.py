"""What the loopback server answers at its embeddings endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Vectors: TypeAlias = Callable[[str], Sequence[float]]

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def letters(text: str) -> Sequence[float]:
    """How often each letter stands in `text`: anagrams are alike."""
    return [float(text.casefold().count(each)) for each in _ALPHABET]


def embedding_reply(vector: Sequence[float], body: dict[str, Any], *, model: str) -> bytes:
    """One embedding as OpenAI writes it."""
    tokens = len(str(body["input"]).split())
    value = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": list(vector)}],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return json.dumps(value).encode()
