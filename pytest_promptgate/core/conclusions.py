"""What a decision of `core.decision` says to people, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core import findings
from pytest_promptgate.core.decision import Why
from pytest_promptgate.core.findings import Finding, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_promptgate.core.arms import Arms, Side
    from pytest_promptgate.core.confirmation import Retried
    from pytest_promptgate.core.decision import Decision
    from pytest_promptgate.core.types import MetricSpec, Tolerance


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


def confirmed(told: str, decision: Decision, retried: Retried, fresh: Arms) -> str:
    """``… re-asked 12 cases x 8 x 2 (192 calls): production 61/96, yours 58/96, p=.37: the drop did not reproduce``."""
    trial = retried.retrial
    counts = f"re-asked {_count(len(trial.cases), 'case')} x {trial.samples} x 2 ({retried.asked} calls)"
    arms = f"production {_shown(fresh.before)}, yours {_shown(fresh.after)}"
    if decision.why is not Why.CONFIRMED:
        return f"{told}; {counts}: {arms}, {p_value(decision.p)}: the drop did not reproduce"
    return f"{told}; {counts}: {arms}{_broken(decision, fresh)}, {p_value(decision.p)}: the drop is real"


def p_value(p: float | None) -> str:
    """``p=.37``, ``p<.0001``."""
    if p is None:
        return "no p"
    return "p<.0001" if p < 1e-4 else "p=" + (f"{p:.2f}" if p >= 0.1 else f"{p:.2g}").replace("0.", ".", 1)


def _broken(decision: Decision, fresh: Arms) -> str:
    tested = decision.tested
    if tested is None or tested.broken is None or tested.case is None or tested.case >= tested.mean:
        return ""
    at = fresh.cases.index(tested.broken)
    return f"; case {tested.broken} broke: {_shown((fresh.before[at],))} -> {_shown((fresh.after[at],))}"


def _shown(side: Side) -> str:
    """``61/96`` of right and wrong, else the mean; arms are turned, so signs are taken back."""
    values = [abs(each) for samples in side for each in samples]
    if all(each in (0.0, 1.0) for each in values):
        return f"{sum(values):.0f}/{len(values)}"
    return numbers(sum(values) / len(values))[0]


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
    Why.MAX_DROP: lambda _: "; a drop this large needs no proof",
    Why.UNDERPOWERED: lambda _: "; no outcome of this size could be significant: ask for more samples or cases",
    Why.NOT_SIGNIFICANT: lambda d: f"; {p_value(d.p)}: this may be luck",
    Why.NO_MARGIN: lambda _: "; the rule non_inferior needs a tolerance above 0",
    Why.TOO_FEW_CASES: lambda _: "; the rule non_inferior needs at least 20 cases",
    Why.NON_INFERIOR: lambda d: f"{_bound(d)}: not worse than allowed",
    Why.BELOW_MARGIN: lambda d: f"{_bound(d)}: worse than allowed",
    Why.MARGIN_NOT_EXCLUDED: lambda d: f"{_bound(d)}: a drop beyond the tolerance is not excluded",
}
