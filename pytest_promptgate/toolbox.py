"""Every hook asked once, into one frozen `Toolbox`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_promptgate.errors import ToolboxError

if TYPE_CHECKING:
    import pluggy

    from pytest_promptgate.core.ports import AccountFactory, Aggregate, DatasetLoader, ScorerOffer

# Our own offers come through the same door as everybody's.
BUILT_IN = ("pytest_promptgate.scorers.offers", "pytest_promptgate.models.offers", "pytest_promptgate.files.offers")
HOOKS = ("promptgate_scorers", "promptgate_metrics", "promptgate_providers", "promptgate_dataset_loaders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """What suites of this run can name."""

    scorers: Mapping[str, ScorerOffer]
    aggregates: Mapping[str, Aggregate]
    providers: Mapping[str, AccountFactory]
    loaders: Mapping[str, DatasetLoader]


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows our specs and our own offers."""
    import pluggy

    from pytest_promptgate import hookspecs

    manager = pluggy.PluginManager("promptgate")
    manager.add_hookspecs(hookspecs)
    for name in BUILT_IN:
        manager.register(importlib.import_module(name), name)
    return manager


def offers_something(plugin: object) -> bool:
    """Whether `plugin` (a conftest, say) implements one of our hooks."""
    return any(hasattr(getattr(plugin, hook, None), "promptgate_impl") for hook in HOOKS)


def collect(manager: pluggy.PluginManager) -> Toolbox:
    """Ask every hook once.

    Raises:
        ToolboxError: Two plugins offer the same name, or one offers something that is no mapping.
    """
    scorers, aggregates, providers, loaders = (_merged(manager, hook) for hook in HOOKS)
    return Toolbox(scorers=scorers, aggregates=aggregates, providers=providers, loaders=loaders)


def _merged(manager: pluggy.PluginManager, hook: str) -> Mapping[str, Any]:
    offers: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        offered = implementation.function()
        if offered is None:
            continue
        if not isinstance(offered, Mapping):
            raise ToolboxError(
                implementation.plugin_name,
                f"{hook} returned {type(offered).__name__}, not a mapping",
                hint="Return {name: offer}, or None for no offers.",
            )
        for name, offer in offered.items():
            if name in offers:
                raise ToolboxError(
                    implementation.plugin_name,
                    f"{hook} offers {name!r}, which {origin[name]} offers too",
                    hint="Rename one of the two, or switch one plugin off with -p no:NAME.",
                )
            offers[name] = offer
            origin[name] = implementation.plugin_name
    return MappingProxyType(offers)
