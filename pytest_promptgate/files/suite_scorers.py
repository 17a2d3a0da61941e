"""``scorers:`` of a suite.

::

    scorers: [exact_match, {contains: refund}]                 # named as offered
    scorers:
      queue: exact_match                                       # named by the suite
      order: {json_match: {expected: order}}
      polite: my_package.scorers:polite                        # any Python callable
      safe: {all_of: [{contains: sorry}, {not: {regex: '\\d'}}]}  # made of others
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from pytest_promptgate.core.expressions import NAME
from pytest_promptgate.core.fingerprint import offer_fingerprint
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.types import BoundScorer
from pytest_promptgate.core.wording import did_you_mean
from pytest_promptgate.errors import ToolboxError
from pytest_promptgate.files.imported import import_callable
from pytest_promptgate.files.settings import build, in_use
from pytest_promptgate.files.suite_combined import combined, nests
from pytest_promptgate.files.suite_embeddings import EMBEDDING, bound_embedding
from pytest_promptgate.files.suite_extract import EXTRACT, Way, extracting, read_extract, reads_text
from pytest_promptgate.files.suite_judges import JUDGES, bound_judge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from pytest_promptgate.core.types import Json
    from pytest_promptgate.files.node import Node
    from pytest_promptgate.files.suite_context import SuiteContext


_BESIDE = frozenset({EXTRACT})  # keys that may stand beside a scorer's name
_OURS = "pytest_promptgate."
_PLAIN = "Let its fields hold texts, numbers, truth values, null, tuples and mappings."
_SHAPES = "Write [exact_match], {queue: exact_match} or {queue: {exact_match: {expected: queue}}}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What does not change while one suite's scorers are read."""

    context: SuiteContext
    directory: Path  # where the paths in settings start


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
    reading = Reading(context=context, directory=directory)
    usual = read_extract(root.get(EXTRACT), context, directory)
    for name, entry in _entries(node):
        _check_name(name, entry)
        if name in found:
            entry.fault(f"two scorers are called {name!r}", "Name them: `scorers: {first: …, second: …}`.")
        elif scorer := _bound(name, entry, reading):
            own = _beside(entry, EXTRACT)
            way = usual if own is None else read_extract(own, context, directory)
            found[name] = _on_part(scorer, way, entry, reading)
    return tuple(found.values())


def names_of(root: Node) -> tuple[str, ...]:
    """The names of all scorers that stand in the suite, also of those with faults, in the order written."""
    node = root.get("scorers")
    if node is None or not isinstance(node.value, list | Mapping):
        return ()
    return tuple(dict.fromkeys(name for name, _ in _entries(node)))


def is_ours(scorer: object) -> bool:
    """Whether it is a built-in one, of which it is known what it reads of a row: `expected`, and its `columns`."""
    named = scorer if inspect.isroutine(scorer) or inspect.isclass(scorer) else type(scorer)
    return str(named.__module__).startswith(_OURS)


def is_own(kind: object) -> TypeGuard[Callable[..., Any]]:
    """Whether a suite in Python holds the scorer itself in place of its name."""
    return callable(kind)


def _entries(node: Node) -> list[tuple[str, Node]]:
    if isinstance(node.value, Mapping):
        return node.pairs()
    return [_named(item) for item in node.items("a list or a mapping of scorers")]


def _named(item: Node) -> tuple[str, Node]:
    kind, _ = _kind_of(item, _BESIDE)
    if is_own(kind):
        return _written(kind).__name__, item
    return (_by_kind(kind) if isinstance(kind, str) else ""), item


def _by_kind(kind: str) -> str:
    return kind.rpartition(":")[2].rpartition(".")[2]


def _kind_of(entry: Node, beside: Collection[str]) -> tuple[Json, Node]:
    """What names the scorer, and its settings; the entry itself stands for settings that are not written."""
    if not isinstance(entry.value, Mapping):
        return entry.value, entry
    pairs = entry.pairs() if len(entry.value) == 1 else [pair for pair in entry.pairs() if pair[0] not in beside]
    return pairs[0] if len(pairs) == 1 else (entry.value, entry)


