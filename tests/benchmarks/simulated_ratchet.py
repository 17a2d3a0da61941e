"""Fifty pull requests in a row: does the gate block good ones, and does it let small losses add up?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pytest_promptgate.core.arms import Side
from pytest_promptgate.core.confirmation import default_calls, retrial
from pytest_promptgate.core.decision import Policy, Question, Why, decide_all
from pytest_promptgate.core.types import Outcome

from .gate_runs import fresh
from .populations import Change, Rates, answers, arms, population

CASES, CHANGES = 120, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a repository is gated."""

    name: str
    rule: str
    samples: int = 1
    anchor: int = 0  # samples per case of the anchor; 0: there is none


RULES = (
    Rule(name="strict, 1 sample", rule="strict"),
    Rule(name="significant, last only", rule="significant", samples=5),
    Rule(name="significant + anchor(15)", rule="significant", samples=5, anchor=15),
    Rule(name="confirm, last only", rule="confirm"),
    Rule(name="confirm + anchor", rule="confirm", anchor=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The main branch: production's true rates, its stored answers, and the anchor's."""

    rates: Rates
    stored: Side
    anchor_rates: Rates
    anchor: Side | None


def history(rule: Rule, change: Change, chance: np.random.Generator) -> tuple[float, float]:
    """Share of changes that were blocked, and how far the true mean moved in the end."""
    rates = population(CASES, chance)
    state = State(
        rates=rates,
        stored=answers(rates, rule.samples, chance),
        anchor_rates=rates,
        anchor=answers(rates, rule.anchor, chance) if rule.anchor else None,
    )
    blocked = 0
    for _ in range(CHANGES):
        candidate = change(state.rates, chance)
        after = answers(candidate, rule.samples, chance)
        if passes(rule, state, candidate, after, chance):
            state = replace(state, rates=candidate, stored=after)
        else:
            blocked += 1
    return blocked / CHANGES, float(state.rates.mean() - rates.mean())


def passes(rule: Rule, state: State, candidate: Rates, after: Side, chance: np.random.Generator) -> bool:
    """Whether the gate lets a change in: the baseline's question and, if the change lowers, the anchor's."""
    policy = Policy(rule=rule.rule)
    baseline = Question(arms=arms(state.stored, after), policy=policy)
    questions, truths = [baseline], [state.rates]
    if state.anchor is not None and baseline.arms.gain < 0:
        questions.append(Question(arms=arms(state.anchor, after), policy=policy))
        truths.append(state.anchor_rates)
    found = decide_all(questions)
    if rule.rule == "confirm" and found[0].why is Why.UNCONFIRMED:
        waiting = [at for at, each in enumerate(found) if each.why is Why.UNCONFIRMED]
        asked = retrial([questions[at].arms for at in waiting], most_calls=default_calls(CASES), arms=1 + len(waiting))
        for at in waiting:
            questions[at] = replace(questions[at], fresh=fresh(asked, truths[at], candidate, chance))
        found = decide_all(questions)
    # The anchor blocks only by a rejection; that it cannot be judged is no fault of this change.
    return not found[0].fails and all(each.outcome is not Outcome.REGRESSED for each in found[1:])
