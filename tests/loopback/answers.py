"""What the loopback server answers: scripted texts, and the reply around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One scripted answer; what is None is filled in from the request."""

    text: str | None = None
    tool_calls: tuple[tuple[str, str], ...] = ()  # (name, arguments as JSON text)
    finish_reason: str | None = None
    refusal: str | None = None
    model: str | None = None
    fingerprint: str = "fp_loopback"
    usage: Mapping[str, Any] | None = None
    logprobs: Any = None


# Called with the request's body. A mapping answers by the text of the last user message.
Answers: TypeAlias = "Callable[[Body], Answer | str] | Mapping[str, Answer | str] | None"


def last_user_text(body: Body) -> str:
    """The text of the last user message, which is what the server echoes by default."""
    for message in reversed(body.get("messages", [])):
        if message.get("role") == "user":
            return str(message.get("content"))
    return ""


def answer_for(answers: Answers, body: Body) -> Answer:
    """The scripted answer to `body`; a text that the mapping does not know is echoed."""
    if answers is None:
        return Answer(text=last_user_text(body))
    if isinstance(answers, Mapping):
        text = last_user_text(body)
        found: Answer | str = answers.get(text, text)
    else:
        found = answers(body)
    return Answer(text=found) if isinstance(found, str) else found


def words(text: str) -> int:
    """The server's idea of tokens: words."""
    return len(text.split())


def reply(answer: Answer, body: Body, *, number: int, model: str) -> bytes:
    """A chat completion as OpenAI writes it."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    if answer.tool_calls:
        message["tool_calls"] = _tool_calls(answer.tool_calls)
    default_reason = "tool_calls" if answer.tool_calls else "stop"
    choice = {
        "index": 0,
        "message": message,
        "logprobs": answer.logprobs,
        "finish_reason": answer.finish_reason or default_reason,
    }
    value = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": answer.model or model,
        "choices": [choice],
        "usage": _usage(answer, body) if answer.usage is None else answer.usage,
        "system_fingerprint": answer.fingerprint,
    }
    return json.dumps(value).encode()


def _usage(answer: Answer, body: Body) -> Body:
    tokens_in = sum(words(str(message.get("content") or "")) for message in body.get("messages", []))
    tokens_out = words(answer.text or "") + sum(words(arguments) for _, arguments in answer.tool_calls)
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def _tool_calls(calls: Sequence[tuple[str, str]]) -> list[Body]:
    return [
        {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for index, (name, arguments) in enumerate(calls)
    ]
