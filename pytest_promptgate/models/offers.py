"""The built-in kinds of providers, offered through the same hook as everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.ports import Account, AccountFactory, ProviderSpec


@hookimpl
def promptgate_providers() -> Mapping[str, AccountFactory]:
    """``openai`` and whatever speaks like it, ``azure``, and the embedded model."""
    return {"openai": _openai, "azure": _openai, "embedded": _embedded}


def _openai(spec: ProviderSpec, most_connections: int) -> Account:
    from pytest_promptgate.models.openai import openai_account

    return openai_account(spec, most_connections)


def _embedded(spec: ProviderSpec, most_connections: int) -> Account:
    from pytest_promptgate.models.embedded import embedded_account

    return embedded_account(spec, most_connections)
