"""What a gate can see, beside the figures of the design and by simulation."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from gate_world import Samples, baseline, given, observations, spec, suite

from pytest_promptgate.core.detectable import mcnemar_mde
from pytest_promptgate.core.exact import mcnemar_exact
from pytest_promptgate.core.judgement import judge_all
from pytest_promptgate.core.noise import Noise, Source, given_noise, guessed_noise, mean_flips, stored_noise
from pytest_promptgate.core.power import cases_needed, chance, detectable_drop, samples_needed
from pytest_promptgate.core.sight import Known, Sight, sharing, sights
from pytest_promptgate.core.types import Baseline, MetricGate, Tolerance

DESIGN = given_noise(0.155)
EIGHTY = {f"c-{n:03}": [float(n % 5 > 0)] for n in range(100)}


def recorded(scores: Samples) -> Baseline:
    return baseline(spec(), observations(scores))


@pytest.mark.parametrize(
    ("n", "samples", "points"),
    [
        *((100, 1, 14.0), (100, 3, 6.2), (100, 5, 4.8), (100, 10, 3.4)),
        *((300, 1, 7.1), (300, 3, 3.5), (300, 5, 2.7), (300, 10, 1.9)),
    ],
)
def test_the_table_of_the_design_comes_out(n: int, samples: int, points: float) -> None:
    """GATE §7, flip rate .155."""
    drop = detectable_drop(DESIGN, n, samples, alpha=0.05)

    assert drop is not None
    assert 100 * drop == pytest.approx(points, abs=0.0501)


@pytest.mark.parametrize("samples", [3, 5, 10])
def test_needed_cases_and_samples_are_the_inverse_of_the_detectable_drop(samples: int) -> None:
    drop = detectable_drop(DESIGN, 200, samples, alpha=0.05)

    assert drop is not None
    assert cases_needed(DESIGN, drop, samples, alpha=0.05) == 200
    assert samples_needed(DESIGN, drop, 200, alpha=0.05) == samples
    assert chance(DESIGN, drop, 200, samples, alpha=0.05) == pytest.approx(0.8)


def test_needed_cases_of_one_sample_have_the_power_of_the_exact_test() -> None:
    needed = cases_needed(DESIGN, 0.05, 1, alpha=0.05)

    assert needed == 539
    assert chance(DESIGN, 0.05, needed, 1, alpha=0.05) >= 0.8 > chance(DESIGN, 0.05, needed - 20, 1, alpha=0.05)
    assert samples_needed(DESIGN, 0.05, needed, alpha=0.05) == 1


def test_the_exact_test_catches_what_it_says_in_simulated_runs() -> None:
    drop = detectable_drop(DESIGN, 60, 1, alpha=0.05)
    assert drop is not None
    luck, caught = random.Random(5), 0
    for _ in range(2000):
        rolls = [luck.random() for _ in range(60)]
        worse = sum(roll < 0.155 / 2 + drop for roll in rolls)
        better = sum(0.155 / 2 + drop <= roll < 0.155 + drop for roll in rolls)
        caught += mcnemar_exact(worse, better) <= 0.05

    assert caught / 2000 == pytest.approx(0.8, abs=0.03)


def test_thousands_of_cases_are_worked_out_too() -> None:
    assert mcnemar_mde(3000, 0.155) == pytest.approx(0.0194, abs=2e-4)
    assert cases_needed(DESIGN, 0.005, 1, alpha=0.05) == pytest.approx(6.18 * 0.155 / 0.005**2, rel=0.03)


def test_what_is_out_of_reach_is_none() -> None:
    assert cases_needed(DESIGN, 0.0001, 5, alpha=0.05) is None
    assert cases_needed(DESIGN, 0.0005, 1, alpha=0.05) is None
    assert samples_needed(DESIGN, 0.001, 10, alpha=0.05) is None
    assert detectable_drop(DESIGN, 4, 1, alpha=0.05) is None


def test_repeated_answers_of_a_baseline_tell_flip_rate_and_spread() -> None:
    cases = {"a": [1.0, 1.0], "b": [1.0, 0.0], "c": [0.0, 0.0], "d": [0.0, 1.0]}

    noise = stored_noise(spec(), recorded(cases).cases, level=0.5)

    assert noise == Noise(flip_rate=0.5, spread=0.5**0.5, binary=True, source=Source.STORED, level=0.5, about="4 cases")
    assert stored_noise(spec(), recorded(EIGHTY).cases, level=0.8) is None
    assert stored_noise(spec("p50(queue)"), recorded(cases).cases, level=0.5) is None


def test_flips_count_pairs_of_answers() -> None:
    assert mean_flips([(1.0, 1.0 + 1e-12), (1.0, 0.0)]) == 0.5
    assert mean_flips([(1.0, 0.0, 0.0)]) == pytest.approx(2 / 3)
    assert mean_flips([(("a", "a"), ("b", "a"))]) == 1.0


# --- where a flip rate is known from ---------------------------------------------------------------------------------


def sight(
    known: Known, *, rule: str = "confirm", expression: str = "mean(queue)", gate: MetricGate | None = None
) -> Sight:
    of = replace(suite(spec(expression), list(EIGHTY), gate=gate), rule=rule)
    (found,) = sights(of, known)
    return found


def known(
    scores: Samples | None = None, *, rate: float | None = None, steady: bool = False, **measured: Noise
) -> Known:
    return Known(
        flip_rate=rate, measured=measured, steady=steady, baseline=None if scores is None else recorded(scores)
    )


MEASURED = replace(given_noise(0.2), source=Source.MEASURED)
TWICE = {case: [each, each] for case, (each,) in EIGHTY.items()}


@pytest.mark.parametrize(
    ("of", "source", "rate"),
    [
        (known(TWICE, rate=0.1, accuracy=MEASURED), Source.GIVEN, 0.1),
        (known(TWICE, accuracy=MEASURED), Source.MEASURED, 0.2),
        (known(TWICE), Source.STORED, 0.0),
        (known(EIGHTY), Source.GUESSED, 0.32),
        (known(), Source.ASSUMED, 0.32),
        (known(EIGHTY, steady=True), Source.STEADY, 0.0),
    ],
)
def test_the_best_source_counts(of: Known, source: Source, rate: float) -> None:
    noise = sight(of).noise

    assert noise is not None
    assert noise.source is source
    assert noise.flip_rate == pytest.approx(rate)


def test_metrics_of_a_run_share_its_level() -> None:
    one = sight(known(EIGHTY, rate=0.155))

    assert one.drop() == pytest.approx(14.0, abs=0.05)
    assert sharing(one, 10).alpha == pytest.approx(0.005)
    assert (sharing(one, 10).drop() or 0) > 14.0


def test_strict_and_steady_models_see_any_drop() -> None:
    assert sight(known(), rule="strict").sees_all
    assert sight(known(steady=True)).sees_all
    assert not sight(known(steady=True), rule="significant").sees_all
    assert not sight(known()).sees_all


def test_what_is_no_share_goes_by_percent_of_its_level() -> None:
    tokens = replace(given_noise(0.5), spread=20.0, binary=False, level=200.0)

    found = sight(known(accuracy=tokens), expression="mean(tokens_in)")

    assert found.relative
    assert found.drop() == pytest.approx(100 * 1.1 * 2.4865 * 2.0 / 200, rel=1e-3)
    assert sight(known(rate=0.155), expression="mean(tokens_in)").noise is None


def test_what_is_no_mean_is_not_guessed() -> None:
    assert sight(known(), expression="f1(queue)").noise is None
    assert sight(known(EIGHTY), expression="p50(queue)").noise is None
    assert sight(known(accuracy=MEASURED), expression="f1(queue)").noise is MEASURED


@pytest.mark.parametrize(
    ("tolerance", "margin"), [(Tolerance(amount=0.03), 3.0), (Tolerance(amount=0.05, relative=True), 4.0)]
)
def test_non_inferior_has_to_prove_its_tolerance(tolerance: Tolerance, margin: float) -> None:
    found = sight(known(EIGHTY), rule="non_inferior", gate=MetricGate(tolerance=tolerance))

    assert found.margin == pytest.approx(margin)
    assert sight(known(EIGHTY)).margin is None


def test_a_guess_is_the_most_that_a_level_allows() -> None:
    assert guessed_noise(0.9).flip_rate == pytest.approx(0.18)
    assert guessed_noise(None).flip_rate == pytest.approx(0.32)


# --- the line under the table ----------------------------------------------------------------------------------------


def test_the_measured_flip_rate_takes_the_place_of_the_guess() -> None:
    world = given(EIGHTY, EIGHTY)
    world = replace(world, suite=replace(world.suite, rule="confirm"))

    def sees(noise: Noise) -> str:
        (verdict,) = judge_all(replace(world, noise={"accuracy": noise}))
        return verdict.sees

    assert sees(replace(DESIGN, source=Source.MEASURED)) == (
        "a drop of about 14.0 points is caught in at least 4 of 5 runs, one of 2 points in about 1 of 10 "
        "(measured flip rate: 15.5 %)"
    )
    assert sees(replace(given_noise(0.0), source=Source.MEASURED)) == (
        "any drop is seen, as long as no answer varies: none did in --prompt-aa"
    )


def test_nobody_is_said_to_have_measured_what_is_guessed_from_a_perfect_baseline() -> None:
    perfect = {name: [1.0] for name in EIGHTY}
    world = given(perfect, perfect)

    (verdict,) = judge_all(replace(world, suite=replace(world.suite, rule="confirm")))

    assert verdict.sees == "any drop is seen, as long as no answer varies: --prompt-aa measures that"
