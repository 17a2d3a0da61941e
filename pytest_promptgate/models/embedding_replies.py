"""The reply of an embeddings endpoint, read as strictly as a chat completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.embeddings import packed
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.types import Completion
from pytest_promptgate.errors import RequestRefused, TransportFault
from pytest_promptgate.models.replies import count_of, malformed, object_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_embedding(where: str, raw: bytes, *, latency_s: float | None, requests: int = 1) -> Completion:
    """The vector in the body of a reply with status 200, as the `embedding` of a completion without text.

    Raises:
        TransportFault: It is no JSON, or holds not exactly one vector.
        RequestRefused: The vector holds something that is no finite number: a further try would give the same.
    """
    value = object_of(where, raw)
    numbers = _vector(where, value)
    # `object_of` reads NaN and infinities, which are no JSON, as null.
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers):
        raise RequestRefused(where, "the vector that came back holds something that is no finite number")
    try:
        embedding = packed(numbers)
    except (ValueError, OverflowError):
        raise RequestRefused(where, "the vector that came back holds something that is no finite number") from None
    return Completion(
        text="",
        embedding=embedding,
        served_model=text_of(value.get("model")),
        tokens_in=count_of(value.get("usage"), "prompt_tokens"),
        tokens_out=0,
        latency_s=latency_s,
        requests=requests,
    )


def _vector(where: str, value: Mapping[str, Any]) -> list[Any]:
    data = value.get("data")
    if not isinstance(data, list):
        error = value.get("error")
        said = error.get("message") if isinstance(error, dict) else error
        if said:
            raise TransportFault(where, f"the provider failed with status 200: {one_line(str(said), width=200)}")
        raise malformed(where, "a reply without data")
    if len(data) != 1 or not isinstance(data[0], dict):
        raise malformed(where, f"{len(data)} embeddings of one text")
    numbers = data[0].get("embedding")
    if not isinstance(numbers, list) or not numbers:
        raise malformed(where, "an embedding that is no list of numbers")
    return numbers
