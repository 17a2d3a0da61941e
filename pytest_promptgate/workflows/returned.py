"""What users' callables return, as a `Completion`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_promptgate.core.types import Completion
from pytest_promptgate.errors import TargetError

if TYPE_CHECKING:
    from typing import Any

_ACCEPTED = 'Return text, a Completion, or (text, {"tokens_in": 12, "tokens_out": 3}).'
# Ours first, then as the usual client libraries name them.
_NAMES = {
    "tokens_in": ("tokens_in", "input_tokens", "prompt_tokens"),
    "tokens_out": ("tokens_out", "output_tokens", "completion_tokens"),
    "tokens_cached": ("tokens_cached", "cached_tokens"),
}


def completion_of(where: str, returned: object) -> Completion:
    """The answer that `returned` stands for.

    Args:
        where: The reference of the callable, for messages.
        returned: Text, a `Completion`, or text with its usage: a mapping or an object that knows ``tokens_in`` and
            ``tokens_out``, or ``prompt_tokens`` and ``completion_tokens``, or ``input_tokens`` and ``output_tokens``.

    Raises:
        TargetError: It is none of these.
    """
    match returned:
        case str():
            return Completion(text=str(returned))
        case Completion(text=str()):
            return returned
        case (str() as text, usage) if isinstance(returned, tuple):
            return Completion(text=str(text), **_usage(where, usage))
    raise TargetError(where, f"the target returned {_seen(returned)}", hint=_ACCEPTED)


def _usage(where: str, usage: object) -> dict[str, Any]:
    found = {name: _first(usage, spellings) for name, spellings in _NAMES.items()}
    if usage is not None and all(count is None for count in found.values()):
        raise TargetError(where, f"the target returned text and {_seen(usage)}, which counts no tokens", hint=_ACCEPTED)
    for count in found.values():
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
            raise TargetError(where, f"the target returned {_seen(count)} as a count of tokens", hint=_ACCEPTED)
    return found


def _first(usage: object, names: tuple[str, ...]) -> object:
    values = (usage.get(name) if isinstance(usage, Mapping) else getattr(usage, name, None) for name in names)
    return next((value for value in values if value is not None), None)


def _seen(value: object) -> str:
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
