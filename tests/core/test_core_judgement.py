"""From one suite's numbers to the verdicts of the run: the rows of GATE §2, the family, and the whole wording."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_world import Samples, baseline, given, observations, spec

from pytest_promptgate.core.anchor import anchor_of
from pytest_promptgate.core.confirmation import Arm, NotRetried, Retrial, Retried, Stage2
from pytest_promptgate.core.gate import GateInput
from pytest_promptgate.core.judgement import conclude, judge_all
from pytest_promptgate.core.types import GatePolicy, MetricGate, Outcome, Tolerance, Unscored, Verdict
from pytest_promptgate.core.weighing import weigh

GOOD = {f"t-{number:02}": [1.0] for number in range(20)}
FELL = "accuracy fell from 1.000 to 0.950 (n=20, change -0.050, tolerance 0)"


def but(scores: Samples, **changed: list[float]) -> dict[str, list[float]]:
    """`scores`, with other samples of some cases: ``but(GOOD, t_03=[0.0])``."""
    return {**scores, **{name.replace("_", "-"): each for name, each in changed.items()}}  # type: ignore[dict-item]


def ruled(world: GateInput, rule: str, **policy: object) -> GateInput:
    return replace(world, suite=replace(world.suite, rule=rule, policy=replace(GatePolicy(), **policy)))  # type: ignore[arg-type]


def one(world: GateInput) -> Verdict:
    (verdict,) = judge_all(world)
    return verdict


def retried(samples: int = 8, asked: int = 16, **arms: Samples) -> Retried:
    """Fresh samples: ``retried(production={"t-03": [1.0] * 8}, candidate={"t-03": [0.0] * 8})``."""
    answers = {
        Arm(arm): {case: tuple(observations({case: each})) for case, each in scores.items()}
        for arm, scores in arms.items()
    }
    cases = tuple(sorted(answers[Arm.CANDIDATE]))
    return Retried(retrial=Retrial(cases=cases, samples=samples), asked=asked, answers=answers)


def after(world: GateInput, **stage2: Stage2) -> Verdict:
    """The verdict with what asking again has brought, by reference."""
    weighed = replace(weigh(world), stage2={Arm(arm): each for arm, each in stage2.items()})
    ((verdict,),) = conclude([weighed])
    return verdict


DROP = ruled(given(GOOD, but(GOOD, t_03=[0.0])), "confirm")
REAL = retried(production={"t-03": [1.0] * 8}, candidate={"t-03": [0.0] * 8})
LUCK = retried(production={"t-03": [1.0] * 8}, candidate={"t-03": [1.0] * 8})


# --- the rows of GATE §2 ---------------------------------------------------------------------------------------------


def test_row_0_too_few_cases_are_inconclusive_under_every_rule() -> None:
    few = {name: each for name, each in GOOD.items() if name < "t-17"}

    for rule in ("strict", "confirm", "significant", "non_inferior"):
        verdict = one(ruled(given(GOOD, few), rule))
        assert (verdict.outcome, verdict.red) == (Outcome.INCONCLUSIVE, True)
        assert verdict.reason == (
            "accuracy cannot be judged: only 17 of 20 baseline cases can be compared "
            "(3 missing from this run), less than 90 %"
        )


def test_row_1_a_floor_holds_even_where_a_drop_may_be_luck() -> None:
    world = ruled(given(GOOD, but(GOOD, t_03=[0.0]), gate=MetricGate(floor=0.96)), "confirm")

    verdict = after(world, production=LUCK)

    assert verdict.outcome is Outcome.REGRESSED
    assert verdict.reason == "accuracy is 0.950, below its floor 0.960 (n=20)"


@pytest.mark.parametrize("rule", ["strict", "confirm", "significant"])
def test_row_2_equal_is_unchanged(rule: str) -> None:
    verdict = one(ruled(given(GOOD, GOOD), rule))

    assert (verdict.outcome, verdict.red, verdict.p) == (Outcome.UNCHANGED, False, None)
    assert verdict.reason == "accuracy is 1.000 as before (n=20)"


@pytest.mark.parametrize(("rule", "outcome"), [("strict", Outcome.IMPROVED), ("confirm", Outcome.WITHIN_NOISE)])
def test_row_3_higher_is_improved_only_where_that_is_shown(rule: str, outcome: Outcome) -> None:
    verdict = one(ruled(given(but(GOOD, t_03=[0.0]), GOOD), rule))

    assert verdict.outcome is outcome
    assert verdict.reason == "accuracy rose from 0.950 to 1.000 (n=20, change +0.050, tolerance 0)"


def test_row_4_what_the_suite_allows_needs_no_retrial() -> None:
    allowed = MetricGate(tolerance=Tolerance(amount=0.05))
    world = ruled(given(GOOD, but(GOOD, t_03=[0.0]), gate=allowed), "confirm")

    assert weigh(world).doubtful(Arm.PRODUCTION) == ()
    verdict = one(world)
    assert verdict.outcome is Outcome.WITHIN_NOISE
    assert verdict.reason == ("accuracy fell from 1.000 to 0.950 (n=20, change -0.050, within the tolerance 0.05)")


def test_row_5_a_drop_of_answers_that_repeat_is_no_luck() -> None:
    twice = {name: [1.0, 1.0] for name in GOOD}
    world = ruled(given(twice, but(twice, t_03=[0.0, 0.0])), "confirm")

    assert weigh(world).doubtful(Arm.PRODUCTION) == ()
    verdict = one(world)
    assert verdict.outcome is Outcome.REGRESSED
    assert verdict.reason == f"{FELL}; repeated answers agree, so this is no luck"


def test_row_6_confirm_a_drop_that_reproduces_is_regressed() -> None:
    verdict = after(DROP, production=REAL)

    assert (verdict.outcome, verdict.red) == (Outcome.REGRESSED, True)
    assert verdict.reason == (
        f"{FELL}; re-asked 1 case x 8 x 2 (16 calls): production 8/8, yours 0/8, p=.00016: the drop is real"
    )


def test_row_6_confirm_a_drop_that_does_not_is_within_noise() -> None:
    verdict = after(DROP, production=LUCK)

    assert (verdict.outcome, verdict.red) == (Outcome.WITHIN_NOISE, False)
    assert verdict.reason == (
        f"{FELL}; re-asked 1 case x 8 x 2 (16 calls): production 8/8, yours 8/8, p=1.00: the drop did not reproduce"
    )


def test_the_case_that_broke_is_named_where_the_mean_hides_it() -> None:
    before = but(GOOD, **{f"t_{number:02}": [0.0] for number in range(5, 10)})
    world = ruled(given(before, but(GOOD, **{f"t_{number:02}": [0.0] for number in range(6)})), "confirm")
    mixed = {f"t-{number:02}": [1.0, 0.0] * 4 for number in range(10) if number != 3}

    verdict = after(
        world,
        production=retried(asked=160, production={**mixed, "t-03": [1.0] * 8}, candidate={**mixed, "t-03": [0.0] * 8}),
    )

    assert verdict.outcome is Outcome.REGRESSED
    assert "production 44/80, yours 36/80; case t-03 broke: 8/8 -> 0/8, p=" in verdict.reason


def test_metrics_for_which_lower_is_better_rise_and_show_their_means() -> None:
    lower = spec("mean(queue)", lower=True)
    before, now = {name: [0.25] for name in GOOD}, {name: [0.25] for name in GOOD}
    now["t-03"] = [0.75]
    again = retried(production={"t-03": [0.25] * 7 + [0.5]}, candidate={"t-03": [0.75] * 8})

    verdict = after(ruled(given(before, now, metric=lower), "confirm"), production=again)

    assert verdict.reason == (
        "accuracy rose from 0.250 to 0.275 (n=20, change +0.025, tolerance 0); re-asked 1 case x 8 x 2 (16 calls): "
        "production 0.281, yours 0.750, p=.00016: the rise is real"
    )


def test_a_metric_over_all_trials_shows_its_own_value() -> None:
    before: Samples = {name: [("a", "a") if name < "t-10" else ("b", "b")] for name in GOOD}
    now: Samples = {**before, "t-03": [("b", "a")]}
    fresh: Samples = {"t-03": [("b", "a")] * 8}
    again = retried(production={"t-03": [("a", "a")] * 8}, candidate=fresh)

    verdict = after(ruled(given(before, now, metric=spec("f1(queue)")), "confirm"), production=again)

    assert verdict.reason == (
        "accuracy fell from 1.000 to 0.950 (n=20, change -0.050, tolerance 0); re-asked 1 case x 8 x 2 (16 calls): "
        "production 1.000, yours 0.950; case t-03 broke: 8/8 -> 0/8, p=.00016: the drop is real"
    )


def test_a_retrial_without_scores_decides_nothing() -> None:
    lost = {"t-03": [Unscored(reason="cannot tell")] * 8}

    verdict = after(DROP, production=retried(production=lost, candidate=lost))

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason == f"{FELL}, and too few of the cases that were asked again have a score"


def test_without_a_retrial_the_reason_why_not_is_told() -> None:
    budget = NotRetried(why="it was not asked again: no money (unconfirmed)", outcome=Outcome.REGRESSED)
    offline = NotRetried(why="--prompt-offline cannot ask again", outcome=Outcome.INCONCLUSIVE)

    assert after(DROP, production=budget).reason == f"{FELL}, and it was not asked again: no money (unconfirmed)"
    assert after(DROP, production=budget).outcome is Outcome.REGRESSED
    assert after(DROP, production=offline).outcome is Outcome.INCONCLUSIVE
    assert one(DROP).outcome is Outcome.REGRESSED


GONE = NotRetried(why="production cannot be re-asked: it is gone", outcome=None)


def test_one_stored_sample_leaves_the_drop_to_strict() -> None:
    verdict = after(DROP, production=GONE)

    assert (verdict.outcome, verdict.p) == (Outcome.REGRESSED, None)
    assert verdict.reason == f"{FELL}, and production cannot be re-asked: it is gone"


def test_three_stored_samples_are_tested() -> None:
    before = but({name: [1.0] * 3 for name in GOOD}, **{f"t_{n:02}": [1.0, 0.0, 0.0] for n in range(8)})
    lower = but(before, t_00=[0.0] * 3)

    verdict = after(ruled(given(before, lower), "confirm"), production=GONE)

    assert verdict.outcome is Outcome.WITHIN_NOISE
    assert verdict.reason == (
        "accuracy fell from 0.733 to 0.717 (n=20, change -0.017, tolerance 0); p=.50: this may be luck "
        "(production cannot be re-asked: it is gone: 3 stored samples decide)"
    )


# --- the family ------------------------------------------------------------------------------------------------------


def test_holm_counts_over_the_suites_of_a_run() -> None:
    """3 of 8 is p=.013 for one case, .026 with mean and case in one family, .051 with those of a second suite."""
    some = retried(production={"t-03": [1.0] * 8}, candidate={"t-03": [1.0] * 3 + [0.0] * 5})
    weighed = replace(weigh(DROP), stage2={Arm.PRODUCTION: some})

    ((alone,),) = conclude([weighed])
    together = [verdict for (verdict,) in conclude([weighed, weighed])]

    assert alone.outcome is Outcome.REGRESSED
    assert alone.p == pytest.approx(0.0256, abs=1e-4)
    assert [each.outcome for each in together] == [Outcome.WITHIN_NOISE] * 2
    assert together[0].p == pytest.approx(0.0513, abs=1e-4)


def test_a_metric_that_is_only_shown_takes_no_part_in_the_family() -> None:
    shown = ruled(given(GOOD, but(GOOD, t_03=[0.0]), gate=MetricGate(gated=False)), "confirm")
    some = retried(production={"t-03": [1.0] * 8}, candidate={"t-03": [1.0] * 3 + [0.0] * 5})

    (first,), (second,) = conclude([replace(weigh(DROP), stage2={Arm.PRODUCTION: some}), weigh(shown)])

    assert first.outcome is Outcome.REGRESSED
    assert (second.outcome, second.red, second.sees) == (Outcome.REGRESSED, False, "")


# --- the anchor ------------------------------------------------------------------------------------------------------


def anchored(before: Samples, now: Samples, anchor: Samples, rule: str = "confirm", **gate: object) -> GateInput:
    world = ruled(given(before, now, gate=MetricGate(**gate)), rule)  # type: ignore[arg-type]
    assert world.baseline is not None
    first = replace(anchor_of(baseline(spec(), observations(anchor))), prompt="support-triage@v1")
    return replace(world, baseline=replace(world.baseline, anchor=first))


DRIFT = anchored(but(GOOD, t_01=[0.0]), but(GOOD, t_01=[0.0], t_02=[0.0], t_03=[0.0]), GOOD)
LITTLE = retried(
    asked=48,
    production={f"t-0{n}": [1.0] * 7 + [0.0] for n in (1, 2, 3)},
    candidate={f"t-0{n}": [1.0] * 6 + [0.0] * 2 for n in (1, 2, 3)},
    anchor={f"t-0{n}": [1.0] * 8 for n in (1, 2, 3)},
)
MUCH = retried(
    asked=48,
    production={f"t-0{n}": [1.0] * 6 + [0.0] * 2 for n in (1, 2, 3)},
    candidate={f"t-0{n}": [1.0] * 4 + [0.0] * 4 for n in (1, 2, 3)},
    anchor={f"t-0{n}": [1.0] * 8 for n in (1, 2, 3)},
)


def test_the_anchor_is_in_question_only_where_this_change_lowers_the_metric() -> None:
    assert len(weigh(DRIFT).doubtful(Arm.ANCHOR)) == 1
    better = anchored(but(GOOD, t_01=[0.0], t_02=[0.0]), but(GOOD, t_01=[0.0]), GOOD)
    assert weigh(better).doubtful(Arm.ANCHOR) == ()
    assert one(better).outcome is Outcome.WITHIN_NOISE


def test_what_the_tolerance_allows_since_the_anchor_is_in_no_question() -> None:
    allowed = anchored(but(GOOD, t_01=[0.0]), but(GOOD, t_01=[0.0], t_02=[0.0]), GOOD, tolerance=Tolerance(amount=0.1))

    assert weigh(allowed).doubtful(Arm.ANCHOR) == ()


def test_a_loss_since_the_anchor_that_does_not_reproduce_passes() -> None:
    verdict = after(DRIFT, production=LITTLE, anchor=LITTLE)

    assert verdict.outcome is Outcome.WITHIN_NOISE
    assert "the drop did not reproduce" in verdict.reason


def test_a_loss_since_the_anchor_that_reproduces_is_red_and_blames_no_single_change() -> None:
    verdict = after(DRIFT, production=MUCH, anchor=MUCH)

    assert (verdict.outcome, verdict.red) == (Outcome.REGRESSED, True)
    assert verdict.since_anchor == pytest.approx(-0.15)
    assert verdict.reason == (
        "accuracy: this change -0.100 (within noise), but since the anchor support-triage@v1: -0.150; re-asked 3 cases "
        "x 8 x 3 (48 calls, 24 stored answers): anchor 24/24, yours 12/24, p=.00011: the loss is real"
    )


def test_a_small_step_within_the_tolerance_can_be_one_too_many() -> None:
    world = anchored(
        but(GOOD, t_01=[0.0]),
        but(GOOD, t_01=[0.0], t_02=[0.0], t_03=[0.0]),
        GOOD,
        tolerance=Tolerance(amount=0.1),
    )
    assert weigh(world).doubtful(Arm.PRODUCTION) == ()
    since = replace(MUCH, answers={arm: each for arm, each in MUCH.answers.items() if arm is not Arm.PRODUCTION})

    verdict = after(world, anchor=since)

    assert verdict.outcome is Outcome.REGRESSED
    assert verdict.reason.startswith(
        "accuracy: this change -0.100 (within what is allowed), but since the anchor support-triage@v1: -0.150; "
        "re-asked 3 cases x 8 x 2 "
    )


def test_an_anchor_of_one_sample_that_cannot_be_asked_again_is_not_tested() -> None:
    gone = NotRetried(why="the anchor cannot be re-asked: it is gone", outcome=None)

    assert after(DRIFT, production=LITTLE, anchor=gone).outcome is Outcome.WITHIN_NOISE


def test_significant_tests_the_anchors_stored_samples() -> None:
    def fives(wrong: int) -> dict[str, list[float]]:
        return {name: [1.0] * 4 + [float(at >= wrong)] for at, name in enumerate(GOOD)}

    world = anchored(fives(7), fives(8), fives(0), rule="significant")

    verdict = one(world)

    assert verdict.outcome is Outcome.REGRESSED
    assert verdict.reason == (
        "accuracy: this change -0.010 (within noise), but since the anchor support-triage@v1: -0.080; p=.0039"
    )


# --- what it sees ----------------------------------------------------------------------------------------------------


def test_every_gate_that_tests_says_what_it_sees_and_strict_does_not() -> None:
    hundred = {f"c-{n:03}": [float(n % 5 > 0)] for n in range(100)}

    assert one(ruled(given(hundred, hundred), "confirm")).sees == (
        "a drop of about 18.2 points is caught in at least 4 of 5 runs, one of 2 points in about 1 of 20"
    )
    assert one(ruled(given(hundred, hundred), "strict")).sees == ""


def test_significant_says_which_drop_needs_no_test() -> None:
    hundred = {f"c-{n:03}": [float(n % 5 > 0)] for n in range(100)}
    tested = "a drop of about 18.2 points is caught in 4 of 5 runs, one of 2 points in about 1 of 20"
    wide = MetricGate(tolerance=Tolerance(amount=0.2))

    told = one(ruled(given(hundred, hundred), "significant")).sees
    tolerant = one(ruled(given(hundred, hundred, gate=wide), "significant")).sees

    assert told == f"{tested}; one that shows as 10 points or more always fails (max_drop)"
    assert tolerant == tested
