"""Every hook that offers something asked once, into one frozen `Toolbox`."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import ToolboxError

if TYPE_CHECKING:
    import pluggy

    from pytest_promptgate.core.ports import AccountFactory, Aggregate, DatasetLoader, ScorerOffer

# Our own offers come through the same door as everybody's.
BUILT_IN = ("pytest_promptgate.scorers.offers", "pytest_promptgate.models.offers", "pytest_promptgate.files.offers")
OFFERS = ("promptgate_scorers", "promptgate_metrics", "promptgate_providers", "promptgate_dataset_loaders")
OBSERVERS = ("promptgate_completion", "promptgate_report")
HOOKS = (*OFFERS, *OBSERVERS)
Answers: TypeAlias = dict[tuple[str, str], Mapping[str, Any]]  # by hook and plugin
_ARGUMENTS = (
    "promptgate_completion takes trial and completion, promptgate_report takes report, the others take nothing."
)
_CALLABLE = "Offer a function, or a class whose instances can be called."


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
    for entry in metadata.entry_points(group="promptgate"):
        register(manager, _loaded(entry), entry.value)
    return manager


def _loaded(entry: metadata.EntryPoint) -> object:
    try:
        return entry.load()
    except Exception as error:
        what = f"its entry point {entry.name!r} cannot be loaded: {type(error).__name__}: {error}"
        raise ToolboxError(entry.value, what, hint="Mend or uninstall the package that brings it.") from error


def offers_something(plugin: object) -> bool:
    """Whether `plugin` (a conftest, say) implements one of our hooks, or tries to."""
    return any(True for _ in _implemented(plugin))


def register(manager: pluggy.PluginManager, plugin: object, name: str) -> None:
    """Make a plugin known.

    Raises:
        ToolboxError: It implements a hook that there is not, or takes arguments that the hook does not hand over.
    """
    import pluggy

    for hook in _implemented(plugin):
        if hook not in HOOKS:
            raise ToolboxError(name, f"there is no hook {hook!r}", hint=did_you_mean(hook, HOOKS, label="Hooks"))
    try:
        manager.register(plugin, name)
    except pluggy.PluginValidationError as error:
        what = str(error).splitlines()[-1]
        raise ToolboxError(name, f"{what[0].lower()}{what[1:]}", hint=_ARGUMENTS) from None


def collect(manager: pluggy.PluginManager, answers: Answers) -> Toolbox:
    """Ask every hook that offers something and was not asked before.

    Args:
        manager: With all plugins that are known by now.
        answers: What was answered before; new answers are put in.

    Raises:
        ToolboxError: A hook raised, two plugins offer the same name, or one offers what cannot be used.
    """
    scorers, aggregates, providers, loaders = (_merged(manager, hook, answers) for hook in OFFERS)
    return Toolbox(scorers=scorers, aggregates=aggregates, providers=providers, loaders=loaders)


def _implemented(plugin: object) -> Iterator[str]:
    names = (name for name in dir(plugin) if name.startswith("promptgate_"))
    return (name for name in names if hasattr(getattr(plugin, name, None), "promptgate_impl"))


def _merged(manager: pluggy.PluginManager, hook: str, answers: Answers) -> Mapping[str, Any]:
    offers: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        key = hook, implementation.plugin_name
        answers[key] = answers[key] if key in answers else _offered(hook, implementation)
        for name, offer in answers[key].items():
            if name in offers:
                raise ToolboxError(
                    implementation.plugin_name,
                    f"{hook} offers {name!r}, which {origin[name]} offers too",
                    hint="Rename one of the two, or switch one plugin off with -p no:NAME.",
                )
            offers[name] = offer
            origin[name] = implementation.plugin_name
    return MappingProxyType(offers)


def _offered(hook: str, implementation: pluggy.HookImpl) -> Mapping[str, Any]:
    plugin = implementation.plugin_name
    try:
        offered: object = implementation.function()
    except (Exception, SystemExit) as error:  # noqa: BLE001 users' code
        said = " ".join("".join(traceback.format_exception_only(error)).split())
        line = traceback.extract_tb(error.__traceback__)[:2][-1]  # of the hook itself
        raise ToolboxError(plugin, f"{hook} raised {said}", hint=f"at {line.filename}:{line.lineno}") from None
    if offered is None:
        return {}
    if not isinstance(offered, Mapping):
        raise ToolboxError(
            plugin,
            f"{hook} returned {type(offered).__name__}, not a mapping",
            hint="Return {name: offer}, or None for no offers.",
        )
    for name, offer in offered.items():
        if not isinstance(name, str):
            raise ToolboxError(plugin, f"{hook} offers the name {name!r}, which is not text", hint="Names are text.")
        if not callable(offer):
            raise ToolboxError(
                plugin, f"{hook} offers {name!r} as {type(offer).__name__}, which cannot be called", hint=_CALLABLE
            )
    return offered
