r"""Which model ids name one fixed snapshot: rules and aliases, as data. Extend them here.

`RULES` holds, per family, rules in order; the first whose pattern matches the whole id decides, and no match means
"cannot tell". `ALIASES` holds, per family, floating ids with the snapshot that they were last seen to name (from
recorded answers, else from the provider's own list); they are consulted before the rules.

In a pattern, the groups ``y``, ``m`` and ``d`` have to make a real date, else the id is unknown; the group
``inner`` is an id of the family `Rule.inner`.

Longer than other files on purpose: it is one table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class PinStatus(StrEnum):
    """What an id says about itself."""

    PINNED = "pinned"  # one fixed snapshot
    FLOATING = "floating"  # its provider can move it
    UNKNOWN = "unknown"  # the id does not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table."""

    pattern: str
    status: PinStatus
    why: str
    inner: str = ""  # family that judges the group `inner`; its judgement is the answer
    if_pinned: bool = False  # the rule holds only if `inner` is pinned


def _pinned(pattern: str, why: str, *, inner: str = "") -> Rule:
    return Rule(pattern=pattern, status=PinStatus.PINNED, why=why, inner=inner, if_pinned=bool(inner))


def _floating(pattern: str, why: str) -> Rule:
    return Rule(pattern=pattern, status=PinStatus.FLOATING, why=why)


def _unknown(pattern: str, why: str) -> Rule:
    return Rule(pattern=pattern, status=PinStatus.UNKNOWN, why=why)


def _as(pattern: str, family: str) -> Rule:
    return Rule(pattern=pattern, status=PinStatus.UNKNOWN, why="", inner=family)


ISO = r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)"
COMPACT = r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)"
REGION = r"(?:(?:us|us-gov|eu|apac|global|jp|au|ca)\.)?"
LATEST = _floating(r".*[-:@]latest", "-latest is an alias by design")
WHY_FREE_NAME = "the name is free text"
WHY_HOSTED = "the host may change weights or quantisation behind this name"

