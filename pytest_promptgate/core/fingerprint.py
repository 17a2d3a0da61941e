"""Digests: 32 hexadecimal characters of SHA-256 over canonical JSON.

Two values have one digest exactly if their canonical JSON is the same text: key order is free, list order is not,
and ``1``, ``1.0``, ``"1"`` and ``true`` all differ.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pytest_promptgate.errors import ToolboxError

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Completion, Json, Message, ModelPin, PromptInput, Request


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


# One encoder for all: json.dumps would build a new one per call, which costs as much as the digest itself.
_encode = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"), default=_plain
).encode


def canonical(value: Json) -> str:
    """Compact JSON with sorted keys.

    Raises:
        ValueError: A number is not finite.
        TypeError: Something in it is no JSON value.
    """
    return _encode(value)


def digest(value: Json) -> str:
    """The digest of a JSON value; raises as `canonical` does."""
    # Model answers may hold lone surrogates, which plain UTF-8 refuses.
    return sha256(_encode(value).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def request_digest(request: Request) -> str:
    """What decides an answer: provider name, model, messages, parameters, tools, response format (DECISIONS 15).

    An embedding's request has its kind in addition, so that no answer is ever taken for a vector.
    """
    pin = request.pin
    parts = (
        pin.provider,
        pin.name,
        _spoken(request),
        request.parameters,
        request.tools,
        request.response_format,
    )
    return digest(parts if request.kind == "chat" else (*parts, request.kind))


def request_parts(request: Request) -> dict[str, str]:
    """Digests of ``messages``, ``parameters`` (with the response format), ``model`` and ``tools``.

    They tell which part of a request differs from a stored one; together they change iff `request_digest` does.
    """
    return {
        "messages": digest(_spoken(request)),
        "parameters": digest((request.parameters, request.response_format)),
        "model": model_digest(request.pin),
        "tools": digest(request.tools),
    }


def model_digest(pin: ModelPin) -> str:
    """The part ``model`` of a request."""
    return digest((pin.provider, pin.name))


def prompt_digest(
    *,
    messages: Sequence[Message],
    pin: ModelPin | None,
    parameters: Mapping[str, Json],
    inputs: Sequence[PromptInput],
    tools: Sequence[Json] = (),
    response_format: Json = None,
) -> str:
    """The identity of a prompt version: everything in its file that can change an answer."""
    return digest(
        {
            "messages": _messages(messages),
            "model": None if pin is None else (pin.provider, pin.name, pin.parameters),
            "parameters": parameters,
            "inputs": [(each.name, each.kind, each.required, each.default) for each in inputs],
            "tools": tools,
            "response_format": response_format,
        }
    )


def case_digest(inputs: Mapping[str, Json], expected: Json, has_expected: bool) -> str:
    """The content of a dataset row; an `expected` of null differs from none at all."""
    return digest((inputs, expected if has_expected else None, has_expected))


def output_digest(completion: Completion) -> str:
    """The answer as scorers see it: text and tool calls."""
    return digest((completion.text, [(call.name, call.arguments) for call in completion.tool_calls]))


def scorer_fingerprint(kind: str, revision: int | str, settings: Mapping[str, Json]) -> str:
    """The identity of a scorer: its kind, the revision of its code and its settings (DECISIONS 20)."""
    return digest((kind, revision, settings))


def offer_fingerprint(kind: str, offer: Callable[..., Any], settings: Mapping[str, Json]) -> str:
    """`scorer_fingerprint` of an offer: by its ``revision`` if it declares one, else by `callable_fingerprint`.

    Raises:
        ToolboxError: As `callable_fingerprint`.
    """
    revision = getattr(offer, "revision", None)
    return scorer_fingerprint(kind, callable_fingerprint(offer) if revision is None else revision, settings)


def callable_fingerprint(function: Callable[..., Any]) -> str:
    """The identity of users' code: its ``version`` attribute, else the source of the module that defines it.

    Args:
        function: A function, a class, a `functools.partial` or an instance with ``__call__``.

    Raises:
        ToolboxError: It has no version, and its module's source cannot be read.
    """
    version = getattr(function, "version", None)
    if isinstance(function, functools.partial) and version is None:
        return _partial_fingerprint(function)
    name = _name(function)
    return digest((name, _module_source(_owner(function), name) if version is None else str(version)))


def _owner(function: Callable[..., Any]) -> Any:
    named = inspect.unwrap(function)
    return named if inspect.isroutine(named) or inspect.isclass(named) else type(named)


def _name(function: Callable[..., Any]) -> str:
    owner = _owner(function)
    return f"{owner.__module__}:{owner.__qualname__}"


def _partial_fingerprint(function: functools.partial[Any]) -> str:
    inner = callable_fingerprint(function.func)
    try:
        return digest((inner, function.args, function.keywords))
    except (TypeError, ValueError) as error:
        raise ToolboxError(
            _name(function.func),
            "a partial of it binds values that are no JSON, so a change of them would go unseen",
            hint='Give the partial a version, and raise it with every change: function.version = "1".',
        ) from error


def _module_source(owner: Any, name: str) -> str:
    try:
        return inspect.getsource(inspect.getmodule(owner) or owner)
    except (OSError, TypeError) as error:
        raise ToolboxError(
            name,
            "the source of its module cannot be read, so a change of it would go unseen",
            hint='Give it a version, and raise it with every change: function.version = "1".',
        ) from error


def _spoken(request: Request) -> list[tuple[str, str]]:
    return [*_messages(request.messages), *(("user, once answered", turn) for turn in request.turns)]


def _messages(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(each.role, each.content) for each in messages]
