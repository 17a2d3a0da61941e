"""The rule ``confirm``, stage 2: production and candidate asked again on the cases that moved (GATE §4, DECISIONS 5).

Production is rebuilt from what its baseline recorded: template, pin, parameters, inputs and constants. It counts as
production only if its requests have the recorded digests; otherwise the reason why not is told, and nothing is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.acceptance import baseline_digest, candidate_fingerprint
from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.plan import Plan, plan
from pytest_promptgate.errors import PromptGateError

if TYPE_CHECKING:
    from pytest_promptgate.core.confirmation import Retrial
    from pytest_promptgate.core.ports import Renderer
    from pytest_promptgate.core.types import Baseline, ModelPin, Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Retest:
    """Both arms of stage 2, and the store's round that their answers belong to."""

    production: Plan
    candidate: Plan
    round: str

    @property
    def plans(self) -> tuple[Plan, Plan]:
        """Both arms."""
        return self.production, self.candidate


def retest(candidate: Plan, baseline: Baseline, chosen: Retrial, *, render: Renderer) -> Retest | str:
    """Plan the retrial; a sentence if production cannot be asked again.

    The round is named after everything that decides what is asked, so that no other change's samples are reused, and
    an interrupted retrial goes on where it was (DECISIONS 6, 21).
    """
    if baseline.recipe is None:
        return "production cannot be re-asked: its prompt is not recorded beside the lockfile"
    recipe = baseline.recipe
    suite = replace(candidate.suite, prompt=recipe.prompt, inputs=recipe.inputs, constants=recipe.constants)
    try:
        production = _arm(suite, f"{candidate.slot} (production)", baseline.pin, chosen, render)
    except PromptGateError as error:
        return f"production cannot be re-asked: {error.what}"
    if any(trial.digest != baseline.cases[trial.case.id].request for trial in production.trials):
        return "production cannot be re-asked: its recorded prompt no longer gives the recorded requests"
    name = digest((baseline_digest(baseline), candidate_fingerprint(candidate), chosen.cases, chosen.samples))
    again = _arm(candidate.suite, f"{candidate.slot} (candidate)", candidate.pin, chosen, render)
    return Retest(production=production, candidate=again, round=f"confirm-{name}")


def _arm(suite: Suite, slot: str, pin: ModelPin, chosen: Retrial, render: Renderer) -> Plan:
    wanted = set(chosen.cases)
    cases = tuple(case for case in suite.cases if case.id in wanted)
    part = replace(suite, cases=cases, samples=chosen.samples, slots={slot: pin})
    return plan(part, slot, render=render)
