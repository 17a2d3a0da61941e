"""Lines of a response store: one JSON object each.

::

    {"promptgate_store":1}               a header; may stand anywhere, for stores are merged by `cat`
    {"request":…,"endpoint":…,"role":…,"ordinal":0,"round":"","time":…,"digest":…,"parts":{…},"answer":{…}}
    {"round_complete":"2","time":…}      from here on the answers of that round count
    {"repaired":true}                    the line above was torn, and has been seen to

No line holds a key, a header or the text of a prompt.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.core.ports import StoreKey
from pytest_promptgate.core.types import Completion, ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
HEADER = b'{"promptgate_store":1}\n'
REPAIRED = b'{"repaired":true}\n'

_NUMBERS = ("tokens_in", "tokens_out", "tokens_cached")
_TEXTS = ("served_model", "fingerprint", "finish_reason", "embedding")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """One stored answer, without the answer itself."""

    key: StoreKey
    time: float  # seconds since 1970, when it was stored
    digest: str  # of the answer
    trial: str = ""  # "" if the line does not say
    latency_s: float | None = None

    @property
    def rank(self) -> tuple[float, str]:
        """Of equal keys the smallest rank wins."""
        return (self.time, self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderLine:
    """The format's version."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundLine:
    """A round that is complete."""

    round: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedLine:
    """The line before is torn."""


Line: TypeAlias = AnswerLine | HeaderLine | RoundLine | RepairedLine


def _compact(value: object) -> str:
    # Escaped, so that lone surrogates survive the way through UTF-8.
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def encode_answer(key: StoreKey, completion: Completion, *, parts: Mapping[str, str], time: float) -> bytes:
    """The whole line, with its line feed."""
    answer = _compact(_plain(completion))
    head = {
        "request": key.request,
        "endpoint": key.endpoint,
        "role": key.role,
        "ordinal": key.ordinal,
        "round": key.round,
        "time": round(time, 3),
        "digest": _digest(answer.encode()),
        "parts": dict(parts),
    }
    return f'{_compact(head)[:-1]},"answer":{answer}}}\n'.encode()


def encode_round(name: str, *, time: float) -> bytes:
    """The line that makes a round count."""
    return f"{_compact({'round_complete': name, 'time': round(time, 3)})}\n".encode()


def decode(line: bytes) -> Line:
    """What a line says.

    Raises:
        ValueError: It is no line of a store.
    """
    value = _object(line)
    if "answer" in value:
        return _answer_line(value)
    if "promptgate_store" in value:
        return HeaderLine(version=int(value["promptgate_store"]))
    if "round_complete" in value:
        return RoundLine(round=str(value["round_complete"]))
    if "repaired" in value:
        return RepairedLine()
    raise ValueError("no line of a store")


def decode_completion(line: bytes) -> Completion:
    """The answer that an answer line holds.

    Raises:
        ValueError: The line was changed since it was written.
    """
    value = _object(line)
    answer = value.get("answer")
    if not isinstance(answer, dict) or not _matches(line, answer, value.get("digest")):
        raise ValueError("the answer does not match its digest")
    calls = tuple(ToolCall(name=call["name"], arguments=call["arguments"]) for call in answer.pop("tool_calls", ()))
    return Completion(tool_calls=calls, **answer)


def decode_parts(line: bytes) -> tuple[str, Mapping[str, str]]:
    """Endpoint and the digests of a stored request's parts."""
    value = _object(line)
    return str(value.get("endpoint", "")), value.get("parts") or {}


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _answer_line(value: dict[str, Any]) -> AnswerLine:
    try:
        key = StoreKey(
            request=value["request"],
            endpoint=value["endpoint"],
            role=value["role"],
            ordinal=value["ordinal"],
            round=value["round"],
        )
        trial, latency = (value.get("parts") or {}).get("trial"), value["answer"].get("latency_s")
        return AnswerLine(
            key=key,
            time=float(value["time"]),
            digest=value["digest"],
            trial=trial if isinstance(trial, str) else "",
            latency_s=latency if isinstance(latency, int | float) else None,
        )
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError("a part of the key is missing") from fault


def _matches(line: bytes, answer: dict[str, Any], digest: object) -> bool:
    # As it stands in the line; else, if some tool wrote the line anew, as we would write it, which takes longer.
    as_it_stands = line.partition(b',"answer":')[2].rstrip()[:-1]
    return digest == _digest(as_it_stands) or digest == _digest(_compact(answer).encode())


def _digest(answer: bytes) -> str:
    return hashlib.sha256(answer).hexdigest()[:32]


def _plain(completion: Completion) -> dict[str, Any]:
    """The answer's fields that are not at their default."""
    value: dict[str, Any] = {"text": completion.text}
    if completion.tool_calls:
        value["tool_calls"] = [{"name": call.name, "arguments": call.arguments} for call in completion.tool_calls]
    value |= {name: held for name in _TEXTS if (held := getattr(completion, name))}
    value |= {name: held for name in _NUMBERS if (held := getattr(completion, name)) is not None}
    if completion.latency_s is not None:
        value["latency_s"] = round(completion.latency_s, 6)
    if completion.requests != 1:
        value["requests"] = completion.requests
    if completion.logprobs is not None:
        value["logprobs"] = completion.logprobs
    return value
