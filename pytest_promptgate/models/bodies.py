"""A `Request` as what is posted: a chat completion's body, or an embedding's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.chat import chat_messages, chat_options
from pytest_promptgate.core.types import RequestKind

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Request

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
    return {
        "model": spec.deployments.get(request.pin.name, request.pin.name),
        "messages": chat_messages(request.messages),
        **chat_options(
            request.parameters,
            tools=request.tools,
            response_format=request.response_format,
            family=spec.family,
        ),
    }


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
