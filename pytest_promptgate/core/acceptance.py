"""Acceptances: what somebody let pass, why, and for which one step it counts (DECISIONS 1, 2, 17).

A step leads from one baseline (`baseline_digest`) to one candidate (`candidate_fingerprint`): prompt, model, scorers,
rows and promises, but not its answers, since those differ from run to run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_promptgate.core.contract import contract_of
from pytest_promptgate.core.fingerprint import digest
from pytest_promptgate.core.types import Acceptance, AcceptanceKind, Direction, Outcome, Score, Unscored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_promptgate.core.plan import Plan
    from pytest_promptgate.core.types import (
        Baseline,
        CaseRecord,
        Contract,
        Grade,
        Json,
        ModelPin,
        Observation,
        Verdict,
    )

ANY = "*"
# Names of verdicts on no metric; no suite can name a metric so.
DATASET = "(dataset)"  # cases are gone, or too many were edited
STALE = "(baseline)"  # the work tree's lockfile lags behind the prompts it will stand for

# What --accept-regression may wave through. Cases that failed are red by themselves, and refuse a baseline.
ACCEPTABLE = frozenset({Outcome.REGRESSED, Outcome.INCONCLUSIVE, Outcome.INCOMPARABLE})


def candidate_fingerprint(plan: Plan) -> str:
    """The identity of what a run measures; that of the baseline which the run may leave is the same."""
    suite = plan.suite
    requests = {trial.case.id: (trial.case.digest, trial.digest) for trial in reversed(plan.trials)}
    scorers = {bound.name: bound.fingerprint for bound in suite.scorers}
    return _fingerprint(suite.prompt.digest, plan.pin, scorers, contract_of(suite), requests)


def recorded_fingerprint(baseline: Baseline) -> str:
    """`candidate_fingerprint` of the run that left `baseline`."""
    requests = {record.id: (record.row, record.request) for record in baseline.cases.values()}
    return _fingerprint(baseline.prompt_digest, baseline.pin, baseline.scorers, baseline.contract, requests)


def baseline_digest(baseline: Baseline) -> str:
    """The identity of a baseline: what it was written from, and every score in it."""
    return digest((recorded_fingerprint(baseline), records_digest(baseline.cases)))


def records_digest(cases: Mapping[str, CaseRecord]) -> str:
    """The identity of what cases were answered and scored, whoever asked."""
    return digest(
        {name: (record.row, [_observed(each) for each in record.observations]) for name, record in cases.items()}
    )


def matching(acceptances: Iterable[Acceptance], baseline: Baseline, plan: Plan) -> tuple[Acceptance, ...]:
    """Those that were given for the step from `baseline` to what `plan` measures."""
    given = tuple(acceptances)
    if not given:
        return ()
    before, after = baseline_digest(baseline), candidate_fingerprint(plan)
    return tuple(each for each in given if (each.before, each.after) == (before, after))


def allows_dataset(acceptances: Iterable[Acceptance]) -> bool:
    """Whether the dataset may have changed as much as it has."""
    return any(each.kind is AcceptanceKind.DATASET for each in acceptances)


def let_pass(verdicts: Sequence[Verdict], acceptances: Sequence[Acceptance]) -> tuple[Verdict, ...]:
    """The verdicts, those that were accepted no longer red; nothing else of them changes."""
    return tuple(_let_pass(each, acceptances) for each in verdicts)


def let_pass_now(*, regression: str | None, dataset: str | None) -> tuple[Acceptance, ...]:
    """What the command line lets pass, whatever the step.

    Args:
        regression: The reason given with ``--accept-regression``; None or "" if it was not.
        dataset: The reason given with ``--accept-dataset-change``.
    """
    given = {AcceptanceKind.REGRESSION: regression, AcceptanceKind.DATASET: dataset}
    return tuple(
        Acceptance(kind=kind, metric=ANY, before="", after="", reason=why) for kind, why in given.items() if why
    )


def carried(old: Baseline | None, new: Baseline, verdicts: Iterable[Verdict]) -> tuple[Acceptance, ...]:
    """What `new` is to record: the acceptances of `old`, which now lead to `new`, and those of this step.

    An acceptance explains how a baseline came to be lower than an earlier one; what replaces that baseline was held
    against it, so the explanation goes on to hold.

    Args:
        old: What `new` replaces.
        new: Of a run with these `verdicts`.
        verdicts: Those that were accepted say why.
    """
    if old is None:
        return ()
    after = recorded_fingerprint(new)
    kept = [replace(each, after=after) for each in old.accepted]
    accepted = [each for each in verdicts if each.accepted]
    before = baseline_digest(old) if accepted else ""
    fresh = [
        Acceptance(
            kind=AcceptanceKind.DATASET if each.metric == DATASET else AcceptanceKind.REGRESSION,
            metric=ANY if each.metric == DATASET else each.metric,
            before=before,
            after=after,
            reason=each.accepted,
        )
        for each in accepted
    ]
    return (*kept, *fresh)


def told(acceptance: Acceptance) -> str:
    """``accuracy: why``; ``dataset: why``."""
    if acceptance.kind is AcceptanceKind.DATASET:
        return f"dataset: {acceptance.reason}"
    return f"{'every metric' if acceptance.metric == ANY else acceptance.metric}: {acceptance.reason}"


def _let_pass(verdict: Verdict, acceptances: Sequence[Acceptance]) -> Verdict:
    # A metric that is a little lower may be red elsewhere, where other answers are drawn: a reason covers that too.
    if not verdict.red and not (verdict.gated and _is_lower(verdict)):
        return verdict
    for each in acceptances:
        if _covers(each, verdict):
            return replace(verdict, red=False, accepted=each.reason)
    return verdict


def _is_lower(verdict: Verdict) -> bool:
    if verdict.outcome is not Outcome.WITHIN_NOISE or verdict.change is None:
        return False
    return verdict.change < 0 if verdict.direction is Direction.HIGHER else verdict.change > 0


def _covers(acceptance: Acceptance, verdict: Verdict) -> bool:
    if acceptance.kind is AcceptanceKind.DATASET:
        return verdict.metric == DATASET
    if verdict.metric in (DATASET, STALE) or verdict.outcome not in {*ACCEPTABLE, Outcome.WITHIN_NOISE}:
        return False
    return acceptance.metric in (ANY, verdict.metric)


def _fingerprint(
    prompt: str,
    pin: ModelPin,
    scorers: Mapping[str, str],
    contract: Contract,
    requests: Mapping[str, tuple[str, str]],
) -> str:
    return digest((prompt, (pin.provider, pin.name, pin.parameters), scorers, _promises(contract), requests))


def _promises(contract: Contract) -> Json:
    gates = {
        name: (
            gate.gated,
            gate.tolerance.relative,
            float(gate.tolerance.amount),
            None if gate.floor is None else float(gate.floor),
        )
        for name, gate in contract.gates.items()
    }
    policy = contract.policy
    numbers: tuple[Json, ...] = (policy.alpha, policy.confirm_samples, policy.confirm_max_calls, policy.max_drop)
    if policy.early_stop or policy.first_round:  # where they are not set, acceptances of before hold
        numbers = (*numbers, policy.early_stop, policy.first_round)
    promised = (contract.rule, contract.samples, contract.metrics, gates, sorted(contract.must_pass))
    slices = ({name: list(cases) for name, cases in contract.slices.items()},) if contract.slices else ()
    return (*promised, contract.must_reach, contract.directions, numbers, *slices)


def _observed(observation: Observation) -> Json:
    tokens = (observation.tokens_in, observation.tokens_out, observation.tokens_cached)
    return (observation.output, tokens, {name: _value(grade) for name, grade in observation.grades.items()})


def _value(grade: Grade) -> Json:
    if isinstance(grade, Score):
        return grade.value + 0.0
    return grade.reason if isinstance(grade, Unscored) else None
