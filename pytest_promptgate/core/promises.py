"""What a suite promised when its baseline was written, and no longer does: red until it is accepted (DECISIONS 2)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import DATASET
from pytest_promptgate.core.confirmation import default_calls
from pytest_promptgate.core.contract import must_reach, recorded_reach, usual_direction
from pytest_promptgate.core.expressions import parse_expression
from pytest_promptgate.core.types import Direction, Outcome, Score, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_promptgate.core.types import (
        Baseline,
        CaseRecord,
        Contract,
        GatePolicy,
        MetricGate,
        MetricSpec,
        Suite,
        Tolerance,
    )

CONTRACT = "(contract)"  # metric name of the verdict on loosened promises; no suite can name a metric so
MOST_LOST = 0.10  # share of the baseline's cases that may be edited without anybody's word
NAMED = 10  # case ids in one sentence


def promises(suite: Suite, baseline: Baseline | None) -> tuple[Verdict, ...]:
    """The red verdicts that are known before anything is asked: loosened promises, and a dataset that lost cases."""
    if baseline is None:
        return ()
    found = (loosened_verdict([*loosened(suite, baseline)]), lost_verdict(suite, baseline))
    return tuple(each for each in found if each is not None)


def loosened(suite: Suite, baseline: Baseline) -> Iterator[str]:
    """Tell, a sentence each, what the suite promised when its baseline was written and no longer does."""
    contract = baseline.contract
    if contract.rule != suite.rule and suite.rule != "strict":
        yield f"the rule was {contract.rule}, and is {suite.rule} now"
    if suite.rule != "strict":
        yield from _loosened_policy(contract.policy, suite.policy, cases=len(suite.cases))
    if suite.samples < contract.samples:
        yield f"samples were {contract.samples}, and are {suite.samples} now"
    specs = {spec.name: spec for spec in suite.judged}
    for name, recorded in sorted(contract.gates.items()):
        if not recorded.gated:
            continue
        if name not in specs:
            yield f"the gate on {name} is gone"
        else:
            if specs[name].part is None:
                yield from _turned(specs[name], contract)
            yield from _loosened_gate(name, recorded, suite.gates[name], specs[name].direction)
    yield from _relabelled(suite, baseline)
    yield from _loosened_must_pass(suite, baseline)


def loosened_verdict(sentences: Sequence[str]) -> Verdict | None:
    """The red verdict on loosened promises; None if there are none."""
    if not sentences:
        return None
    return _red(CONTRACT, Outcome.INCOMPARABLE, f"the suite promises less than its baseline: {'; '.join(sentences)}")


def lost_verdict(suite: Suite, baseline: Baseline) -> Verdict | None:
    """The red verdict on recorded cases that are gone, or edited in such numbers that too few are left; None if not."""
    rows, before = {case.id: case.digest for case in suite.cases}, baseline.cases
    removed = sorted(before.keys() - rows.keys())
    edited = [name for name in before.keys() & rows.keys() if rows[name] != before[name].row]
    told = [_removed(removed, [name for name in removed if used_to_pass(before[name])])] if removed else []
    if len(removed) + len(edited) > MOST_LOST * len(before):
        told.append(f"{len(removed) + len(edited)} of {len(before)} are gone or edited, more than 10 %")
    return _red(DATASET, Outcome.INCONCLUSIVE, f"the dataset has changed: {'; '.join(told)}") if told else None


def used_to_pass(record: CaseRecord) -> bool:
    """Whether every score of every sample was full."""
    grades = [grade for each in record.observations for grade in each.grades.values()]
    return bool(grades) and all(isinstance(grade, Score) and grade.value >= 1 for grade in grades)


def _red(name: str, outcome: Outcome, reason: str) -> Verdict:
    return Verdict(metric=name, outcome=outcome, reason=reason, gated=True, red=True, baseline=None, current=None)


def _loosened_policy(before: GatePolicy, now: GatePolicy, *, cases: int) -> Iterator[str]:
    if now.alpha < before.alpha:
        yield f"alpha was {before.alpha:g}, and is {now.alpha:g} now"
    if now.confirm_samples < before.confirm_samples:
        yield f"confirm_samples were {before.confirm_samples}, and are {now.confirm_samples} now"
    most = before.confirm_max_calls or default_calls(cases)
    if now.confirm_max_calls is not None and now.confirm_max_calls < most:
        yield f"confirm_max_calls were {most}, and are {now.confirm_max_calls} now"
    if before.max_drop is not None and (now.max_drop is None or now.max_drop > before.max_drop):
        yield f"max_drop was {before.max_drop:g}, and is {'gone' if now.max_drop is None else f'{now.max_drop:g} now'}"
    if now.first_round and not before.first_round:
        yield "first_round was off, and is on now"
    if now.early_stop and not before.early_stop:
        yield f"early_stop was off, and is {now.early_stop} now, which leaves the closing test less of alpha"


def _turned(spec: MetricSpec, contract: Contract) -> Iterator[str]:
    recorded = parse_expression(contract.metrics[spec.name]) if spec.name in contract.metrics else spec
    before = contract.directions.get(spec.name, usual_direction(recorded.source))
    if before is not spec.direction:
        yield f"{spec.name} was better when {before}, and is better when {spec.direction} now"


def _loosened_gate(name: str, before: MetricGate, now: MetricGate, direction: Direction) -> Iterator[str]:
    if not now.gated:
        yield f"{name} was gated, and is only shown now"
        return
    if _is_wider(before.tolerance, now.tolerance):
        yield f"the tolerance of {name} was {before.tolerance}, and is {now.tolerance} now"
    if before.floor is None:
        return
    word, sign = ("floor", 1) if direction is Direction.HIGHER else ("ceiling", -1)
    if now.floor is None:
        yield f"the {word} of {name} was {before.floor:g}, and is gone"
    elif sign * now.floor < sign * before.floor:
        yield f"the {word} of {name} was {before.floor:g}, and is {now.floor:g} now"


def _relabelled(suite: Suite, baseline: Baseline) -> Iterator[str]:
    """Cases that are as they were, and whose gated slice no longer has them; edited ones are told as such."""
    now = {spec.part.name: spec.part.cases for spec in suite.parts if spec.part}
    rows = {case.id: case.digest for case in suite.cases}
    kept = {case for case, record in baseline.cases.items() if rows.get(case) == record.row}
    for name, before in sorted(baseline.contract.slices.items()):
        left = [case for case in before if name in now and case in kept and case not in now[name]]
        if left:
            yield f"{_named(left)} left the gated slice {name}"


def _is_wider(before: Tolerance, now: Tolerance) -> bool:
    """Whether `now` may allow more; a share and an amount cannot be ranked, so any such change counts."""
    if before.relative is not now.relative:
        return now.amount > 0
    return now.amount > before.amount


def _loosened_must_pass(suite: Suite, baseline: Baseline) -> Iterator[str]:
    before, now = recorded_reach(baseline), must_reach(suite)
    lost = sorted(before.keys() - now.keys())
    if lost:
        yield f"no longer must pass: {', '.join(lost)}"
    changed: defaultdict[str, list[str]] = defaultdict(list)
    for case in sorted(before.keys() & now.keys()):
        for scorer, reach in sorted(before[case].items()):
            if scorer not in now[case]:
                changed[f"need not pass {scorer} any more"].append(case)
            elif now[case][scorer] < reach:
                changed[f"had to reach {reach:g} in {scorer}, and {now[case][scorer]:g} now"].append(case)
    yield from (f"{_named(cases)} {what}" for what, cases in changed.items())


def _removed(removed: Sequence[str], passing: Sequence[str]) -> str:
    # Deleting a case that used to pass can hide a regression.
    note = f"used to pass: {_named(passing)}" if passing else "none of them used to pass"
    return f"{len(removed)} recorded case{'s are' if len(removed) > 1 else ' is'} gone: {_named(removed)} ({note})"


def _named(ids: Sequence[str]) -> str:
    return f"{', '.join(ids[:NAMED])}{f' … and {len(ids) - NAMED} more' if len(ids) > NAMED else ''}"
