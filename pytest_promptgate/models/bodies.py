"""A `Request` as the body of a chat completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.parameters import EXTRA

if TYPE_CHECKING:
    from pytest_promptgate.core.ports import ProviderSpec
    from pytest_promptgate.core.types import Request

# Their newer models refuse `max_tokens`; nearly everybody else knows only that.
_COMPLETION_TOKENS = ("openai", "azure")


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
    for name in ("max_output_tokens", "max_completion_tokens", "max_tokens"):
        most = request.parameters.get(name)
        if isinstance(most, int):
            return asked + most
    return asked + 256
