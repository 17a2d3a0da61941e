"""A `Request` as the body of a chat completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.chat import chat_messages, chat_options

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Request


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
    for name in ("max_output_tokens", "max_completion_tokens", "max_tokens"):
        most = request.parameters.get(name)
        if isinstance(most, int):
            return asked + most
    return asked + 256
