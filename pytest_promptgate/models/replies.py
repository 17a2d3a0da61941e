"""A provider's reply, read strictly: what is not a complete answer is a fault, never an empty answer."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.types import Completion, ToolCall
from pytest_promptgate.errors import RequestRefused, TransportFault

if TYPE_CHECKING:
    from collections.abc import Mapping

_ODD_REPLY = "If it stays so, look at base_url: a proxy or another service may be answering."


def read_reply(where: str, raw: bytes, *, latency_s: float | None, requests: int = 1) -> Completion:
    """The answer in the body of a reply with status 200.

    Raises:
        TransportFault: It is no JSON, or not a whole chat completion.
        RequestRefused: The provider ended the answer before its first word.
    """
    value = object_of(where, raw)
    choice = _choice(where, value)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise malformed(where, "a choice without a message")
    finish = text_of(choice.get("finish_reason"))
    calls = tuple(_tool_call(where, call) for call in message.get("tool_calls") or ())
    text, refused = _content(where, message)
    if text is None and not calls:
        raise _nothing(where, finish)
    usage = value.get("usage")
    return Completion(
        text=text or "",
        tool_calls=calls,
        served_model=text_of(value.get("model")),
        fingerprint=text_of(value.get("system_fingerprint")),
        tokens_in=count_of(usage, "prompt_tokens"),
        tokens_out=count_of(usage, "completion_tokens"),
        tokens_cached=count_of(_inner(usage, "prompt_tokens_details"), "cached_tokens"),
        latency_s=latency_s,
        finish_reason="refusal" if refused else finish,
        logprobs=choice.get("logprobs"),
        requests=requests,
    )


def object_of(where: str, raw: bytes) -> dict[str, Any]:
    """The JSON object that a reply's body is.

    Raises:
        TransportFault: It is none.
    """
    try:
        # NaN and infinities (seen in logprobs) are no JSON, and would not survive the store.
        value = json.loads(raw, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as fault:
        if re.match(rb"\s*<(!doctype|html|\?xml)", raw[:200], re.IGNORECASE):
            raise TransportFault(where, "the reply is an HTML page, not JSON", hint=_ODD_REPLY) from fault
        raise TransportFault(where, f"the reply is no complete JSON ({len(raw)} bytes)", hint=_ODD_REPLY) from fault
    if not isinstance(value, dict):
        raise malformed(where, f"JSON, but {type(value).__name__} in place of an object")
    return value


def _choice(where: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        error = value.get("error")
        said = error.get("message") if isinstance(error, dict) else error
        if said:
            raise TransportFault(where, f"the provider failed with status 200: {one_line(str(said), width=200)}")
        raise malformed(where, "a reply without choices")
    if choices[0].get("finish_reason") == "error":
        raise TransportFault(where, "the provider broke off its answer")
    return choices[0]


def _content(where: str, message: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The text, or None, and whether it is a refusal."""
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, list):
        content = "".join(text_of(part.get("text")) for part in content if isinstance(part, dict))
    if content is not None and not isinstance(content, str):
        raise malformed(where, f"a message whose content is {type(content).__name__}")
    if isinstance(refusal, str) and refusal and not content:
        return refusal, True
    return content, False


def _tool_call(where: str, call: object) -> ToolCall:
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str):
        raise malformed(where, "a tool call without a function's name")
    arguments = function.get("arguments", "")
    return ToolCall(name=name, arguments=arguments if isinstance(arguments, str) else json.dumps(arguments))


def _nothing(where: str, finish: str) -> TransportFault | RequestRefused:
    if finish == "content_filter":
        return RequestRefused(where, "the provider's content filter withheld the answer")
    if finish == "length":
        return RequestRefused(
            where,
            "the token limit was reached before the first word of the answer",
            hint="Raise maxOutputTokens; a reasoning model spends it on thinking first.",
        )
    return malformed(where, "a message without content")


def malformed(where: str, what: str) -> TransportFault:
    """The fault of a reply that is JSON, but lacks `what` it should hold."""
    return TransportFault(where, f"the reply is not a whole answer: {what}", hint=_ODD_REPLY)


def text_of(value: object) -> str:
    """`value` if it is a text, else ""."""
    return value if isinstance(value, str) else ""


def _inner(usage: object, name: str) -> object:
    return usage.get(name) if isinstance(usage, dict) else None


def count_of(usage: object, name: str) -> int | None:
    """A number of tokens; None if the provider did not count them."""
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