RULES: Mapping[str, tuple[Rule, ...]] = {
    "embedded": (_pinned(r"(?:nearest-example|hashed-words)-1", "its version is part of its name"),),
    "openai": (
        _unknown(r".*-latest-.*", "it is an alias and a date at once"),
        _pinned(r"ft:(?P<inner>[^:]+)(?::[^:]*)*:[^:]+", "a fine-tuned snapshot", inner="openai"),
        _unknown(r"ft:.*", "its base is no dated snapshot"),
        LATEST,
        _pinned(rf".+-{ISO}", "a dated snapshot"),
        _unknown(r"gpt-4-(?:1106|0125)", "this snapshot has -preview at its end"),
        _pinned(r"gpt-(?:3\.5|4)\b.*-(?:0301|0314|0613|0914|1106|0125)(?:-(?:vision-)?preview)?", "a dated snapshot"),
        _floating(r"gpt-5.*-codex(?:-.*)?", "it has no dated form, and is updated regularly"),
    ),
    "anthropic": (
        LATEST,
        _pinned(rf"claude-.+-{COMPACT}", "a dated snapshot"),
        _unknown(r".*-preview", "a preview"),
        _pinned(r"claude-[a-z]+-4-(?:[6-9]|[1-9]\d)", "from 4.6 on the dateless id is the pinned id"),
        _pinned(r"claude-[a-z]+-(?:[5-9]|[1-9]\d)(?:-\d{1,2})?", "from 4.6 on the dateless id is the pinned id"),
        _floating(r"claude-(?:[a-z]+-4(?:-[0-5])?|[123].*|instant.*)", "a dateless id of 4.5 or earlier is an alias"),
    ),
    "bedrock": (
        _unknown(r"arn:.*", "an ARN does not name a model version"),
        _pinned(rf"{REGION}.+-{COMPACT}-v\d+:\d+(?::\d+k)?", "a dated snapshot"),
        _pinned(rf"{REGION}.+-v\d+:\d+(?::\d+k)?", "it names a model version"),
        _floating(rf"{REGION}anthropic\.claude(?:-instant)?-v\d+", "it has no revision"),
        _pinned(rf"{REGION}anthropic\.(?P<inner>claude-.+?)(?:-v\d+)?", "a pinned id of Anthropic", inner="anthropic"),
    ),
    "vertex": (
        _unknown(r"projects/.*", "the model behind an endpoint can be redeployed"),
        _unknown(r".*@default", "@default may move"),
        LATEST,
        _pinned(rf".+@{COMPACT}", "a dated snapshot"),
        _floating(r".*[-.](?:preview|exp)\b.*", "previews are redirected to other models"),
        _pinned(r".+-\d{3}", "a numbered stable version"),
    ),
    "gemini": (
        LATEST,
        _floating(r".*-(?:preview|exp)\b.*", "previews are redirected to other models, even dated ones"),
        _pinned(r"(?:models/)?gemini-.+-\d{3}", "a numbered stable version"),
    ),
    "mistral": (
        LATEST,
        _pinned(r"[a-z].*-(?P<y>2\d)(?P<m>\d\d)", "a dated snapshot"),
        _unknown(r".*-\d{1,2}-\d{1,2}", "a version number without a date"),
        _floating(r"(?:open-)?(?:mi[ns]tral|mixtral|codestral|pixtral|devstral|magistral|voxtral).*", "it has no date"),
    ),
    "cohere": (
        _floating(r".*nightly.*", "a nightly build"),
        _pinned(r"(?:command|c4ai)-.+-(?P<m>\d\d)-(?P<y>20\d\d)", "a dated snapshot"),
        _floating(r"command.*", "it has no date"),
    ),
    "xai": (
        LATEST,
        _pinned(r"grok-.+-(?P<m>\d\d)(?P<d>\d\d)(?:-(?:non-)?reasoning)?", "a dated snapshot"),
        _floating(r"grok-.*", "it has no date"),
    ),
    "deepseek": (_floating(r"deepseek-(?:chat|reasoner|coder)", "it moves with every release"),),
    "dashscope": (
        LATEST,
        _pinned(rf"[a-z].*-{ISO}", "a dated snapshot"),
        _floating(r"qwen\d?(?:\.\d)?-(?:max|plus|turbo|flash|long|coder-plus)", "it has no date"),
    ),
    "hf": (
        _pinned(r".+/.+@[0-9a-f]{40}", "a commit"),
        _unknown(r"[^@]+:.+", WHY_HOSTED),
        _floating(r".+", "without a commit (@ and 40 hexadecimal digits) the repository can move"),
    ),
    "replicate": (
        _pinned(r".+/.+:[0-9a-f]{64}", "a version's digest"),
        _floating(r".+", "without a version (: and 64 hexadecimal digits) it is the newest one"),
    ),
    "ollama": (
        _pinned(r"(?:.+@)?sha256[:-][0-9a-f]{64}", "a digest"),
        _floating(r".+", "every tag can be pulled anew; only a digest is fixed"),
    ),
    "openrouter": (
        _floating(r"(?:openrouter/)?auto|~.*|.*[-:]latest|.*:.+", "the router chooses what answers"),
        _pinned(r"openai/(?P<inner>.*\d{4}.*)", "a pinned id behind a router", inner="openai"),
        _pinned(r"anthropic/(?P<inner>.*\d{8})", "a pinned id behind a router", inner="anthropic"),
        _pinned(r"google/(?P<inner>.*-\d{3})", "a pinned id behind a router", inner="gemini"),
        _pinned(r"mistralai/(?P<inner>.*\d{4})", "a pinned id behind a router", inner="mistral"),
        _unknown(r".+/.*\d{4}.*", WHY_HOSTED),
        _floating(r".+/.+", "an undated slug"),
    ),
    "litellm": (
        *(
            _as(rf"{prefix}/(?P<inner>.+)", family)
            for prefix, family in {
                "openai": "openai", "anthropic": "anthropic", "bedrock": "bedrock", "vertex_ai": "vertex",
                "gemini": "gemini", "mistral": "mistral", "cohere": "cohere", "cohere_chat": "cohere", "xai": "xai",
                "deepseek": "deepseek", "dashscope": "dashscope", "huggingface": "hf", "replicate": "replicate",
                "ollama": "ollama", "ollama_chat": "ollama", "openrouter": "openrouter",
            }.items()
        ),
        _unknown(r".+", WHY_FREE_NAME),
    ),
    "azure": (_unknown(r".+", "a deployment's name is free text, and it upgrades by itself unless told not to"),),
    **dict.fromkeys(("vllm", "llamacpp", "gateway", "lmstudio", "sglang"), (_unknown(r".+", WHY_FREE_NAME),)),
    **dict.fromkeys(("groq", "cerebras", "together", "fireworks"), (LATEST, _unknown(r".+", WHY_HOSTED))),
}  # fmt: skip

_GEMINI = {
    "gemini-1.0-pro": "gemini-1.0-pro-002",
    "gemini-1.5-flash": "gemini-1.5-flash-002",
    "gemini-1.5-flash-8b": "gemini-1.5-flash-8b-001",
    "gemini-1.5-pro": "gemini-1.5-pro-002",
    "gemini-2.0-flash": "gemini-2.0-flash-001",
    "gemini-2.0-flash-lite": "gemini-2.0-flash-lite-001",
}