def _check_name(name: str, entry: Node) -> None:
    if name in OBSERVABLES:
        entry.fault(f"a scorer cannot be called {name!r}", "Metrics read the run's own figure by that name.")
    elif name and not NAME.fullmatch(name):
        entry.fault(f"{name!r} is no name for a scorer", "Use letters, digits, '_' and '-', a letter first.")


def _bound(name: str, entry: Node, reading: Reading, beside: Collection[str] = _BESIDE) -> BoundScorer | None:
    kind, settings = _kind_of(entry, beside)
    if is_own(kind):
        return _own(name, kind, settings, reading.directory)
    if not isinstance(kind, str):
        _no_scorer(entry, reading.context, beside)
        return None
    offer = _offer(kind, settings, reading.context)
    if offer is None:
        return None
    settings = settings.without_value() if settings is entry else settings
    if kind in JUDGES:
        return bound_judge(name, kind, settings, reading.context, reading.directory)
    if kind == EMBEDDING:
        return bound_embedding(name, settings, reading.context)
    if nests(offer):
        return combined(name, kind, offer, settings, partial(_part, reading))
    scorer = _built(offer, kind, settings, reading.directory)
    fingerprint = _fingerprint(kind, offer, scorer, settings) if scorer is not None else None
    if fingerprint is None:
        return None
    return BoundScorer(name=name, kind=kind, scorer=scorer, fingerprint=fingerprint, place=settings.place)


def _own(name: str, given: Callable[..., Any], node: Node, directory: Path) -> BoundScorer | None:
    """A scorer that stands in the suite itself, as only those in Python can hold one."""
    written = _written(given)
    kind = f"{written.__module__}:{written.__qualname__}"
    scorer = _built(given, kind, node.without_value(), directory) if inspect.isclass(given) else given
    offer = type(given) if is_dataclass(given) and not inspect.isclass(given) else given
    fingerprint = _fingerprint(kind, offer, scorer, node) if scorer is not None else None
    if fingerprint is None:
        return None
    return BoundScorer(name=name, kind=kind, scorer=scorer, fingerprint=fingerprint, place=node.place)


def _written(given: Callable[..., Any]) -> Any:
    """The function or class that a callable was written as."""
    inner = given.func if isinstance(given, partial) else given
    return inner if inspect.isroutine(inner) or inspect.isclass(inner) else type(inner)


def _part(reading: Reading, name: str, entry: Node, beside: Collection[str]) -> BoundScorer | None:
    """A scorer inside another; of the suite's extraction it knows nothing, for the outer one has made it already."""
    beside = {*_BESIDE, *beside}
    kind, _ = _kind_of(entry, beside)
    name = name or (_by_kind(kind) if isinstance(kind, str) else "")
    scorer = _bound(name, entry, reading, beside)
    way = read_extract(_beside(entry, EXTRACT), reading.context, reading.directory)
    return _on_part(scorer, way, entry, reading) if scorer is not None else None


def _on_part(scorer: BoundScorer, way: Way | None, entry: Node, reading: Reading) -> BoundScorer:
    own = _beside(entry, EXTRACT)
    if own is not None and not reads_text(scorer.scorer):
        own.fault(f"{scorer.kind} reads no text, so there is nothing to extract it from", "Leave `extract` out.")
    return extracting(scorer, way, reading.context.extraction) if way and reads_text(scorer.scorer) else scorer


def _beside(entry: Node, key: str) -> Node | None:
    """What stands under `key` beside the scorer's name."""
    return entry.get(key) if isinstance(entry.value, Mapping) and len(entry.value) > 1 else None


def _no_scorer(entry: Node, context: SuiteContext, beside: Collection[str]) -> None:
    pairs = entry.pairs() if isinstance(entry.value, Mapping) else []
    kinds = [key for key, _ in pairs if key in context.scorers]
    if len(kinds) != 1:
        entry.fault(f"{entry.name} is no scorer", _SHAPES)
        return
    for key, below in pairs:
        if key not in {*kinds, *beside}:
            below.fault(f"unknown key {key!r} beside {kinds[0]}", did_you_mean(key, beside, label="Known keys"))


def _offer(kind: str, node: Node, context: SuiteContext) -> Any | None:
    if kind in context.scorers:
        return context.scorers[kind]
    if ":" in kind:
        return import_callable(kind, node, context.root)
    hint = did_you_mean(kind, context.scorers, label="Offered")
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
