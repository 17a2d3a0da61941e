"""What was accepted, for which step it counts, and what it covers."""

from __future__ import annotations

from dataclasses import replace

import fakes
import pytest
from gate_world import baseline, observations, spec

from pytest_promptgate.core.acceptance import (
    DATASET,
    STALE,
    allows_dataset,
    baseline_digest,
    candidate_fingerprint,
    carried,
    let_pass,
    let_pass_now,
    matching,
    recorded_fingerprint,
    told,
)
from pytest_promptgate.core.contract import contract_of
from pytest_promptgate.core.plan import Plan
from pytest_promptgate.core.types import (
    Acceptance,
    AcceptanceKind,
    Baseline,
    Direction,
    MetricGate,
    MustPass,
    Outcome,
    Tolerance,
    Verdict,
)

BEFORE = baseline(spec(), observations({"a": [1.0], "b": [1.0]}))
AFTER = baseline(spec(), observations({"a": [1.0], "b": [0.0]}))


def acceptance(metric: str = "accuracy", kind: AcceptanceKind = AcceptanceKind.REGRESSION) -> Acceptance:
    return Acceptance(kind=kind, metric=metric, before="", after="", reason="why")


def verdict(outcome: Outcome = Outcome.REGRESSED, metric: str = "accuracy", **changes: object) -> Verdict:
    red = outcome in (Outcome.REGRESSED, Outcome.INCONCLUSIVE, Outcome.INCOMPARABLE)
    found = Verdict(metric=metric, outcome=outcome, reason="", gated=True, red=red, baseline=None, current=None)
    return replace(found, **changes)  # type: ignore[arg-type]


def planned() -> Plan:
    return fakes.planned(fakes.suite([fakes.case("a"), fakes.case("b")]))


def left_by(plan: Plan) -> Baseline:
    """The baseline that a run of `plan` leaves, whatever was answered."""
    cases = {
        trial.case.id: replace(
            next(iter(BEFORE.cases.values())), id=trial.case.id, row=trial.case.digest, request=trial.digest
        )
        for trial in plan.trials
    }
    return replace(
        BEFORE,
        prompt_digest=plan.suite.prompt.digest,
        pin=plan.pin,
        scorers={bound.name: bound.fingerprint for bound in plan.suite.scorers},
        contract=contract_of(plan.suite),
        cases=cases,
    )


def test_a_candidate_has_the_fingerprint_of_the_baseline_it_leaves() -> None:
    assert candidate_fingerprint(planned()) == recorded_fingerprint(left_by(planned()))


def test_the_fingerprint_does_not_depend_on_answers_and_the_digest_does() -> None:
    assert recorded_fingerprint(BEFORE) == recorded_fingerprint(AFTER)
    assert baseline_digest(BEFORE) != baseline_digest(AFTER)


def test_moving_the_file_changes_nothing() -> None:
    moved = replace(BEFORE, contract=replace(BEFORE.contract, path="elsewhere.eval.yaml"))

    assert baseline_digest(moved) == baseline_digest(BEFORE)


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "other"},
        {"samples": 2},
        {"metrics": {"accuracy": "max(queue)"}},
        {"gates": {"accuracy": MetricGate(gated=False)}},
        {"gates": {"accuracy": MetricGate(tolerance=Tolerance(amount=0.1))}},
        {"gates": {"accuracy": MetricGate(floor=0.5)}},
        {"must_pass": ("a",)},
    ],
)
def test_every_promise_is_part_of_the_fingerprint(changes: dict[str, object]) -> None:
    other = replace(BEFORE, contract=replace(BEFORE.contract, **changes))  # type: ignore[arg-type]

    assert recorded_fingerprint(other) != recorded_fingerprint(BEFORE)


def test_it_counts_for_its_own_step_alone() -> None:
    plan = planned()
    given = replace(acceptance(), before=baseline_digest(BEFORE), after=candidate_fingerprint(plan))

    assert matching([given], BEFORE, plan) == (given,)
    assert matching([given], AFTER, plan) == ()
    assert matching([given], BEFORE, fakes.planned(fakes.suite([fakes.case("a")]))) == ()