_OPENAI = {
    "computer-use-preview": "computer-use-preview-2025-03-11",
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "gpt-3.5-turbo-16k": "gpt-3.5-turbo-16k-0613",
    "gpt-3.5-turbo-instruct": "gpt-3.5-turbo-instruct-0914",
    "gpt-4": "gpt-4-0613",
    "gpt-4-32k": "gpt-4-32k-0613",
    "gpt-4-turbo": "gpt-4-turbo-2024-04-09",
    "gpt-4-turbo-preview": "gpt-4-0125-preview",
    "gpt-4-vision-preview": "gpt-4-1106-vision-preview",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-4.5-preview": "gpt-4.5-preview-2025-02-27",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-audio-preview": "gpt-4o-audio-preview-2025-06-03",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4o-mini-audio-preview": "gpt-4o-mini-audio-preview-2024-12-17",
    "gpt-4o-mini-search-preview": "gpt-4o-mini-search-preview-2025-03-11",
    "gpt-4o-search-preview": "gpt-4o-search-preview-2025-03-11",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-5-nano": "gpt-5-nano-2025-08-07",
    "gpt-5-pro": "gpt-5-pro-2025-10-06",
    "gpt-5.1": "gpt-5.1-2025-11-13",
    "gpt-5.2": "gpt-5.2-2025-12-11",
    "gpt-5.2-pro": "gpt-5.2-pro-2025-12-11",
    "gpt-5.4": "gpt-5.4-2026-03-05",
    "gpt-5.4-mini": "gpt-5.4-mini-2026-03-17",
    "gpt-5.4-nano": "gpt-5.4-nano-2026-03-17",
    "gpt-5.4-pro": "gpt-5.4-pro-2026-03-05",
    "gpt-5.5": "gpt-5.5-2026-04-23",
    "gpt-5.5-pro": "gpt-5.5-pro-2026-04-23",
    "gpt-audio-mini": "gpt-audio-mini-2025-12-15",
    "o1": "o1-2024-12-17",
    "o1-mini": "o1-mini-2024-09-12",
    "o1-preview": "o1-preview-2024-09-12",
    "o1-pro": "o1-pro-2025-03-19",
    "o3": "o3-2025-04-16",
    "o3-deep-research": "o3-deep-research-2025-06-26",
    "o3-mini": "o3-mini-2025-01-31",
    "o3-pro": "o3-pro-2025-06-10",
    "o4-mini": "o4-mini-2025-04-16",
    "o4-mini-deep-research": "o4-mini-deep-research-2025-06-26",
}

ALIASES: Mapping[str, Mapping[str, str]] = {
    "openai": _OPENAI,
    "anthropic": {
        "claude-3-5-haiku-latest": "claude-3-5-haiku-20241022",
        "claude-3-5-sonnet-latest": "claude-3-5-sonnet-20241022",
        "claude-3-7-sonnet-latest": "claude-3-7-sonnet-20250219",
        "claude-3-haiku": "claude-3-haiku-20240307",
        "claude-3-opus-latest": "claude-3-opus-20240229",
        "claude-haiku-4-5": "claude-haiku-4-5-20251001",
        "claude-opus-4-0": "claude-opus-4-20250514",
        "claude-opus-4": "claude-opus-4-20250514",
        "claude-opus-4-1": "claude-opus-4-1-20250805",
        "claude-opus-4-5": "claude-opus-4-5-20251101",
        "claude-sonnet-4": "claude-sonnet-4-20250514",
        "claude-sonnet-4-0": "claude-sonnet-4-20250514",
        "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    },
    "bedrock": {"anthropic.claude-v2": "anthropic.claude-v2:1"},
    "cohere": {
        "command-a": "command-a-03-2025",
        "command-r": "command-r-08-2024",
        "command-r-plus": "command-r-plus-08-2024",
    },
    "dashscope": {"qwen-max": "qwen-max-2025-01-25"},
    "gemini": {
        **_GEMINI,
        **{f"models/{alias}": f"models/{snapshot}" for alias, snapshot in _GEMINI.items()},
        "gemini-2.5-pro-preview-03-25": "gemini-2.5-pro",
    },
    "mistral": {
        "codestral-latest": "codestral-2508",
        "ministral-8b-latest": "ministral-8b-2512",
        "mistral-large-latest": "mistral-large-2512",
    },
    "openrouter": {f"openai/{alias}": f"openai/{snapshot}" for alias, snapshot in _OPENAI.items()},
    "vertex": _GEMINI,
    "xai": {"grok-4": "grok-4-0709", "grok-code-fast-1": "grok-code-fast-1-0825"},
}

# Their answers repeat the id that was asked, whatever answered: an equal name proves nothing.
ECHOING = frozenset({"mistral", "gemini", "groq", "cerebras", "litellm", "llamacpp", "gateway"})

# Their ids are chosen by users, so an answer's real model name may well differ from it.
FREE_NAMES = frozenset({"azure", "litellm", "gateway"})

# Routing parts before a model's own name, which answers may add or leave out.
PREFIXES = re.compile(
    rf"^(?:[\w.-]*/)*{REGION}(?:(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen)\.)?"
)
