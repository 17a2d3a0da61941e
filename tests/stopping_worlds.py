"""Random small suites, judged in full and watched until they stop: what may never differ is the verdict."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gate_world import PIN, Sample, given, spec

from pytest_promptgate.core.gate import MOST_LOST, Course, GateInput
from pytest_promptgate.core.judgement import conclude
from pytest_promptgate.core.plan import Plan
from pytest_promptgate.core.types import (
    Errored,
    GatePolicy,
    MetricGate,
    Outcome,
    Result,
    Score,
    Tolerance,
    Unscored,
    Verdict,
)
from pytest_promptgate.core.weighing import weigh
from pytest_promptgate.workflows.watch import Watch

RULES = ("strict", "strict", "significant", "significant", "confirm", "non_inferior")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What became of one run in one order."""

    used: float  # share of the trials that were asked
    stopped: bool
    why: str  # of the verdict, if it stopped
    full: Verdict  # of the same answers, had all been asked

    @property
    def same(self) -> bool:
        """Whether the stop, if there was one, said what the full run says."""
        return not self.stopped or (self.full.red and self.full.outcome is Outcome.REGRESSED)


def world(chance: random.Random, *, rule: str = "", most: int = 14) -> GateInput:
    """A random suite, with its baseline and all answers of its run."""
    rule = rule or chance.choice(RULES)
    n = chance.randint(60, 80) if chance.random() < 0.05 else chance.randint(3, most)
    samples, stored = chance.choice([1, 1, 2, 5]), chance.choice([1, 1, 3])
    binary, lower = chance.random() < 0.6, chance.random() < 0.25
    rates = [chance.random() ** 0.5 for _ in range(n)]
    drop = chance.choice([0.0, 0.1, 0.4, 0.9])
    sign = -1 if lower else 1

    def answer(rate: float) -> float:
        level = min(1.0, max(0.0, rate))
        return float(chance.random() < level) if binary else round(chance.random() * level, 2)

    before: dict[str, list[Sample]] = {f"c-{at}": [answer(rates[at]) for _ in range(stored)] for at in range(n)}
    after: dict[str, list[Sample]] = {
        f"c-{at}": [answer(rates[at] - sign * drop) for _ in range(samples)] for at in range(n)
    }
    _spoil(chance, before, after, samples)
    metric = spec(chance.choice(["mean(queue)", "mean(queue)", "rate(queue)", "total(queue)"]), lower=lower)
    tolerance = chance.choice([Tolerance(), Tolerance(amount=0.05), Tolerance(amount=0.1, relative=True)])
    floor = chance.choice([None, None, None, 0.5, 0.9])
    made = given(before, after, metric=metric, gate=MetricGate(tolerance=tolerance, floor=floor))
    policy = GatePolicy(
        max_drop=chance.choice([None, 0.1, 0.3]),
        early_stop=chance.choice([None, "e"]) if rule == "significant" else None,
    )
    return replace(
        made, suite=replace(made.suite, rule=rule, policy=policy), course=Course(family=chance.randint(1, 4))
    )


def _spoil(
    chance: random.Random, before: dict[str, list[Sample]], after: dict[str, list[Sample]], samples: int
) -> None:
    """Cases that only one side has, and in long runs a trial without a score."""
    if chance.random() < 0.2:
        del before[chance.choice([*before])]
    if chance.random() < 0.1:
        before["gone"] = [1.0]
    if len(after) * samples >= 1 / MOST_LOST:
        lost = chance.choice([*after])
        blank: list[Sample] = [Unscored(reason="cannot tell"), Errored(message="failed")]
        after[lost] = [chance.choice(blank), *after[lost][1:]]


def watched(full: GateInput, order: Sequence[Result] | None = None) -> Stop:
    """Watch one run until it stops; `order` of the answers: None for that of the watch."""
    metric = full.suite.metrics[0].name
    plan = Plan(suite=full.suite, slot="default", pin=PIN, trials=tuple(each.trial for each in full.results))
    watch = Watch(plan, replace(full, results=()), metrics=frozenset({metric}), must_pass=frozenset())
    ranks = watch.ranks
    coming = sorted(full.results, key=lambda each: ranks[each.trial.case.id]) if order is None else order
    asked = 0
    while asked < len(coming) and watch.stopped is None:
        watch.see(coming[asked])
        asked += 1
    verdict = conclude([weigh(full)])[0][0]
    why = watch.stopped.certain[metric] if watch.stopped else ""
    return Stop(used=asked / len(coming), stopped=watch.stopped is not None, why=why, full=verdict)


def in_two_orders(full: GateInput, chance: random.Random) -> tuple[Stop, Stop]:
    """The order of the watch, and a random one."""
    return watched(full), watched(full, chance.sample(list(full.results), len(full.results)))


def is_lossless(full: GateInput) -> bool:
    """Whether every trial of the run has a score."""
    return all(isinstance(grade, Score) for each in full.results for grade in each.observation.grades.values())
