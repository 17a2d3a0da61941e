"""What differs between a suite and its baseline, apart from the answers; and what the suite no longer promises."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import DATASET
from pytest_promptgate.core.fingerprint import canonical
from pytest_promptgate.core.types import Differences, Direction, Outcome, Score, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_promptgate.core.types import (
        Baseline,
        CaseRecord,
        Contract,
        Json,
        Message,
        MetricGate,
        ModelPin,
        PromptVersion,
        Suite,
        Tolerance,
    )

CONTRACT = "(contract)"  # metric name of the verdict on loosened promises; no suite can name a metric so
MOST_LOST = 0.10  # share of the baseline's cases that may be edited without anybody's word
NAMED = 10  # case ids in one sentence
CONTEXT = 2  # unchanged lines around each change of the prompt


def differences(suite: Suite, pin: ModelPin, baseline: Baseline | None) -> Differences:
    """Compare a suite, as it is now, with what its baseline was written from.

    Args:
        pin: What runs in the baseline's slot now; it may differ from the suite's own (``--prompt-model``).
        baseline: None if there is none: then nothing differs.
    """
    if baseline is None:
        return Differences()
    rows = {case.id: case.digest for case in suite.cases}
    before = baseline.cases
    removed = tuple(sorted(before.keys() - rows.keys()))
    same_prompt = suite.prompt.digest == baseline.prompt_digest
    return Differences(
        prompt="" if same_prompt else _step(baseline.prompt, suite.prompt),
        prompt_diff=() if same_prompt else prompt_diff(baseline, suite.prompt),
        model="" if str(pin) == str(baseline.pin) else f"{baseline.pin} -> {pin}",
        parameters=tuple(_parameters(baseline.pin.parameters, pin.parameters)),
        scorers=tuple(sorted(_changed_scorers(suite, baseline))),
        added=tuple(sorted(rows.keys() - before.keys())),
        removed=removed,
        passing=tuple(name for name in removed if used_to_pass(before[name])),
        edited=tuple(sorted(name for name in rows.keys() & before.keys() if rows[name] != before[name].row)),
        loosened=tuple(loosened(suite, baseline.contract)),
    )


def prompt_diff(baseline: Baseline, prompt: PromptVersion) -> tuple[str, ...]:
    """Unified diff of the templates, each message under its role; empty if the baseline's are not at hand."""
    if not baseline.messages:
        return ()
    return tuple(
        difflib.unified_diff(
            _lines(baseline.messages),
            _lines(prompt.messages),
            fromfile=baseline.prompt,
            tofile=prompt.label,
            lineterm="",
            n=CONTEXT,
        )
    )


def loosened(suite: Suite, contract: Contract) -> Iterator[str]:
    """Tell, a sentence each, what the suite promised when its baseline was written and no longer does (DECISIONS 2)."""
    if contract.rule != suite.rule and suite.rule != "strict":
        yield f"the rule was {contract.rule}, and is {suite.rule} now"
    if suite.samples < contract.samples:
        yield f"samples were {contract.samples}, and are {suite.samples} now"
    directions = {spec.name: spec.direction for spec in suite.metrics}
    for name, recorded in sorted(contract.gates.items()):
        if not recorded.gated:
            continue
        if name not in directions:
            yield f"the gate on {name} is gone"
        else:
            yield from _loosened_gate(name, recorded, suite.gates[name], directions[name])
    kept = frozenset().union(*(rule.cases for rule in suite.must_pass))
    lost = sorted(set(contract.must_pass) - kept)
    if lost:
        yield f"no longer must pass: {', '.join(lost)}"


def used_to_pass(record: CaseRecord) -> bool:
    """Whether every score of every sample was full."""
    grades = [grade for each in record.observations for grade in each.grades.values()]
    return bool(grades) and all(isinstance(grade, Score) and grade.value >= 1 for grade in grades)


def lost_verdict(suite: Suite, baseline: Baseline) -> Verdict | None:
    """The red verdict on recorded cases that are gone, or edited in such numbers that too few are left; None if not."""
    rows, before = {case.id: case.digest for case in suite.cases}, baseline.cases
    removed = sorted(before.keys() - rows.keys())
    edited = [name for name in before.keys() & rows.keys() if rows[name] != before[name].row]
    told = [_removed(removed, [name for name in removed if used_to_pass(before[name])])] if removed else []
    if len(removed) + len(edited) > MOST_LOST * len(before):
        told.append(f"{len(removed) + len(edited)} of {len(before)} are gone or edited, more than 10 %")
    if not told:
        return None
    return Verdict(
        metric=DATASET,
        outcome=Outcome.INCONCLUSIVE,
        reason=f"the dataset has changed: {'; '.join(told)}",
        gated=True,
        red=True,
        baseline=None,
        current=None,
    )


def _removed(removed: Sequence[str], passing: Sequence[str]) -> str:
    # Deleting a case that used to pass can hide a regression.
    note = f"used to pass: {_named(passing)}" if passing else "none of them used to pass"
    return f"{len(removed)} recorded case{'s are' if len(removed) > 1 else ' is'} gone: {_named(removed)} ({note})"


def promises(suite: Suite, baseline: Baseline | None) -> tuple[Verdict, ...]:
    """The red verdicts that are known before anything is asked: loosened promises, and a dataset that lost cases."""
    if baseline is None:
        return ()
    found = (loosened_verdict([*loosened(suite, baseline.contract)]), lost_verdict(suite, baseline))
    return tuple(each for each in found if each is not None)


def loosened_verdict(sentences: Sequence[str]) -> Verdict | None:
    """The red verdict on loosened promises; None if there are none."""
    if not sentences:
        return None
    return Verdict(
        metric=CONTRACT,
        outcome=Outcome.INCOMPARABLE,
        reason=f"the suite promises less than its baseline: {'; '.join(sentences)}",
        gated=True,
        red=True,
        baseline=None,
        current=None,
    )


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


def _named(ids: Sequence[str]) -> str:
    return f"{', '.join(ids[:NAMED])}{f' … and {len(ids) - NAMED} more' if len(ids) > NAMED else ''}"


def _is_wider(before: Tolerance, now: Tolerance) -> bool:
    """Whether `now` may allow more; a share and an amount cannot be ranked, so any such change counts."""
    if before.relative is not now.relative:
        return now.amount > 0
    return now.amount > before.amount


def _changed_scorers(suite: Suite, baseline: Baseline) -> Iterator[str]:
    now = {bound.name: bound.fingerprint for bound in suite.scorers}
    return (name for name in now.keys() | baseline.scorers.keys() if now.get(name) != baseline.scorers.get(name))


def _step(before: str, prompt: PromptVersion) -> str:
    """``v2 -> v3``; whole labels if the prompt has another name."""
    if before == prompt.label:
        return f"{prompt.label}, edited in place"
    name, _, version = before.rpartition("@")
    return f"{version} -> {prompt.version}" if name == prompt.name else f"{before} -> {prompt.label}"


def _lines(messages: Sequence[Message]) -> list[str]:
    return [line for each in messages for line in (f"{each.role}:", *each.content.splitlines())]


def _parameters(before: Mapping[str, Json], now: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        old, new = (canonical(each[name]) if name in each else "unset" for each in (before, now))
        if old != new:
            yield f"{name}: {old} -> {new}"
