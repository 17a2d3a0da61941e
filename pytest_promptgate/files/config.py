"""``promptgate.yaml``: providers, prices, and how far judges are trusted."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_promptgate.core.ports import ProviderSpec
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import ConfigError, PromptGateError
from pytest_promptgate.files.deprecations import own_dates, table_dates
from pytest_promptgate.files.node import Node, raise_faults
from pytest_promptgate.files.prices import read_prices
from pytest_promptgate.files.source import read_text, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.ports import Price
    from pytest_promptgate.core.types import Json

_SECRET_KEYS = ("api_key", "key", "token", "secret", "password", "authorization")
_PROVIDER_KEYS = frozenset(
    {
        *("kind", "family", "base_url", "base_url_env", "endpoint", "endpoint_env", "api_key_env", "headers"),
        *("deployments", "api_version", "models", "requests_per_minute", "tokens_per_minute", "timeout_s"),
        *("retry_for_s", "hedge", "structured_outputs"),
    }
)
_ADDRESS_HINTS = {
    "openai": 'Add `base_url`, such as "http://127.0.0.1:8000/v1", or `base_url_env`.',
    "azure": "Add `endpoint_env`, the name of the variable that holds it, or `endpoint`.",
}
_TIMEOUT_S = 120.0
_RETRY_FOR_S = 120.0
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PROVIDER_NAME = re.compile(r"[^\W_][\w.-]*\Z")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s/@?#]+(?:/[^\s@?#]*)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConfig:
    """What ``promptgate.yaml`` says, with the built-in providers."""

    providers: Mapping[str, ProviderSpec]
    prices: Mapping[str, Price]  # by "provider/model"
    needs_calibration: bool = False  # a gate whose judge people's labels do not vouch for is inconclusive
    deprecations: Mapping[str, str] = field(default_factory=dict)  # day of retirement, by provider/model or bare id

    def kind(self, provider: str) -> str:
        """The kind of a provider that is known; `core.targets.TARGET` is its own."""
        return TARGET if provider == TARGET else self.providers[provider].kind


BUILT_IN: Mapping[str, ProviderSpec] = {
    "openai": ProviderSpec(
        name="openai", kind="openai", family="openai", base_url_env="OPENAI_BASE_URL", api_key_env="OPENAI_API_KEY"
    ),
    "embedded": ProviderSpec(name="embedded", kind="embedded", family="embedded"),
}


def load_config(path: Path, *, kinds: Collection[str], name: str = "") -> ProjectConfig:
    """Read ``promptgate.yaml``; without the file there are the built-in providers and no prices.

    An entry named ``openai`` or ``embedded`` replaces the built-in one.

    Args:
        path: The file.
        kinds: Kinds of providers that there are.
        name: What messages call the file; its own name if empty.

    Raises:
        ConfigError: The file is wrong; several faults as `Faults`.
    """
    if not path.exists() and not path.is_symlink():
        return ProjectConfig(providers=BUILT_IN, prices={})
    shown = name or path.name
    faults: list[PromptGateError] = []
    text = read_text(path, error=ConfigError, name=shown)
    document = read_yaml(text, file=shown, error=ConfigError)
    if document.value is None:
        return ProjectConfig(providers=BUILT_IN, prices={})
    root = Node(value=document.value, route=(), document=document, faults=faults, error=ConfigError, quoted=False)
    root.keys({"judges", "model_data", "providers", "prices"})
    own = _providers(root.get("providers"), kinds)
    config = ProjectConfig(
        providers={**BUILT_IN, **own},
        prices=read_prices(root.get("prices"), {*BUILT_IN, *own, TARGET}),
        needs_calibration=_needs_calibration(root.get("judges")),
        deprecations={**_table(root.get("model_data"), path.parent), **own_dates(root.get("prices"))},
    )
    raise_faults(faults, file=shown)
    return config


def _table(node: Node | None, directory: Path) -> dict[str, str]:
    """The dates of the table that ``model_data`` names, relative to promptgate.yaml."""
    name = _text(node)
    try:
        return table_dates(directory / name, file=name) if name else {}
    except ConfigError as fault:
        assert node is not None
        node.note(fault)
        return {}


def _needs_calibration(node: Node | None) -> bool:
    if node is None:
        return False
    node.keys({"uncalibrated"})
    word = node.get("uncalibrated")
    if word is not None and word.value not in ("warn", "error"):
        word.wrong("warn or error")
    return word is not None and word.value == "error"


def _providers(node: Node | None, kinds: Collection[str]) -> dict[str, ProviderSpec]:
    found: dict[str, ProviderSpec] = {}
    for name, entry in node.pairs() if node else []:
        if not _PROVIDER_NAME.match(name):
            entry.fault(f"{name!r} is no name for a provider", "Use letters, digits, '.', '_' and '-', but no '/'.")
        elif name == TARGET:
            entry.fault(f"{TARGET!r} is no name for a provider", "It stands for the targets of suites.")
        # Kept although faulty, so that a price for it is not called unknown as well.
        found[name] = _provider(name, entry, kinds)
    return found


def _provider(name: str, entry: Node, kinds: Collection[str]) -> ProviderSpec:
    entry.keys(_PROVIDER_KEYS, refused=_secrets(name, entry))
    base = BUILT_IN.get(name)  # an entry of that name changes only what it says
    kind = _choice(entry.get("kind"), "kind", kinds) or (base.kind if base else "openai")
    address = _url(_either(entry, "base_url", "endpoint"))
    address_env = _variable(_either(entry, "base_url_env", "endpoint_env"))
    spec = ProviderSpec(
        name=name,
        kind=kind,
        family=_choice(entry.get("family"), "family", _families()) or (kind if kind == "azure" else name),
        base_url=address,
        base_url_env=address_env or (base.base_url_env if base and not address else ""),
        api_key_env=_variable(entry.get("api_key_env")) or (base.api_key_env if base else ""),
        headers=_headers(entry.get("headers")),
        deployments=_texts(entry.get("deployments")),
        api_version=_text(entry.get("api_version")),
        models=_models(entry.get("models")),
        requests_per_minute=_limit(entry.get("requests_per_minute")),
        tokens_per_minute=_limit(entry.get("tokens_per_minute")),
        timeout_s=_timeout(entry.get("timeout_s")),
        retry_for_s=_patience(entry.get("retry_for_s")),
        hedge=_flag(entry.get("hedge")),
        structured_outputs=_known_flag(entry.get("structured_outputs")),
    )
    _check_address(spec, entry)
    return spec


def _families() -> Collection[str]:
    from pytest_promptgate.core.pin_rules import RULES

    return RULES.keys()


def _secrets(name: str, entry: Node) -> dict[str, tuple[str, str]]:
    variable = f"{re.sub(r'[^A-Z0-9]+', '_', name.upper())}_API_KEY"
    return {
        key: (
            f"{key!r} of provider {name!r} puts a secret into a file",
            f"Keep it in an environment variable and name that: `api_key_env: {variable}`.\nRevoke it if shared.",
        )
        for key in (entry.value if isinstance(entry.value, Mapping) else ())
        if key.lower() in _SECRET_KEYS
    }


def _check_address(spec: ProviderSpec, entry: Node) -> None:
    if spec.base_url and spec.base_url_env:
        entry.fault(
            f"provider {spec.name!r} has two addresses", "Keep one: the address, or the variable that holds it."
        )
    missing = isinstance(entry.value, Mapping) and not any(
        entry.get(key) for key in ("base_url", "base_url_env", "endpoint", "endpoint_env")
    )
    if missing and spec.kind in ("openai", "azure") and spec.name not in BUILT_IN:
        entry.fault(f"provider {spec.name!r} has no address", _ADDRESS_HINTS[spec.kind])


def _either(entry: Node, first: str, second: str) -> Node | None:
    one, other = entry.get(first), entry.get(second)
    if one and other:
        other.fault(f"{second!r} is another word for {first!r}, which is given too", "Keep one.")
    return one or other


def _choice(node: Node | None, label: str, known: Collection[str]) -> str:
    value = _text(node)
    if node and value and value not in known:
        plural = {"kind": "Kinds", "family": "Families"}[label]
        node.fault(f"unknown {label} {value!r}", did_you_mean(value, known, label=plural))
        return ""
    return value


def _url(node: Node | None) -> str:
    value = _text(node)
    if node and value and not _URL.match(value):
        # Not repeated: an address may carry a password.
        node.fault(
            f"{node.name} is no plain http(s) address",
            'Write it like "https://api.example.com/v1", without user, password, query or spaces.',
        )
    return value


def _variable(node: Node | None) -> str:
    value = _text(node)
    if node and value and not _ENVIRONMENT_NAME.match(value):
        # Not repeated: somebody may have put the key itself here.
        node.fault(
            f"{node.name} is no name of an environment variable",
            "Write the variable's name, such as OPENAI_API_KEY, never the secret itself.",
        )
    return value


def _headers(node: Node | None) -> dict[str, str]:
    found = _texts(node)
    for header, value in found.items():
        if node and _SECRET_HEADER.search(header) and not _REFERENCE.search(value):
            node.below(header, value).fault(
                f"the header {header!r} holds a secret", "Write ${NAME}: it is taken from that environment variable."
            )
    return found


def _texts(node: Node | None) -> dict[str, str]:
    return {key: value for key, below in (node.pairs() if node else []) if (value := below.text()) is not None}


def _models(node: Node | None) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {}
    for model, entry in node.pairs() if node else []:
        entry.keys({"pinned"})
        pinned = entry.get("pinned")
        found[model] = {"pinned": _flag(pinned)} if pinned else {}
    return found


def _text(node: Node | None) -> str:
    return (node.text() if node else None) or ""


def _flag(node: Node | None) -> bool:
    return bool(node and node.flag())


def _known_flag(node: Node | None) -> bool | None:
    return node.flag() if node else None


def _limit(node: Node | None) -> int | None:
    return node.whole(1) if node else None


def _timeout(node: Node | None) -> float:
    return (node.number("seconds, a number >= 1", low=1) if node else None) or _TIMEOUT_S


def _patience(node: Node | None) -> float:
    told = f"seconds, a number from 0 to {_RETRY_FOR_S:g}"
    seconds = node.number(told, low=0, high=_RETRY_FOR_S) if node else None
    return _RETRY_FOR_S if seconds is None else seconds
