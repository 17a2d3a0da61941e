"""The rule ``confirm``, stage 2: prompts asked again on the cases that moved (GATE §4, §6, DECISIONS 5, 9).

Production, and the anchor where it is in question, are rebuilt from what their baselines recorded: template, pin,
parameters, inputs and constants. They count only if their requests have the recorded digests; otherwise the reason
why not is told, and they are not asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import baseline_digest, candidate_fingerprint, records_digest
from pytest_promptgate.core.confirmation import Arm, retrial
from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.plan import Plan, plan
from pytest_promptgate.core.targets import TARGET
from pytest_promptgate.errors import PromptGateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_promptgate.core.arms import Arms
    from pytest_promptgate.core.confirmation import Retrial
    from pytest_promptgate.core.ports import Renderer
    from pytest_promptgate.core.types import Anchor, Baseline, CaseRecord, ModelPin, Recipe, Suite

_ORDER = (Arm.CANDIDATE, Arm.PRODUCTION, Arm.ANCHOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A prompt of before, and the metrics that came out lower than with it."""

    arm: Arm  # production or the anchor
    recipe: Recipe | None
    pin: ModelPin
    cases: Mapping[str, CaseRecord]
    lower: tuple[Arms, ...]  # at least one, for `retest`

    @classmethod
    def of(cls, arm: Arm, side: Baseline | Anchor, lower: tuple[Arms, ...]) -> Reference:
        """A baseline, or an anchor."""
        return cls(arm=arm, recipe=side.recipe, pin=side.pin, cases=side.cases, lower=lower)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retest:
    """All arms of stage 2, and the store's round that their answers belong to."""

    retrial: Retrial
    plans: Mapping[Arm, Plan]
    round: str


def retest(
    candidate: Plan,
    baseline: Baseline,
    references: Sequence[Reference],
    *,
    most_calls: int,
    most_samples: int,
    render: Renderer,
) -> tuple[Retest | None, Mapping[Arm, str]]:
    """Plan the retrial; with a sentence for every reference that cannot be asked again.

    The round is named after everything that decides what is asked, so that no other change's samples are reused, and
    an interrupted retrial goes on where it was (DECISIONS 6, 21).

    Args:
        candidate: Of the whole suite.
        baseline: What the run is held against.
        references: What is in doubt; of one suite and slot.
        most_calls: Budget, over all arms.
        most_samples: Fresh samples per case if the budget allows.
        render: Of templates.
    """
    impossible: dict[Arm, str] = {}
    left = [*references]
    while left:
        lower = [arms for each in left for arms in each.lower]
        chosen = retrial(lower, most_calls=most_calls, arms=1 + len(left), most_samples=most_samples)
        found = {each.arm: rebuilt(candidate, each, chosen, render) for each in left}
        failed = {arm: each for arm, each in found.items() if isinstance(each, str)}
        if not failed:
            plans = {arm: each for arm, each in found.items() if isinstance(each, Plan)}
            plans[Arm.CANDIDATE] = _arm(candidate.suite, candidate, Arm.CANDIDATE, candidate.pin, chosen, render)
            return Retest(retrial=chosen, plans=plans, round=_round(candidate, baseline, chosen, plans)), impossible
        impossible |= failed
        left = [each for each in left if each.arm not in failed]
    return None, impossible


def rebuilt(candidate: Plan, reference: Reference, chosen: Retrial, render: Renderer) -> Plan | str:
    """The plan of a prompt of before on the chosen cases, or a sentence that says why it cannot be asked again.

    Its ordinals are those of no trial of `candidate`, so that equal requests of both have answers of their own.
    """
    name, recipe = reference.arm, reference.recipe
    if reference.pin.provider == TARGET:
        return f"{_named(name)} cannot be re-asked: it was a target, and no lockfile holds its code"
    if recipe is None:
        return f"{_named(name)} cannot be re-asked: its prompt is not recorded beside the lockfile"
    suite = replace(candidate.suite, prompt=recipe.prompt, inputs=recipe.inputs, constants=recipe.constants)
    known = replace(chosen, cases=tuple(case for case in chosen.cases if case in reference.cases))
    try:
        found = _arm(suite, candidate, name, reference.pin, known, render)
    except PromptGateError as error:
        return f"{_named(name)} cannot be re-asked: {error.what}"
    if any(trial.digest != reference.cases[trial.case.id].request for trial in found.trials):
        return f"{_named(name)} cannot be re-asked: its recorded prompt no longer gives the recorded requests"
    return found


def _named(arm: Arm) -> str:
    return "the anchor" if arm is Arm.ANCHOR else str(arm)


def _arm(suite: Suite, candidate: Plan, arm: Arm, pin: ModelPin, chosen: Retrial, render: Renderer) -> Plan:
    wanted, slot = set(chosen.cases), f"{candidate.slot} ({arm})"
    cases = tuple(case for case in suite.cases if case.id in wanted)
    part = plan(replace(suite, cases=cases, samples=chosen.samples, slots={slot: pin}), slot, render=render)
    # Arms may send the same requests, as when only a scorer has changed: each has answers of its own all the same.
    first = _ORDER.index(arm) * len(candidate.suite.cases) * chosen.samples
    return replace(part, trials=tuple(replace(each, ordinal=first + each.ordinal) for each in part.trials))


def _round(candidate: Plan, baseline: Baseline, chosen: Retrial, plans: Mapping[Arm, Plan]) -> str:
    anchor = baseline.anchor if Arm.ANCHOR in plans else None
    since = None if anchor is None else (anchor.prompt_digest, records_digest(anchor.cases))
    whole = (baseline_digest(baseline), since, candidate.slot, candidate_fingerprint(candidate), chosen.cases)
    return f"confirm-{digest((*whole, chosen.samples, sorted(plans)))}"
