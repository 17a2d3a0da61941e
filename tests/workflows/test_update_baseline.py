"""Which runs may write a baseline, what they write, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fakes
import pytest
from made_baselines import made_baseline, made_case, made_contract

from pytest_promptgate.core.fingerprint import output_digest
from pytest_promptgate.core.types import (
    Books,
    Completion,
    Differences,
    Direction,
    Errored,
    MetricGate,
    ModelPin,
    MustPass,
    Observation,
    Origin,
    Outcome,
    Report,
    Result,
    Score,
    Skipped,
    Suite,
    Tolerance,
    Trial,
    Unmeasured,
    Unscored,
    Verdict,
)
from pytest_promptgate.workflows.update_baseline import baseline_of, lockfile_diff, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.types import Baseline, Grade

GOOD = Score(value=1.0)


def a_suite(size: int = 4, **changes: Any) -> Suite:
    return replace(
        fakes.suite([fakes.case(f"t-{n:03}") for n in range(size)], samples=changes.pop("samples", 1)), **changes
    )


def result(trial: Trial, grade: Grade = GOOD, *, origin: Origin = Origin.ASKED, text: str | None = None) -> Result:
    answer = None if origin is Origin.UNCHANGED else Completion(text=trial.case.id if text is None else text)
    seen = Observation(
        case=trial.case.id,
        sample=trial.sample,
        grades={"match": grade},
        output=output_digest(answer or Completion(text=trial.case.id)),
    )
    return Result(trial=trial, origin=origin, completion=answer, observation=seen)


def a_report(suite: Suite | None = None, grades: Mapping[str, Grade] = {}, **changes: Any) -> Report:
    """A complete run of `suite` in which every case scored 1.0, except those in `grades`."""
    planned = fakes.planned(suite or a_suite())
    facts: dict[str, Any] = {
        "suite": planned.suite,
        "slot": "default",
        "pin": planned.pin,
        "results": tuple(result(trial, grades.get(trial.case.id, GOOD)) for trial in planned.trials),
        "measurements": (),
        "verdicts": (),
        "differences": Differences(),
        "baseline": None,
    }
    return Report(**{**facts, **changes})


def verdict(outcome: Outcome, *, metric: str = "accuracy", red: bool = True) -> Verdict:
    return Verdict(metric=metric, outcome=outcome, reason="because", gated=True, red=red, baseline=None, current=None)


# --- refusal ---------------------------------------------------------------------------------------------------------


def test_a_complete_green_run_may_write() -> None:
    assert refusal(a_report(verdicts=(verdict(Outcome.IMPROVED, red=False),))) == ""


def test_a_gate_that_is_red_for_the_want_of_a_baseline_does_not_refuse() -> None:
    assert refusal(a_report(verdicts=(verdict(Outcome.NEW),))) == ""


def test_a_partial_run_is_refused() -> None:
    assert refusal(a_report(partial="12 of 60 cases selected")) == "the run is not complete: 12 of 60 cases selected"


def test_a_run_that_lacks_results_is_refused() -> None:
    report = a_report()

    assert refusal(replace(report, results=report.results[1:])) == (
        "the run is not complete: 3 of 4 trials have a result"
    )


@pytest.mark.parametrize(
    "grade", [Errored(message="connection refused\n  Is it up?"), Skipped(reason="connection refused")]
)
def test_a_trial_that_failed_or_was_not_asked_is_refused(grade: Grade) -> None:
    assert refusal(a_report(grades={"t-001": grade, "t-003": grade})) == (
        "2 of 4 trials failed or were not asked, first t-001: connection refused"
    )


def test_a_trial_without_any_score_is_refused() -> None:
    report = a_report()
    bare = replace(report.results[0], observation=replace(report.results[0].observation, grades={}))

    assert refusal(replace(report, results=(bare, *report.results[1:]))) == (
        "1 of 4 trials failed or were not asked, first t-000: it has no scores"
    )


def test_two_percent_may_be_unscored_and_no_more() -> None:
    unscored = Unscored(reason="refused")

    assert refusal(a_report(a_suite(100), {"t-001": unscored, "t-002": unscored})) == ""
    assert refusal(a_report(a_suite(100), {"t-001": unscored, "t-002": unscored, "t-003": unscored})) == (
        "match could not score 3 of 100 trials, and at most 2% may be so"
    )


def test_a_scorer_that_scored_nothing_is_refused() -> None:
    assert refusal(a_report(grades={f"t-{n:03}": Unscored(reason="?") for n in range(4)})) == "match scored nothing"


def test_a_gated_metric_that_was_not_measured_is_refused() -> None:
    lost = Unmeasured(metric="accuracy", reason="no price", books=Books(unscored=4), direction=Direction.HIGHER)
    shown = a_suite(gates={"accuracy": MetricGate(gated=False)})

    assert refusal(a_report(measurements=(lost,))) == "accuracy was not measured: no price"
    assert refusal(a_report(shown, measurements=(lost,))) == ""


@pytest.mark.parametrize("outcome", [Outcome.REGRESSED, Outcome.INCONCLUSIVE, Outcome.INCOMPARABLE])
def test_a_red_gate_is_refused_unless_its_regression_is_accepted(outcome: Outcome) -> None:
    report = a_report(verdicts=(verdict(outcome), verdict(Outcome.UNCHANGED, red=False)))

    assert refusal(report) == f"accuracy is {outcome} (because)"
    assert refusal(report, accept="") == refusal(report)
    assert refusal(report, accept="the new queue is harder") == ""


def test_many_red_gates_are_counted() -> None:
    red = tuple(verdict(Outcome.REGRESSED, metric=f"m{n}") for n in range(5))

    assert refusal(a_report(verdicts=red)) == (
        "m0 is regressed (because), m1 is regressed (because), m2 is regressed (because) … and 2 more"
    )


def test_a_must_pass_case_that_failed_is_refused_unless_accepted() -> None:
    suite = a_suite(must_pass=(MustPass(cases=frozenset({"t-001", "t-002"}), scorers=("match",)),))
    report = a_report(suite, {"t-000": Score(value=0.0), "t-002": Score(value=0.9)})

    assert refusal(report) == "must_pass failed: t-002"
    assert refusal(report, accept="known") == ""


def test_an_accepted_regression_does_not_excuse_a_failed_call() -> None:
    report = a_report(grades={"t-001": Errored(message="down")}, verdicts=(verdict(Outcome.REGRESSED),))

    assert refusal(report, accept="known") == "1 of 4 trials failed or were not asked, first t-001: down"


def test_several_reasons_are_told_together() -> None:
    report = a_report(grades={"t-001": Errored(message="down"), "t-002": Unscored(reason="?")})

    assert refusal(report) == (
        "1 of 4 trials failed or were not asked, first t-001: down; "
        "match could not score 1 of 4 trials, and at most 2% may be so"
    )


# --- the baseline ----------------------------------------------------------------------------------------------------


def test_a_baseline_holds_what_the_run_promised_and_found() -> None:
    suite = a_suite(
        2, must_pass=(MustPass(cases=frozenset({"t-001", "t-000"}), scorers=("match",)),), constants={"company": "Acme"}
    )
    report = a_report(suite, {"t-001": Score(value=0.5)})
    baseline = baseline_of(report)

    assert (baseline.suite, baseline.slot, baseline.prompt) == ("fake", "default", "fake@v1")
    assert (baseline.prompt_digest, baseline.pin, baseline.scorers) == ("{text}", fakes.PIN, {"match": "match"})
    assert baseline.contract == made_contract(
        path="evals/fake.eval.yaml",
        metrics={"accuracy": "mean(match)"},
        gates={"accuracy": MetricGate()},
        must_pass=("t-000", "t-001"),
    )
    record = baseline.cases["t-001"]
    trial = report.results[1].trial
    assert (record.row, record.request) == (trial.case.digest, trial.digest)
    assert record.observations == (report.results[1].observation,)
    assert baseline.outputs == {("t-000", 1): Completion(text="t-000"), ("t-001", 1): Completion(text="t-001")}
    assert baseline.recipe is not None
    assert (baseline.recipe.constants, baseline.recipe.prompt.path) == ({"company": "Acme"}, "")
    assert baseline.messages == suite.prompt.messages == baseline.recipe.prompt.messages


def test_the_order_of_results_does_not_matter() -> None:
    report = a_report(a_suite(samples=3))
    baseline = baseline_of(replace(report, results=report.results[::-1]))

    assert {case: [each.sample for each in record.observations] for case, record in baseline.cases.items()} == {
        f"t-{n:03}": [1, 2, 3] for n in range(4)
    }
    assert baseline == baseline_of(report)


def test_unchanged_trials_carry_their_line_and_their_output_over() -> None:
    first = baseline_of(a_report())
    planned = fakes.planned(a_suite())
    results = tuple(result(trial, origin=Origin.UNCHANGED) for trial in planned.trials)

    assert baseline_of(a_report(results=results, baseline=first)) == first


def test_a_suite_without_outputs_keeps_none() -> None:
    baseline = baseline_of(a_report(a_suite(outputs=False)))

    assert not baseline.outputs
    assert baseline.recipe is not None


def test_grades_of_scorers_that_the_suite_has_no_more_are_dropped() -> None:
    report = a_report()
    first = report.results[0]
    grades = {"match": GOOD, "old": Score(value=0.0)}
    old = replace(first, observation=replace(first.observation, grades=grades))

    baseline = baseline_of(replace(report, results=(old, *report.results[1:])))
    assert baseline.cases["t-000"].observations[0].grades == {"match": GOOD}


def test_the_slots_own_pin_stands_in_the_recipe() -> None:
    pin = ModelPin(provider="fake", name="other")
    recipe = baseline_of(a_report(pin=pin)).recipe

    assert recipe is not None
    assert recipe.prompt.pin == pin


# --- the diff --------------------------------------------------------------------------------------------------------


def four_cases(**changes: Any) -> Baseline:
    cases = [made_case(f"t-{n:03}", {"queue": Score(value=float(n > 0))}) for n in range(4)]
    return made_baseline(cases, **changes)


def test_equal_baselines_have_no_diff() -> None:
    assert lockfile_diff(four_cases(), four_cases()) == ()


def test_a_first_baseline_tells_its_metrics() -> None:
    assert lockfile_diff(None, four_cases()) == (
        "new baseline: support-triage@v3 on openai/gpt-4o-2024-11-20, 4 cases",
        "accuracy: 0.75 (n=4)",
    )


def test_a_diff_tells_metrics_sources_and_cases() -> None:
    old = four_cases()
    new = made_baseline(
        [
            made_case("t-000", {"queue": Score(value=1.0)}),
            made_case("t-001", {"queue": Score(value=1.0)}, texts=["other"]),
            made_case("t-002", {"queue": Unscored(reason="?")}, row="r2"),
            made_case("t-004", {"queue": Score(value=1.0)}),
        ],
        prompt="support-triage@v4",
        prompt_digest="d4",
        pin=ModelPin(provider="openai", name="gpt-5-2025-08-07", parameters={"seed": 7}),
        scorers={"queue": "another", "tone": "new"},
    )

    assert lockfile_diff(old, new) == (
        "accuracy: 0.75 (n=4) -> 1 (n=3, 1 unscored)",
        "prompt: support-triage@v3 -> support-triage@v4",
        "model: openai/gpt-4o-2024-11-20 -> openai/gpt-5-2025-08-07",
        "parameter seed: not set -> 7",
        "parameter temperature: 0 -> not set",
        "scorer queue: changed",
        "scorer tone: new",
        "1 case added: t-004",
        "1 case removed: t-003",
        "1 case edited: t-002",
        "1 case scored otherwise: t-000 (queue 0 -> 1)",
        "1 case answered otherwise with the same scores: t-001",
    )


def test_a_diff_tells_what_the_suite_promises_otherwise() -> None:
    old = four_cases(scorers={"queue": "f", "tone": "g"})
    contract = made_contract(
        rule="confirm",
        samples=3,
        path="evals/moved.eval.yaml",
        metrics={"accuracy": "rate(queue)", "lowest": "min(queue)"},
        gates={"accuracy": MetricGate(gated=False, floor=0.5)},
        must_pass=("t-001",),
    )
    new = replace(four_cases(), contract=contract, prompt_digest="edited")

    assert lockfile_diff(old, new) == (
        "lowest: new, 0 (n=4)",
        "accuracy: measured as mean(queue) -> rate(queue)",
        "prompt: support-triage@v3 was edited in place",
        "scorer queue: changed",
        "scorer tone: removed",
        "path: evals/triage.eval.yaml -> evals/moved.eval.yaml",
        "rule: strict -> confirm",
        "samples: 1 -> 3",
        "gate accuracy: tolerance 5% -> report only, floor 0.5",
        "1 case now must_pass: t-001",
    )
    assert lockfile_diff(new, old)[0] == "lowest: removed, was 0 (n=4)"


def test_long_lists_are_cut() -> None:
    cases = [made_case(f"t-{n:03}", {"queue": Score(value=1.0)}) for n in range(1022)]
    names = ", ".join(f"t-{n:03}" for n in range(10, 20))

    assert lockfile_diff(made_baseline(cases[:10]), made_baseline(cases))[1:] == (
        f"1,012 cases added: {names}, … and 1002 more",
    )


def test_a_changed_request_with_the_same_answers_is_told() -> None:
    old = four_cases()
    new = replace(old, cases={case: replace(record, request="other") for case, record in old.cases.items()})

    assert lockfile_diff(old, new) == ("4 cases asked otherwise with the same answers: t-000, t-001, t-002, t-003",)


def test_samples_are_told_one_by_one() -> None:
    old = made_baseline([made_case("t", {"queue": Score(value=1.0)}, {"queue": Score(value=1.0)})])
    new = made_baseline([made_case("t", {"queue": Score(value=1.0)}, {"queue": Score(value=0.25)})])

    assert lockfile_diff(old, new)[1] == "1 case scored otherwise: t (queue 1/1 -> 1/0.25)"


def test_money_is_told_as_not_recorded() -> None:
    contract = made_contract(metrics={"cost": "total(cost_usd)"}, gates={"cost": MetricGate(tolerance=Tolerance())})

    assert lockfile_diff(None, replace(four_cases(), contract=contract))[1] == "cost: not recorded"
