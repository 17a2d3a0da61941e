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


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """What suites of this run can name."""

    scorers: Mapping[str, ScorerOffer]
    aggregates: Mapping[str, Aggregate]
    providers: Mapping[str, AccountFactory]
    loaders: Mapping[str, DatasetLoader]


def register_built_in(manager: pluggy.PluginManager) -> None:
    """Add our specs and our own offers to `manager`, once."""
    from pytest_promptgate import hookspecs

    manager.add_hookspecs(hookspecs)
    for name in BUILT_IN:
        if not manager.has_plugin(name):
            manager.register(importlib.import_module(name), name)


def collect(manager: pluggy.PluginManager) -> Toolbox:
    """Ask every hook once.

    Raises:
        ToolboxError: Two plugins offer the same name, or one offers something that is no mapping.
    """
    return Toolbox(
        scorers=_merged(manager, "promptgate_scorers"),
        aggregates=_merged(manager, "promptgate_metrics"),
        providers=_merged(manager, "promptgate_providers"),
        loaders=_merged(manager, "promptgate_dataset_loaders"),
    )


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
