"""A prompt held against itself: how much it varies, and how often its gate would cry wolf."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from gate_world import Sample, observations, results, spec, suite

from pytest_promptgate.core.plan import Plan
from pytest_promptgate.core.self_trial import SelfTrial, halves, self_trial
from pytest_promptgate.core.types import Errored, MetricGate, MetricSpec, MustPass, Outcome, Tolerance

Halves = dict[str, tuple[Sequence[Sample], Sequence[Sample]]]  # by case: first and second answers

# Eight of forty cases flip.
FLIPS: Halves = {f"c-{n:02}": ([float(n % 2)], [float(1 - n % 2)]) for n in range(8)}
FLIPS |= {f"c-{n:02}": ([1.0], [1.0]) for n in range(8, 40)}


def trial(
    of: Halves, *, rule: str = "confirm", metric: MetricSpec | None = None, gate: MetricGate | None = None
) -> SelfTrial:
    first, second = (results(observations({case: each[half] for case, each in of.items()})) for half in (0, 1))
    samples = max(len(each[0]) for each in of.values())
    of_suite = suite(metric or spec(), list(of), gate=gate, samples=samples)
    of_suite = replace(
        of_suite,
        rule=rule,
        must_pass=(MustPass(cases=frozenset(of), scorers=("queue",)),),
        policy=replace(of_suite.policy, max_drop=None),
    )
    plan = Plan(suite=of_suite, slot="default", pin=of_suite.prompt.pin, trials=tuple(each.trial for each in first))  # type: ignore[arg-type]
    return self_trial(plan, first, second, selection=None, partial="", aggregates={})


def varying(rule: str, *, n: int, samples: int, metric: MetricSpec | None = None, seed: int = 1) -> SelfTrial:
    luck = random.Random(seed)

    def answer(at: int) -> Sample:
        right = luck.random() < (0.5 if at % 3 == 0 else 1.0)
        return ("a" if right else "b", "a") if at % 2 else ("b" if right else "a", "b")

    answers = {f"c-{at:03}": [[answer(at) for _ in range(samples)] for _ in range(2)] for at in range(n)}
    return trial({case: (one, two) for case, (one, two) in answers.items()}, rule=rule, metric=metric)


def test_the_flip_rate_has_the_interval_of_a_share() -> None:
    (metric,) = trial(FLIPS).metrics

    assert metric.flip_rate == pytest.approx(0.2)
    assert metric.interval == pytest.approx((0.105, 0.348), abs=0.001)
    assert metric.noise is not None
    assert metric.noise.binary
    assert metric.noise.spread == pytest.approx(0.2**0.5)
    assert metric.noise.about == "support-triage@v3, 40 cases"


def test_repeated_samples_count_all_pairs_of_a_cases_answers() -> None:
    (metric,) = trial({"a": ([1.0, 1.0], [1.0, 0.0]), "b": ([1.0, 1.0], [1.0, 1.0])}).metrics

    assert metric.flip_rate == pytest.approx(0.25)
    assert metric.noise is not None
    assert metric.noise.spread == pytest.approx((2 * 0.25 / 2) ** 0.5)


def test_lower_fails_as_often_as_coins_say() -> None:
    """Eight coins: fewer heads than tails in 93 of 256 deals."""
    found = trial(FLIPS).alarms

    assert found is not None
    assert found.draws == 1000
    assert found.plain == pytest.approx(93 / 256, abs=0.04)


def test_confirm_fails_at_most_a_twentieth_of_the_runs_that_are_lower() -> None:
    found = trial(FLIPS).alarms

    assert found is not None
    assert found.bound
    assert found.rule == pytest.approx(0.05 * found.plain)
    assert found.by_rule["accuracy"] == found.rule


def test_strict_fails_whenever_lower_fails() -> None:
    found = trial(FLIPS, rule="strict").alarms

    assert found is not None
    assert not found.bound
    assert found.rule == found.plain > 0.3


def test_a_tolerance_is_allowed_in_both() -> None:
    found = trial(FLIPS, gate=MetricGate(tolerance=Tolerance(amount=0.2))).alarms

    assert found is not None
    assert (found.plain, found.rule) == (0.0, 0.0)


def test_significant_keeps_its_level() -> None:
    found = varying("significant", n=60, samples=3).alarms

    assert found is not None
    assert 0 < found.rule <= 0.08
    assert found.plain > 0.3


@pytest.mark.parametrize("rule", ["confirm", "significant"])
def test_a_metric_that_is_no_mean_is_dealt_too(rule: str) -> None:
    found = varying(rule, n=40, samples=1, metric=spec("f1(queue)"))

    (metric,) = found.metrics
    assert found.alarms is not None
    assert found.alarms.rule <= 0.08
    assert 0.25 < found.alarms.plain < 0.6
    assert metric.noise is not None
    assert not metric.noise.binary
    assert 0.2 < metric.noise.spread < 0.8


def test_the_spread_of_a_dealt_mean_is_that_of_its_answers() -> None:
    found = varying("strict", n=90, samples=2)

    (metric,) = found.metrics
    assert found.alarms is not None
    assert metric.noise is not None
    assert found.alarms.spreads["accuracy"] == pytest.approx(metric.noise.spread, rel=0.08)


def test_an_unchanged_prompt_that_cannot_be_proven_harmless_is_a_false_alarm() -> None:
    found = trial(FLIPS, rule="non_inferior", gate=MetricGate(tolerance=Tolerance(amount=0.03))).alarms

    assert found is not None
    assert 0.7 < found.rule < 1.0


def test_the_second_run_is_judged_by_the_suites_rule_without_its_promises() -> None:
    worse = {case: (one, [0.0]) if case == "c-20" else (one, two) for case, (one, two) in FLIPS.items()}

    (metric,) = trial(worse, gate=MetricGate(floor=1.0)).metrics
    assert metric.verdict.outcome is Outcome.REGRESSED
    assert metric.verdict.p is None
    (metric,) = trial(FLIPS, gate=MetricGate(floor=1.0)).metrics
    assert metric.verdict.outcome is Outcome.UNCHANGED


def test_without_any_flip_nothing_is_raised() -> None:
    found = trial({f"c-{n}": ([1.0], [1.0]) for n in range(10)})

    assert found.alarms is not None
    assert (found.alarms.plain, found.alarms.rule) == (0.0, 0.0)
    assert found.metrics[0].flip_rate == 0.0
    assert found.metrics[0].interval == pytest.approx((0.0, 0.278), abs=0.001)


def test_too_many_failures_leave_a_metric_unmeasured_with_the_reason() -> None:
    failed: Halves = {"c-08": ([1.0], [Errored(message="no answer")])}

    found = trial(FLIPS | failed)

    assert found.metrics == ()
    assert found.alarms is None
    (verdict,) = found.missing
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "1 errored" in verdict.reason


def test_the_same_answers_give_the_same_figures() -> None:
    assert trial(FLIPS).alarms == trial(FLIPS).alarms
    assert trial(FLIPS).alarms == trial(dict(reversed(FLIPS.items()))).alarms


def test_a_metric_that_is_not_gated_has_a_flip_rate_and_no_false_alarms() -> None:
    found = trial(FLIPS, gate=MetricGate(gated=False))

    assert found.alarms is None
    assert found.metrics[0].flip_rate == pytest.approx(0.2)


def test_two_halves_never_share_an_answer() -> None:
    plan = trial(FLIPS).plan
    same = replace(plan, trials=tuple(replace(each, ordinal=at) for at, each in enumerate(plan.trials)))

    one, two = halves(same, ["c-01", "c-03"])

    assert [each.ordinal for each in one.trials] == [2, 6]
    assert [each.ordinal for each in two.trials] == [3, 7]
    assert [case.id for case in one.suite.cases] == ["c-01", "c-03"]
    assert (one.slot, two.slot) == ("default", "default (again)")
