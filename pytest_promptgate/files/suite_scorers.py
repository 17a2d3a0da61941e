"""``scorers:`` of a suite.

::

    scorers: [exact_match, {contains: refund}]                 # named as offered
    scorers:
      queue: exact_match                                       # named by the suite
      order: {json_match: {expected: order}}
      polite: my_package.scorers:polite                        # any Python callable
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.expressions import NAME
from pytest_promptgate.core.fingerprint import offer_fingerprint
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.types import BoundScorer
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import ToolboxError
from pytest_promptgate.files.imported import import_callable
from pytest_promptgate.files.settings import build, in_use

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_context import SuiteContext

LATER = frozenset({"judge", "compare"})

_OURS = "pytest_promptgate."
_PLAIN = "Let its fields hold texts, numbers, truth values, null, tuples and mappings."
_SHAPES = "Write [exact_match], {queue: exact_match} or {queue: {exact_match: {expected: queue}}}."


def read_scorers(root: Node, context: SuiteContext, directory: Path) -> tuple[BoundScorer, ...]:
    """The scorers, in the order written; those with faults are left out, and the faults noted.

    Args:
        directory: Where the paths in settings start.
    """
    node = root.get("scorers")
    if node is None or node.value in (None, [], {}):
        accepted = ", ".join(sorted(context.scorers))
        (node or root).fault("the suite has no scorers", f"Add `scorers: [exact_match]`. Offered: {accepted}.")
        return ()
    found: dict[str, BoundScorer] = {}
    for name, entry in _entries(node):
        _check_name(name, entry)
        if name in found:
            entry.fault(f"two scorers are called {name!r}", "Name them: `scorers: {first: …, second: …}`.")
        elif scorer := _bound(name, entry, context, directory):
            found[name] = scorer
    return tuple(found.values())


def names_of(root: Node) -> tuple[str, ...]:
    """The names of all scorers that stand in the suite, also of those with faults, in the order written."""
    node = root.get("scorers")
    if node is None or not isinstance(node.value, list | Mapping):
        return ()
    return tuple(dict.fromkeys(name for name, _ in _entries(node)))


def is_ours(scorer: object) -> bool:
    """Whether it is a built-in one, of which it is known what it reads: `expected`, and nothing else of a row."""
    named = scorer if inspect.isroutine(scorer) or inspect.isclass(scorer) else type(scorer)
    return str(named.__module__).startswith(_OURS)


def _entries(node: Node) -> list[tuple[str, Node]]:
    if isinstance(node.value, Mapping):
        return node.pairs()
    return [_named(item) for item in node.items("a list or a mapping of scorers")]


def _named(item: Node) -> tuple[str, Node]:
    kind = item.value
    if isinstance(kind, Mapping) and len(kind) == 1:
        kind = next(iter(kind))
    return (kind.rpartition(":")[2].rpartition(".")[2] if isinstance(kind, str) else ""), item


def _check_name(name: str, entry: Node) -> None:
    if name in OBSERVABLES:
        entry.fault(f"a scorer cannot be called {name!r}", "Metrics read the run's own figure by that name.")
    elif name and not NAME.fullmatch(name):
        entry.fault(f"{name!r} is no name for a scorer", "Use letters, digits, '_' and '-', a letter first.")


def _bound(name: str, entry: Node, context: SuiteContext, directory: Path) -> BoundScorer | None:
    kind, settings = entry.value, entry
    if isinstance(kind, Mapping) and len(kind) == 1:
        ((kind, settings),) = entry.pairs()
    if not isinstance(kind, str):
        entry.fault(f"{entry.name} is no scorer", _SHAPES)
        return None
    offer = _offer(kind, settings, context)
    if offer is None:
        return None
    scorer = _built(offer, kind, settings.without_value() if settings is entry else settings, directory)
    fingerprint = _fingerprint(kind, offer, scorer, settings) if scorer is not None else None
    if fingerprint is None:
        return None
    return BoundScorer(name=name, kind=kind, scorer=scorer, fingerprint=fingerprint, place=settings.place)


def _offer(kind: str, node: Node, context: SuiteContext) -> Any | None:
    if kind in context.scorers:
        return context.scorers[kind]
    accepted = sorted(context.scorers)
    if kind in LATER:
        node.fault(
            f"the scorer {kind!r} is not accepted yet", f"Accepted: {', '.join(accepted)}, package.module:function."
        )
    elif ":" in kind:
        return import_callable(kind, node, context.root)
    else:
        hint = did_you_mean(kind, accepted, label="Offered")
        node.fault(f"unknown scorer {kind!r}", f"{hint}\nYour own function is written package.module:function.")
    return None


def _built(offer: Any, kind: str, settings: Node, directory: Path) -> Any:
    if inspect.isclass(offer):
        scorer = build(offer, kind, settings, typed=not is_ours(offer), directory=directory)
        if scorer is None or callable(scorer):
            return scorer
        settings.fault(f"{kind} has no __call__", "A scorer is called with the completion and the case.")
        return None
    if settings.value not in (None, {}):
        settings.fault(f"{kind} takes no settings", "It is a function; a frozen dataclass with __call__ can take them.")
        return None
    return offer


def _fingerprint(kind: str, offer: Any, scorer: object, node: Node) -> str | None:
    try:
        return offer_fingerprint(kind, offer, in_use(scorer))
    except ToolboxError as fault:
        node.fault(f"{fault.where}: {fault.what}", fault.hint)
    except (TypeError, ValueError):
        node.fault(f"the settings of {kind} are no JSON values, so a change of them would go unseen", _PLAIN)
    return None
