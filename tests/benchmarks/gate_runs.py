"""One run of the gate over simulated answers. All decisions are the shipped ones; here is only what a run asks when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_promptgate.core.arms import Arms, Side
from pytest_promptgate.core.confirmation import Retrial, default_calls, retrial
from pytest_promptgate.core.decision import Policy, Question, Why, decide_all

from .populations import Rates, answers, arms, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of a run: what is stored and what the candidate is; a rate per case."""

    production: Rates
    candidate: Rates
    stored: Side
    run: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the gate made of it."""

    fails: bool
    lower: bool  # some metric came out lower
    calls: int  # of both prompts, without those that wrote the baseline


def metric(
    production: Rates, candidate: Rates, chance: np.random.Generator, *, samples: int = 1, stored: int = 1
) -> Metric:
    """Draw the stored and the new answers."""
    before, after = answers(production, stored, chance), answers(candidate, samples, chance)
    return Metric(production=production, candidate=candidate, stored=before, run=after)


def run(rule: str, metrics: Sequence[Metric], chance: np.random.Generator) -> Run:
    """One run of a suite under `rule`."""
    n, samples = len(metrics[0].run), len(metrics[0].run[0])
    questions = [Question(arms=arms(each.stored, each.run), policy=Policy(rule=rule)) for each in metrics]
    found = decide_all(questions)
    lower = any(each.arms.gain < -1e-9 for each in questions)
    calls = n * samples
    if rule == "confirm":
        waiting = [at for at, each in enumerate(found) if each.why is Why.UNCONFIRMED]
        if waiting:
            asked = retrial([questions[at].arms for at in waiting], most_calls=default_calls(n))
            calls += asked.calls()
            found = decide_all(
                [
                    replace(each, fresh=fresh(asked, metrics[at].production, metrics[at].candidate, chance))
                    if at in waiting
                    else each
                    for at, each in enumerate(questions)
                ]
            )
    return Run(fails=any(each.fails for each in found), lower=lower, calls=calls)


def fresh(asked: Retrial, production: Rates, candidate: Rates, chance: np.random.Generator) -> Arms:
    """Both prompts asked again."""
    cases = [int(case) for case in asked.cases]
    before, after = (answers(rates[cases], asked.samples, chance) for rates in (production, candidate))
    return Arms(cases=names(cases), before=before, after=after)
