"""Where an account's requests go, and with which secrets: read from the environment, never shown."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from pytest_promptgate.errors import AccountStopped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.ports import ProviderSpec

OPENAI_URL = "https://api.openai.com/v1"
API_VERSION = "2024-10-21"  # Azure's last one that is not a preview
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One account's address and secrets."""

    name: str  # of the provider
    azure: bool
    url: str  # scheme, host and path
    key_env: str
    key: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    api_version: str

    def without_secrets(self, text: str) -> str:
        """`text` with every secret of this account blotted out."""
        words = [word for value in (self.key, *self.headers.values()) for word in (value, *value.split())]
        for secret in sorted(words, key=len, reverse=True):
            if len(secret) >= 6:
                text = text.replace(secret, "[secret]")
        return text


def shown_url(address: str) -> str:
    """`address` without user, password, query and fragment, and without a slash at its end."""
    try:
        parts = urlsplit(address)
    except ValueError:  # half an IPv6 address
        return ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, quote(parts.path.rstrip("/"), safe="/%:@-._~"), "", ""))


def address_of(spec: ProviderSpec, environment: Mapping[str, str] = os.environ) -> str:
    """The address that a provider's entry names; "" if it names none."""
    default = OPENAI_URL if spec.name == "openai" and spec.kind == "openai" else ""
    return environment.get(spec.base_url_env, "").strip() or spec.base_url or default


def endpoint_of(spec: ProviderSpec, environment: Mapping[str, str] = os.environ) -> Endpoint:
    """What is needed for the first call.

    Raises:
        AccountStopped: A variable of the environment is missing.
    """
    address = address_of(spec, environment)
    if not address:
        variable = spec.base_url_env
        raise AccountStopped(
            spec.name,
            f"{variable} is not set" if variable else "it has no base_url",
            hint=f"It holds the endpoint's URL: export {variable}=https://…" if variable else _NO_ADDRESS,
        )
    _check(spec, address)
    return Endpoint(
        name=spec.name,
        azure=spec.kind == "azure",
        url=shown_url(address),
        key_env=spec.api_key_env,
        key=_key(spec, environment),
        headers={name: _filled(spec, name, value, environment) for name, value in spec.headers.items()},
        api_version=spec.api_version or API_VERSION,
    )


def _check(spec: ProviderSpec, address: str) -> None:
    parts = urlsplit(address if shown_url(address) else "")
    source = spec.base_url_env if address != spec.base_url and spec.base_url_env else "base_url"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        what = f"the address in {source} does not begin with https:// or http:// and a host"
    elif "@" in parts.netloc:
        what = f"the address in {source} holds a user or password"
    elif parts.query or parts.fragment:
        what = f"the address in {source} holds a query or fragment"
    else:
        return
    raise AccountStopped(
        spec.name, what, hint="Write scheme, host and path only; keys stand in api_key_env or headers."
    )


_NO_ADDRESS = "Add `base_url` to its entry in promptgate.yaml."


def _key(spec: ProviderSpec, environment: Mapping[str, str]) -> str:
    key = environment.get(spec.api_key_env, "").strip() if spec.api_key_env else ""
    if spec.api_key_env and not key:
        raise AccountStopped(
            spec.name,
            f"{spec.api_key_env} is not set",
            hint=f"Put the provider's key there: export {spec.api_key_env}=… (or run with --prompt-offline).",
        )
    return key


def _filled(spec: ProviderSpec, header: str, value: str, environment: Mapping[str, str]) -> str:
    def fill(match: re.Match[str]) -> str:
        found = environment.get(match[1])
        if found is None:
            raise AccountStopped(
                spec.name,
                f"{match[1]} is not set, and the header {header} needs it",
                hint=f"Set {match[1]}, or take the header out of promptgate.yaml.",
            )
        return found

    return _REFERENCE.sub(fill, value)
