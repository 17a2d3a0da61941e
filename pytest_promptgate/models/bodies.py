"""A `Request` as what is posted: a chat completion's body, or an embedding's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.parameters import EXTRA
from pytest_promptgate.core.types import RequestKind

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Request

# Their newer models refuse `max_tokens`; nearly everybody else knows only that.
_COMPLETION_TOKENS = ("openai", "azure")
CHAT = "/chat/completions"
EMBEDDINGS = "/embeddings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One request, ready to be sent."""

    path: str  # below the endpoint's base URL
    body: dict[str, Any]

    @property
    def wanted(self) -> str:
        """What is asked for, in messages: ``chat completions``."""
        return "embeddings" if self.path == EMBEDDINGS else "chat completions"


def posting_of(request: Request, spec: ProviderSpec) -> Posting:
    """Where a request goes, and what is sent there."""
    if request.kind is RequestKind.EMBEDDING:
        return Posting(path=EMBEDDINGS, body=_embedding_body(request, spec))
    return Posting(path=CHAT, body=body_of(request, spec))


def _embedding_body(request: Request, spec: ProviderSpec) -> dict[str, Any]:
    return {
        "model": spec.deployments.get(request.pin.name, request.pin.name),
        "input": request.messages[0].content,
        "encoding_format": "float",  # base64 is a third of the size, but few of the compatible servers know it
        **request.parameters,
    }


def body_of(request: Request, spec: ProviderSpec) -> dict[str, Any]:
    """The JSON that is posted; parameters stand under the names that the provider's family knows."""
    body: dict[str, Any] = {
        "model": spec.deployments.get(request.pin.name, request.pin.name),
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
    }
    limit = "max_completion_tokens" if spec.family in _COMPLETION_TOKENS else "max_tokens"
    for name, value in request.parameters.items():
        if name == EXTRA and isinstance(value, dict):
            body.update(value)
        else:
            body[limit if name == "max_output_tokens" else name] = value
    if request.tools:
        body["tools"] = list(request.tools)
    if request.response_format is not None:
        body["response_format"] = request.response_format
    return body


def estimated_tokens(request: Request) -> float:
    """A guess at prompt and answer, for limits per minute only: four characters a token."""
    asked = sum(len(message.content) for message in request.messages) / 4
    if request.kind is RequestKind.EMBEDDING:
        return asked
    for name in ("max_output_tokens", "max_completion_tokens", "max_tokens"):
        most = request.parameters.get(name)
        if isinstance(most, int):
            return asked + most
    return asked + 256
