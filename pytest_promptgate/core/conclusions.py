"""What a decision of `core.decision` says to people, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core import findings
from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.confirmation import NotRetried, Retried
from pytest_promptgate.core.decision import Why
from pytest_promptgate.core.findings import Finding, numbers
from pytest_promptgate.core.observables import OBSERVABLES
from pytest_promptgate.core.ratchet import ALLOWED, NOISE, drift_message
from pytest_promptgate.core.types import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.arms import Arms, Side
    from pytest_promptgate.core.confirmation import Stage2
    from pytest_promptgate.core.decision import Decision, Question
    from pytest_promptgate.core.types import Baseline, MetricSpec, Tolerance, Verdict


def simple(
    spec: MetricSpec, decision: Decision, before: float, after: float, *, n: int, tolerance: Tolerance
) -> Finding:
    """The finding of a decision that needs no test to be understood; every rule can come to it."""
    if decision.why is Why.EQUAL:
        return findings.unchanged(spec, after, n=n)
    if decision.why is Why.TOLERANCE:
        return findings.tolerated(spec, before, after, n=n, tolerance=tolerance)
    if decision.why is Why.HIGHER:
        better = findings.improved(spec, before, after, n=n, tolerance=tolerance)
        return Finding(outcome=decision.outcome, reason=better.reason)
    told = findings.regressed(spec, before, after, n=n, tolerance=tolerance)
    return Finding(outcome=decision.outcome, reason=f"{told.reason}{_TAILS.get(decision.why, _nothing)(decision)}")


def confirmed(told: str, spec: MetricSpec, decision: Decision, retried: Retried, fresh: Arms) -> str:
    """``… re-asked 12 cases x 8 x 2 (192 calls): production 61/96, yours 58/96, p=.37: the drop did not reproduce``."""
    change = "drop" if spec.direction is Direction.HIGHER else "rise"
    return f"{told}; {again(spec, decision, retried, fresh, reference='production', change=change)}"


def again(spec: MetricSpec, decision: Decision, retried: Retried, fresh: Arms, *, reference: str, change: str) -> str:
    """What asking again has brought: ``re-asked 12 cases x 8 x 2 (192 calls): production 61/96, …``."""
    trial = retried.retrial
    size = f"{_count(len(trial.cases), 'case')} x {trial.samples} x {len(retried.answers)}"
    old, new = _levels(spec, fresh)
    arms = f"{reference} {old}, yours {new}"
    if decision.why is Why.CONFIRMED:
        arms, end = f"{arms}{_broken(spec, decision, fresh)}", f"the {change} is real"
    else:
        end = f"the {change} did not reproduce"
    return f"re-asked {size} ({_calls(retried)}): {arms}, {p_value(decision.p)}: {end}"


def decided_by_stored(told: str, stage2: NotRetried, question: Question) -> str:
    """Why there was no retrial, and what took its place."""
    if question.policy.rule == "strict":
        return f"{told}, and {stage2.why}"
    return f"{told} ({stage2.why}: {question.arms.samples} stored samples decide)"


def drifted(
    spec: MetricSpec,
    verdict: Verdict,
    question: Question,
    decision: Decision,
    stage2: Stage2 | None,
    baseline: Baseline,
) -> str:
    """``accuracy: this change -0.003 (…), but since the anchor triage@v1: -0.051; re-asked …``."""
    sign = 1 if verdict.direction is Direction.HIGHER else -1
    excuse = ALLOWED if verdict.p is None else NOISE
    change, total, anchor = sign * (verdict.change or 0.0), question.arms.gain, anchor_of(baseline).prompt
    told = drift_message(verdict.metric, change, total, anchor, excuse=excuse)
    if isinstance(stage2, NotRetried):
        return decided_by_stored(told, stage2, question) if stage2.outcome is None else f"{told}, and {stage2.why}"
    if isinstance(stage2, Retried) and question.fresh is not None and decision.why is Why.CONFIRMED:
        return f"{told}; {again(spec, decision, stage2, question.fresh, reference='anchor', change='loss')}"
    return f"{told}{_TAILS.get(decision.why, _nothing)(decision)}"


def _calls(retried: Retried) -> str:
    """``192 calls``, ``192 stored answers`` or ``100 calls, 92 stored answers``."""
    stored = retried.total - retried.asked
    parts = [
        _count(retried.asked, "call") if retried.asked else "",
        _count(stored, "stored answer") if stored else "",
    ]
    return ", ".join(part for part in parts if part)


def p_value(p: float | None) -> str:
    """``p=.37``, ``p<.0001``."""
    if p is None:
        return "no p"
    return "p<.0001" if p < 1e-4 else "p=" + (f"{p:.2f}" if p >= 0.1 else f"{p:.2g}").replace("0.", ".", 1)


def _broken(spec: MetricSpec, decision: Decision, fresh: Arms) -> str:
    tested = decision.tested
    if tested is None or tested.broken is None or tested.case is None or tested.case >= tested.mean:
        return ""
    at = fresh.cases.index(tested.broken)
    old, new = _shown(spec, (fresh.before[at],), (fresh.after[at],))
    return f"; case {tested.broken} broke: {old} -> {new}"


def _levels(spec: MetricSpec, fresh: Arms) -> tuple[str, ...]:
    if fresh.statistic is None and fresh.scale == 1.0:
        return _shown(spec, fresh.before, fresh.after)
    return numbers(*map(abs, fresh.levels))


def _shown(spec: MetricSpec, *sides: Side) -> tuple[str, ...]:
    """``61/96`` of right and wrong, else the means; arms are turned, so signs are taken back."""
    values = [[abs(each) for samples in side for each in samples] for side in sides]
    if spec.source not in OBSERVABLES and all(each in (0.0, 1.0) for side in values for each in side):
        return tuple(f"{sum(side):.0f}/{len(side)}" for side in values)
    return numbers(*(sum(side) / len(side) for side in values))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _nothing(_: Decision) -> str:
    return ""


def _tested(decision: Decision) -> str:
    return f"; {p_value(decision.p)}"


def _bound(decision: Decision) -> str:
    if decision.bounds is None:
        return ""
    low, high = numbers(decision.bounds.low, decision.bounds.high)
    return f"; the true change lies between {low} and {high}"


_TAILS: Mapping[Why, Callable[[Decision], str]] = {
    Why.DETERMINISTIC_DROP: lambda _: "; repeated answers agree, so this is no luck",
    Why.SIGNIFICANT: _tested,
    Why.BROKEN_CASE: lambda d: f"; case {d.tested.broken if d.tested else ''} broke, {p_value(d.p)}",
    Why.SEQUENTIAL: lambda d: f"; {d.crossed}",
    Why.MAX_DROP: lambda _: "; a drop this large needs no proof",
    Why.UNDERPOWERED: lambda _: "; no outcome of this size could be significant: ask for more samples or cases",
    Why.NOT_SIGNIFICANT: lambda d: f"; {p_value(d.p)}: this may be luck",
    Why.NO_MARGIN: lambda _: "; the rule non_inferior needs a tolerance above 0",
    Why.TOO_FEW_CASES: lambda _: "; the rule non_inferior needs at least 20 cases",
    Why.NON_INFERIOR: lambda d: f"{_bound(d)}: not worse than allowed",
    Why.BELOW_MARGIN: lambda d: f"{_bound(d)}: worse than allowed",
    Why.MARGIN_NOT_EXCLUDED: lambda d: f"{_bound(d)}: a drop beyond the tolerance is not excluded",
}
