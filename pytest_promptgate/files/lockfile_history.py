"""Which merges moved a metric since its anchor: dates and names come from Git, not from the lockfile (DECISIONS 16)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_promptgate.core.anchor import Side, between
from pytest_promptgate.core.recorded import recorded_metrics, recorded_spec
from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.git import Commit, commits
from pytest_promptgate.files.lockfile import lockfile_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.types import Baseline
    from pytest_promptgate.files.lockfile_format import Key

MOST_COMMITS = 60  # of the lockfile that are read; each is read whole
_PULL_REQUEST = re.compile(r"#(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The way of one metric since its anchor."""

    date: str  # of the anchor's merge, "2025-01-10"; of the oldest commit that was read, if the anchor is older
    steps: tuple[tuple[str, float], ...]  # per merge since, oldest first: its name, and the change in the metric's unit


def history(
    root: Path, path: Path, key: Key, metric: str, *, ref: str, aggregates: Mapping[str, Aggregate]
) -> History | None:
    """The merges since the anchor, from the first-parent history of the lockfile at `path`.

    Runs Git once per commit: for messages about a red gate only.

    Returns:
        None if Git cannot tell.
    """
    try:
        seen = [*_back_to_anchor(root, path, key, ref, aggregates)]
    except PromptGateError:
        return None
    if not seen:
        return None
    told = [
        (commit, baseline)
        for commit, baseline in reversed(seen)
        if (figures := recorded_metrics(baseline, aggregates=aggregates).get(metric)) and figures.value is not None
    ]
    steps = [
        (_name(commit), _change(metric, before, after, aggregates)) for (_, before), (commit, after) in pairwise(told)
    ]
    return History(date=seen[-1][0].date, steps=tuple(steps))


def _change(metric: str, before: Baseline, after: Baseline, aggregates: Mapping[str, Aggregate]) -> float:
    """On the cases that both hold: rows that were added or removed are nobody's loss. 0 if nothing can be compared."""
    sides = [Side(cases=each.cases, scorers=each.scorers) for each in (before, after)]
    link = between(recorded_spec(metric, after.contract), *sides, aggregates=aggregates)
    return 0.0 if link is None else link.change


def _back_to_anchor(
    root: Path, path: Path, key: Key, ref: str, aggregates: Mapping[str, Aggregate]
) -> Iterator[tuple[Commit, Baseline]]:
    for commit in commits(root, path, ref=ref, most=MOST_COMMITS):
        data = commit.revision.read(path)
        found = None if data is None else lockfile_in(data, file=path.name, aggregates=aggregates).baselines.get(key)
        if found is None:
            return
        yield commit, found
        if found.anchor is None:
            return


def _name(commit: Commit) -> str:
    found = _PULL_REQUEST.search(commit.subject)
    return found[0] if found else commit.revision.commit[:8]
