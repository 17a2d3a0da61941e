"""Fresh answers for an anchor that moves up: what is asked, and what they make of the rise (GATE §6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import candidate_fingerprint, records_digest
from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.plan import Plan, plan
from pytest_promptgate.core.recorded import records, side_of
from pytest_promptgate.core.rise import Rise, anchor_samples, anchors_itself, borne_out, risen
from pytest_promptgate.workflows.update_baseline import accepted_falls

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_promptgate.core.ports import Renderer
    from pytest_promptgate.core.types import Baseline, Report, Result


def rises(report: Report, old: Baseline) -> frozenset[str]:
    """What rose above the anchor of `old` by more than luck; nothing if no gated metric did, or a fall is accepted."""
    suite = report.suite
    if accepted_falls(report) or anchors_itself(old, suite.prompt, str(report.pin)):
        return frozenset()
    found = risen(suite, old, side_of(suite, report.results))
    return found if any(suite.gates[name].gated for name in found) else frozenset()


def anchor_plan(candidate: Plan, *, render: Renderer) -> Plan:
    """The candidate once more, in a slot of its own."""
    slot, suite = f"{candidate.slot} (new anchor)", candidate.suite
    return plan(replace(suite, samples=anchor_samples(suite), slots={slot: candidate.pin}), slot, render=render)


def anchor_round(candidate: Plan, old: Baseline, samples: int) -> str:
    """The store's round of these answers: the same rise is never asked twice."""
    anchor = anchor_of(old)
    before = (anchor.prompt_digest, records_digest(anchor.cases))
    return f"anchor-{digest((before, candidate.slot, candidate_fingerprint(candidate), samples))}"


def rise_of(names: Collection[str], old: Baseline, asked: Plan, results: Sequence[Result]) -> Rise:
    """What of a rise is left in fresh answers.

    Args:
        names: What rose in the run.
        old: The baseline, with its anchor.
        asked: What was asked anew.
        results: All of them, answered and scored.
    """
    kept = borne_out(asked.suite, names, old, side_of(asked.suite, results))
    return Rise(metrics=kept, cases=records(results, {scorer.name for scorer in asked.suite.scorers}))
