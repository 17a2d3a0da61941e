"""``must_pass:`` of a suite: the cases that it singles out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_promptgate.core.plan import slug
from pytest_promptgate.core.types import Case, MustPass
from pytest_promptgate.core.wording import did_you_mean

if TYPE_CHECKING:
    from pytest_promptgate.files.node import Node


def read_must_pass(node: Node | None, cases: Sequence[Case] | None, scorers: Collection[str]) -> tuple[MustPass, ...]:
    """The cases that have to pass: ids, or ``{id | tag, scorers, pass_at}``. Faults are noted.

    Args:
        cases: None: the dataset has faults, and nothing is held against it.
        scorers: Names of all scorers of the suite: the default.
    """
    if node is None:
        return ()
    entries = [_must_pass(item, cases, scorers) for item in node.items("a list of case ids and {tag: …}")]
    return tuple(entry for entry in entries if entry is not None)


def _must_pass(item: Node, cases: Sequence[Case] | None, scorers: Collection[str]) -> MustPass | None:
    if not isinstance(item.value, Mapping):
        chosen = _with_id(item, cases)
        return MustPass(cases=chosen, scorers=tuple(scorers)) if chosen else None
    item.keys({"id", "tag", "scorers", "pass_at"})
    by_id, by_tag, pass_at = item.get("id"), item.get("tag"), item.get("pass_at")
    if (by_id is None) is (by_tag is None):
        item.fault(
            f"{item.name} needs either 'id' or 'tag'", "Write t-001, {tag: safety} or {id: t-001, scorers: [queue]}."
        )
        return None
    chosen = _with_id(by_id, cases) if by_id else _with_tag(by_tag or item, cases)
    named = _scorers(item.get("scorers"), scorers)
    limit = pass_at.number() if pass_at else 1.0
    return MustPass(cases=chosen, scorers=named, pass_at=1.0 if limit is None else limit) if chosen else None


def _with_id(node: Node, cases: Sequence[Case] | None) -> frozenset[str]:
    value = (
        str(node.value) if isinstance(node.value, int) and not isinstance(node.value, bool) else node.text("a case id")
    )
    if value is None or cases is None:
        return frozenset()
    wanted, ids = slug(value), {case.id for case in cases}
    if wanted not in ids:
        hint = did_you_mean(wanted, ids, label="Cases")
        node.fault(f"must_pass names the case {value!r}, which the suite does not have", hint)
    return frozenset({wanted} & ids)


def _with_tag(node: Node, cases: Sequence[Case] | None) -> frozenset[str]:
    tag = node.text("a tag")
    if tag is None or cases is None:
        return frozenset()
    found = frozenset(case.id for case in cases if tag in case.tags)
    if not found:
        known = {each for case in cases for each in case.tags}
        node.fault(f"must_pass names the tag {tag!r}, which no case has", did_you_mean(tag, known, label="Tags"))
    return found


def _scorers(node: Node | None, scorers: Collection[str]) -> tuple[str, ...]:
    if node is None:
        return tuple(scorers)
    if node.value == []:
        node.fault(f"{node.name} names no scorer", "Leave the key out for all of them.")
    named = node.items("a list of scorers")
    for item in named:
        name = item.text("a scorer's name")
        if name and name not in scorers:
            item.fault(f"unknown scorer {name!r}", did_you_mean(name, scorers, label="Scorers"))
    return tuple(str(item.value) for item in named)
