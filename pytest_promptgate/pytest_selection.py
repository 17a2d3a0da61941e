"""What of a run this pytest run selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.pytest_group import set_aside
from pytest_promptgate.pytest_items import CaseItem, CasesItem, EvalItem, GateItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_promptgate.pytest_run import Run


def settle(run: Run, items: Sequence[pytest.Item]) -> None:
    """Find out which cases were selected; a gate without any case pulls the whole suite in."""
    mine = [item for item in items if isinstance(item, EvalItem) and item.run is run]
    if run.group is not None and mine:
        run.set_aside = set_aside(mine[0]) if all(map(set_aside, mine)) else ""
        mine = [item for item in mine if not set_aside(item)]
    if not mine or run.unchanged:
        return
    run.speaker = None if any(isinstance(item, GateItem) for item in mine) else mine[0]
    chosen = {item.case_id for item in mine if isinstance(item, CaseItem)}
    folded = any(isinstance(item, CasesItem) for item in mine)
    run.chosen_gates = frozenset(item.metric for item in mine if isinstance(item, GateItem))
    run.chosen_cases = frozenset(run.cases if folded else chosen)
    shard = run.session.settings.shard
    if folded or not (chosen or shard):
        chosen = set(run.cases)
    if shard is not None:
        chosen = {case for case in chosen if case in shard}
    run.selected = tuple(case for case in run.cases if case in chosen)
    everything = len(run.suite.cases)
    if shard is not None:
        run.partial = f"shard {shard}: {len(run.selected)} of {everything} cases"
    elif len(run.selected) < everything:
        tier = "smoke tier" if run.session.settings.smoke else "partial selection"
        run.partial = f"{tier}: {len(run.selected)} of {everything} cases"
    settings = run.session.settings
    if run.baseline is None and settings.ci and not settings.update and not settings.aa and shard is None:
        run.blocked = (
            f"{run.suite.path}: no baseline for {run.suite.name!r} ({run.bracket}), and CI is set: "
            "nothing was asked\n"
            f"  Run `pytest {run.suite.path} {run.session.settings.alias}` locally and commit the lockfile."
        )


def give_up_waiting(run: Run) -> None:
    """Once everything that asks has had its turn: what was never set up is no part of this run."""
    never = run.group.waits_for(run.selected) if run.group is not None else []
    if not never or run.blocked:
        return
    kept = [case for case in run.selected if case not in never]
    run.partial = f"{len(never)} of {len(run.selected)} cases were not run"
    run.selected = tuple(kept)
    if not kept:
        run.blocked = f"{run.suite.name}: none of its cases was run, so there is nothing to judge"
