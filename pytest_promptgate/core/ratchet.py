"""What the anchor makes of a verdict: small losses that pass one by one do not pass together (GATE §6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.changes import EPSILON
from pytest_promptgate.core.findings import numbers
from pytest_promptgate.core.types import Direction, Measurement, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_promptgate.core.anchor import SinceAnchor
    from pytest_promptgate.core.types import Baseline, MetricSpec, Verdict

ALPHA = 0.05
ALLOWED, NOISE = "within what is allowed", "within noise"  # why a change passed against the baseline
_MERGES = 8  # that a message names


def held_to_anchor(verdict: Verdict, spec: MetricSpec, baseline: Baseline, since: SinceAnchor | None) -> Verdict:
    """The verdict of a metric that this change lowers within what is allowed, if the losses since the anchor are not.

    For the rule ``strict``, and for linked anchors under every rule; other rules test the anchor's own cases.
    """
    if since is None or not verdict.gated or verdict.red or verdict.outcome is not Outcome.WITHIN_NOISE:
        return verdict
    if not isinstance(verdict.baseline, Measurement) or verdict.change is None:
        return verdict
    change = verdict.change * (1 if spec.direction is Direction.HIGHER else -1)
    allowed = verdict.tolerance.allowance(verdict.baseline.value)
    lost = since.change < -allowed - EPSILON and (not since.linked or since.rejects(alpha=ALPHA))
    if change >= -EPSILON or not lost:
        return verdict
    return replace(
        verdict,
        outcome=Outcome.REGRESSED,
        red=True,
        reason=drift_message(
            verdict.metric,
            change,
            since.change,
            _named(baseline, spec),
            excuse=ALLOWED if verdict.p is None else NOISE,
        ),
        since_anchor=since.change,
    )


def _named(baseline: Baseline, spec: MetricSpec) -> str:
    """The anchor as messages name it: one that was laid anew carries on what had been lost before."""
    anchor = anchor_of(baseline)
    return f"{anchor.prompt}, with what was lost before it" if spec.name in anchor.drift else anchor.prompt


def drift_message(metric: str, change: float, total: float, anchor: str, *, excuse: str = ALLOWED) -> str:
    """``accuracy: this change -0.003 (within what is allowed), but since the anchor triage@v1: -0.051``."""
    step, whole = (numbers(each)[0] for each in (change, total))
    return f"{metric}: this change {step} ({excuse}), but since the anchor {anchor}: {whole}"


def merges_message(date: str, steps: Sequence[tuple[str, float]]) -> str:
    """``since 2025-01-10 over 7 merges: #12 -0.011, #15 -0.004``: it is a sum, and no single change is to blame.

    Args:
        date: Of the anchor's merge.
        steps: Per merge since then, oldest first, what it is called and what it changed.
    """
    named = [f"{name} {'+' if change > 0 else ''}{numbers(change)[0]}" for name, change in steps if change]
    shown = ", ".join(named[-_MERGES:])
    more = f"… {len(named) - _MERGES} more, " if len(named) > _MERGES else ""
    count = f"{len(steps)} merge{'' if len(steps) == 1 else 's'}"
    return f"since {date} over {count}: {more}{shown}" if shown else f"since {date} over {count}"
