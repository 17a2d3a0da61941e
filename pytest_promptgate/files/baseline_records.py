"""Which baselines were ever written from the versions of a prompt: the lockfile of now, then those of its commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_promptgate.core.recorded import recorded_metrics
from pytest_promptgate.errors import PromptGateError
from pytest_promptgate.files.git import commits
from pytest_promptgate.files.lockfile import lockfile_in
from pytest_promptgate.files.lockfile_history import MOST_COMMITS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from pytest_promptgate.core.ports import Aggregate
    from pytest_promptgate.core.recorded import Figures
    from pytest_promptgate.core.types import Baseline
    from pytest_promptgate.files.lockfile_format import Lockfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one baseline recorded of a prompt version."""

    label: str  # "support-triage@v3"
    digest: str  # of the version's text then
    suite: str
    slot: str
    model: str
    metrics: Mapping[str, Figures | None]
    date: str = ""  # of the newest commit that holds it, "2025-01-10"; "": the lockfile of now does


def recorded_versions(
    root: Path, path: Path, lockfile: Lockfile, labels: Collection[str], *, aggregates: Mapping[str, Aggregate]
) -> tuple[Recorded, ...]:
    """The newest record of each of `labels` per suite and slot; from the history those that are not there any more.

    Args:
        root: A directory of the repository.
        path: The lockfile's.
        lockfile: What it holds.
        labels: Versions that are wanted.
        aggregates: Those that plugins offer.
    """
    found: dict[tuple[str, str, str], Recorded] = {}
    for date, known in _lockfiles(root, path, lockfile, aggregates):
        for baseline in known.baselines.values():
            if baseline.prompt in labels:
                found.setdefault(_key(baseline), _recorded(baseline, date, aggregates))
        if {label for label, _, _ in found} == set(labels):
            break
    return tuple(found.values())


def _lockfiles(
    root: Path, path: Path, lockfile: Lockfile, aggregates: Mapping[str, Aggregate]
) -> Iterator[tuple[str, Lockfile]]:
    yield "", lockfile
    try:
        history = commits(root, path, ref="HEAD", most=MOST_COMMITS)
    except PromptGateError:
        return  # no repository, or no commit yet
    for commit in history:
        try:
            data = commit.revision.read(path)
            known = None if data is None else lockfile_in(data, file=path.name, aggregates=aggregates)
        except PromptGateError:
            continue  # of another format, or broken then
        if known is not None:
            yield commit.date, known


def _key(baseline: Baseline) -> tuple[str, str, str]:
    return baseline.prompt, baseline.suite, baseline.slot


def _recorded(baseline: Baseline, date: str, aggregates: Mapping[str, Aggregate]) -> Recorded:
    return Recorded(
        label=baseline.prompt,
        digest=baseline.prompt_digest,
        suite=baseline.suite,
        slot=baseline.slot,
        model=str(baseline.pin),
        metrics=recorded_metrics(baseline, aggregates=aggregates),
        date=date,
    )
