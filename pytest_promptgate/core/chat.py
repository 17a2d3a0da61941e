"""A chat completion as JSON: the same for the gate, which posts it, and for production, which hands it to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.parameters import CANONICAL, EXTRA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.prompt import Json, Message

# Their newer models refuse `max_tokens`; nearly everybody else knows only that.
_COMPLETION_TOKENS = ("openai", "azure")
# What the client's `chat.completions.create` takes by name, of what a prompt may set.
_NAMED = CANONICAL - {"max_output_tokens", "top_k"} | {"max_completion_tokens", "tools", "response_format"}


def chat_messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The messages as the API writes them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def chat_options(
    parameters: Mapping[str, Json], *, tools: Sequence[Json], response_format: Json, family: str
) -> dict[str, Any]:
    """Everything but model and messages, under the names that the provider's `family` knows.

    Args:
        parameters: By canonical name, see `core.parameters`.
        tools: OpenAI's form.
        response_format: OpenAI's form; None: plain text.
        family: Of the provider; decides how the limit of the answer's length is called.
    """
    options: dict[str, Any] = {}
    limit = "max_completion_tokens" if family in _COMPLETION_TOKENS else "max_tokens"
    for name, value in parameters.items():
        if name == EXTRA and isinstance(value, dict):
            options.update(value)
        else:
            options[limit if name == "max_output_tokens" else name] = value
    if tools:
        options["tools"] = list(tools)
    if response_format is not None:
        options["response_format"] = response_format
    return options


def client_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same for the `openai` client: what it does not know by name goes into ``extra_body``, which it merges in."""
    named = {name: value for name, value in options.items() if name in _NAMED}
    extra = {name: value for name, value in options.items() if name not in _NAMED}
    return {**named, "extra_body": extra} if extra else named
