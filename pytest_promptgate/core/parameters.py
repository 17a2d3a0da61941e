"""Model parameters by their canonical names: OpenAI's own, to which Prompty's are mapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pytest_promptgate.core.wording import shown

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json

PROMPTY: Mapping[str, str] = {
    "maxOutputTokens": "max_output_tokens",
    "topP": "top_p",
    "topK": "top_k",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
    "reasoningEffort": "reasoning_effort",
    "stopSequences": "stop",
    "allowMultipleToolCalls": "parallel_tool_calls",
}
CANONICAL = frozenset(
    {
        *PROMPTY.values(),
        *("temperature", "seed", "max_tokens", "max_completion_tokens", "logit_bias", "logprobs", "top_logprobs"),
        *("reasoning_effort", "verbosity", "service_tier", "user", "metadata", "prediction", "tool_choice"),
        *("prompt_cache_key", "prompt_cache_retention", "safety_identifier", "web_search_options"),
    }
)
EXTRA = "additionalProperties"  # Prompty's place for what only one provider knows
REFUSED: Mapping[str, str] = {
    "n": "Several answers per case are `samples:` of the suite.",
    "stream": "Answers are read whole.",
    "stream_options": "Answers are read whole.",
    "store": "Answers are kept on this machine, not at the provider.",
    "model": "The model stands in `model:`.",
    "messages": "Messages stand in the prompt file.",
    "tools": "Tools stand in the prompt file.",
    "functions": "Tools stand in the prompt file.",
    "function_call": "Write `tool_choice`.",
    "response_format": "The form of the answer stands in the prompt file.",
    "audio": "Only answers of text are evaluated.",
    "modalities": "Only answers of text are evaluated.",
}
_LIMITS = ("max_output_tokens", "max_completion_tokens", "max_tokens")  # one of them at most


def _number(value: Json, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _whole(value: Json, low: int | None = None) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and (low is None or value >= low)


def _texts(value: Json) -> bool:
    return isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(item, str) for item in value))


_RANGES: Mapping[str, tuple[str, Callable[[Json], bool]]] = {
    "temperature": ("a number from 0 to 2", lambda value: _number(value, 0, 2)),
    "top_p": ("a number from 0 to 1", lambda value: _number(value, 0, 1)),
    "frequency_penalty": ("a number from -2 to 2", lambda value: _number(value, -2, 2)),
    "presence_penalty": ("a number from -2 to 2", lambda value: _number(value, -2, 2)),
    "top_k": ("a whole number >= 1", lambda value: _whole(value, 1)),
    "seed": ("a whole number", _whole),
    **dict.fromkeys(_LIMITS, ("a whole number >= 1", lambda value: _whole(value, 1))),
    "logprobs": ("true or false", lambda value: isinstance(value, bool)),
    "parallel_tool_calls": ("true or false", lambda value: isinstance(value, bool)),
    "top_logprobs": ("a whole number from 0 to 20", lambda value: _whole(value, 0) and _number(value, 0, 20)),
    "stop": ("text or a list of texts", _texts),
    "reasoning_effort": ("text", lambda value: isinstance(value, str)),
    "verbosity": ("text", lambda value: isinstance(value, str)),
    "service_tier": ("text", lambda value: isinstance(value, str)),
    "user": ("text", lambda value: isinstance(value, str)),
    "logit_bias": ("a mapping", lambda value: isinstance(value, Mapping)),
    "metadata": ("a mapping", lambda value: isinstance(value, Mapping)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFault:
    """What is wrong with one parameter; the caller knows its place."""

    name: str  # as it was written
    what: str
    hint: str


def canonical_parameters(given: Mapping[str, Json]) -> tuple[dict[str, Json], tuple[ParameterFault, ...]]:
    """The parameters by canonical name, and what is wrong with the others, in the order given.

    ``additionalProperties`` is merged in: its names need not be known. A null means "not given".
    """
    found: dict[str, Json] = {}
    faults: list[ParameterFault] = []
    extra = given.get(EXTRA)
    pairs = [(name, value, True) for name, value in given.items() if name != EXTRA]
    if isinstance(extra, Mapping):
        pairs += [(name, value, False) for name, value in extra.items()]
    elif extra is not None:
        faults.append(ParameterFault(name=EXTRA, what=f"{EXTRA} must be a mapping", hint=""))
    for written, value, known_only in pairs:
        name = PROMPTY.get(written, written)
        fault = _fault(written, name, value, found, known_only=known_only)
        if fault:
            faults.append(fault)
        elif value is not None:
            found[name] = value
    return found, tuple(faults)


def _fault(
    written: str, name: str, value: Json, found: Mapping[str, Json], *, known_only: bool
) -> ParameterFault | None:
    if name in REFUSED:
        return ParameterFault(name=written, what=f"the parameter {written!r} cannot be set", hint=REFUSED[name])
    if known_only and name not in CANONICAL:
        return ParameterFault(name=written, what=f"unknown parameter {written!r}", hint=_suggestion(written))
    twin = next((other for other in (_LIMITS if name in _LIMITS else (name,)) if other in found), None)
    if twin is not None:
        return ParameterFault(name=written, what=f"{written!r} is given twice, as {twin!r} too", hint="Keep one.")
    if value is not None and name in _RANGES:
        wanted, fits = _RANGES[name]
        if not fits(value):
            return ParameterFault(name=written, what=f"{written!r} must be {wanted}, not {shown(value)}", hint="")
    return None


def _suggestion(written: str) -> str:
    guess = get_close_matches(written, sorted({*CANONICAL, *PROMPTY}), n=1)
    start = f"Did you mean {guess[0]!r}? " if guess else ""
    return f"{start}What only this provider knows goes under `{EXTRA}`."