@pytest.mark.parametrize("metric", ["accuracy", "*"])
@pytest.mark.parametrize("outcome", [Outcome.REGRESSED, Outcome.INCONCLUSIVE, Outcome.INCOMPARABLE])
def test_what_is_accepted_is_no_longer_red_and_says_why(metric: str, outcome: Outcome) -> None:
    (found,) = let_pass([verdict(outcome)], [acceptance(metric)])

    assert (found.red, found.accepted, found.outcome) == (False, "why", outcome)


@pytest.mark.parametrize(
    ("red", "given"),
    [
        (verdict(), acceptance("cost")),
        (verdict(), acceptance("*", AcceptanceKind.DATASET)),
        (verdict(Outcome.INCONCLUSIVE, DATASET), acceptance("*")),
        (verdict(Outcome.INCONCLUSIVE, STALE), acceptance("*")),
        (verdict(Outcome.NEW, red=True), acceptance("*")),
    ],
)
def test_it_covers_nothing_else(red: Verdict, given: Acceptance) -> None:
    assert let_pass([red], [given]) == (red,)


def test_an_accepted_dataset_covers_the_cases_that_are_gone() -> None:
    given = acceptance("*", AcceptanceKind.DATASET)

    assert allows_dataset([given])
    assert not allows_dataset([acceptance("*")])
    assert not let_pass([verdict(Outcome.INCONCLUSIVE, DATASET)], [given])[0].red


@pytest.mark.parametrize(
    ("direction", "change", "accepted"),
    [
        (Direction.HIGHER, -0.1, "why"),
        (Direction.HIGHER, 0.1, ""),
        (Direction.LOWER, 0.1, "why"),
        (Direction.LOWER, 0, ""),
    ],
)
def test_a_metric_that_is_a_little_lower_is_covered_too(direction: Direction, change: float, accepted: str) -> None:
    green = verdict(Outcome.WITHIN_NOISE, change=change, direction=direction)

    assert let_pass([green], [acceptance("*")])[0].accepted == accepted


def test_reasons_of_the_command_line_cover_every_metric() -> None:
    both = let_pass_now(regression="lower", dataset="fewer")

    assert [(each.kind, each.metric, each.reason) for each in both] == [
        ("regression", "*", "lower"),
        ("dataset", "*", "fewer"),
    ]
    assert let_pass_now(regression=None, dataset="") == ()


def test_a_new_baseline_records_what_was_accepted_on_the_way_to_it() -> None:
    found = carried(
        BEFORE, AFTER, [verdict(accepted="harder"), verdict(metric="cost"), verdict(metric=DATASET, accepted="d")]
    )

    step = {"before": baseline_digest(BEFORE), "after": recorded_fingerprint(AFTER)}
    assert found == (
        Acceptance(kind=AcceptanceKind.REGRESSION, metric="accuracy", reason="harder", **step),
        Acceptance(kind=AcceptanceKind.DATASET, metric="*", reason="d", **step),
    )


def test_earlier_acceptances_lead_to_the_new_baseline() -> None:
    earlier = replace(acceptance(), before="b0", after="old")

    assert carried(replace(BEFORE, accepted=(earlier,)), AFTER, []) == (
        replace(earlier, after=recorded_fingerprint(AFTER)),
    )


def test_a_first_baseline_accepts_nothing() -> None:
    assert carried(None, AFTER, [verdict(accepted="why")]) == ()


def test_it_is_told_in_one_line() -> None:
    assert told(acceptance()) == "accuracy: why"
    assert told(acceptance("*")) == "every metric: why"
    assert told(acceptance("*", AcceptanceKind.DATASET)) == "dataset: why"


def test_the_contract_is_what_the_suite_says() -> None:
    rules = (
        MustPass(cases=frozenset({"b"}), scorers=("match",)),
        MustPass(cases=frozenset({"a", "b"}), scorers=("match",)),
    )
    suite = replace(planned().suite, must_pass=rules)

    contract = contract_of(suite)

    assert (contract.path, contract.must_pass) == (suite.path, ("a", "b"))
    assert contract.metrics == {metric.name: metric.expression for metric in suite.metrics}
