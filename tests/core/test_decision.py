"""The pure decision: every row of GATE §2 in its order, each rule, and the run's family."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_promptgate.core.aggregates import quantile
from pytest_promptgate.core.arms import Arms, Statistic
from pytest_promptgate.core.decision import Decision, Policy, Question, Why, decide, decide_all, is_better
from pytest_promptgate.core.types import Outcome, Tolerance

RULES = ["strict", "confirm", "significant", "non_inferior"]


def side(*cases: tuple[float, ...] | float) -> tuple[tuple[float, ...], ...]:
    return tuple(each if isinstance(each, tuple) else (each,) for each in cases)


def arms(before: tuple[tuple[float, ...], ...], after: tuple[tuple[float, ...], ...]) -> Arms:
    return Arms(cases=tuple(f"c{at}" for at in range(len(before))), before=before, after=after)


def question(before: tuple[tuple[float, ...], ...], after: tuple[tuple[float, ...], ...], rule: str) -> Question:
    return Question(arms=arms(before, after), policy=Policy(rule=rule))


def lost(worse: int, better: int = 0, *, same: int = 60, rule: str = "significant") -> Question:
    before = side(*[1.0] * worse, *[0.0] * better, *[1.0] * same)
    after = side(*[0.0] * worse, *[1.0] * better, *[1.0] * same)
    return question(before, after, rule)


def reason(decision: Decision) -> tuple[str, str]:
    return str(decision.outcome), str(decision.why)


@pytest.mark.parametrize("rule", RULES)
def test_row_0_too_few_common_cases_decide_nothing(rule: str) -> None:
    found = decide(replace(lost(3, rule=rule), expected=71))

    assert reason(found) == ("inconclusive", "coverage")
    assert found.fails


@pytest.mark.parametrize("rule", RULES)
def test_row_0_no_common_case_decides_nothing(rule: str) -> None:
    assert decide(question((), (), rule)).why is Why.COVERAGE


@pytest.mark.parametrize("rule", RULES)
def test_row_0_a_score_that_is_no_number_decides_nothing(rule: str) -> None:
    assert reason(decide(question(side(1.0), side(math.nan), rule))) == ("inconclusive", "not_finite")


@pytest.mark.parametrize("rule", ["strict", "confirm", "significant"])
def test_row_2_equal_passes(rule: str) -> None:
    found = decide(question(side(1.0, 0.0, 0.3), side(0.0, 1.0, 0.3 + 1e-12), rule))

    assert reason(found) == ("unchanged", "equal")
    assert not found.fails


@pytest.mark.parametrize("rule", ["strict", "confirm", "significant"])
@settings(deadline=None)
@given(values=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12))
def test_rows_2_and_3_equal_or_better_always_passes(rule: str, values: list[tuple[float, float]]) -> None:
    low, high = side(*[min(pair) for pair in values]), side(*[max(pair) for pair in values])

    assert not decide(question(low, high, rule)).fails


def test_row_3_better_is_improved_only_if_that_is_shown() -> None:
    up = [lost(0, better, rule="confirm") for better in (4, 5)]

    assert [reason(each) for each in decide_all(up)] == [("within-noise", "higher"), ("improved", "higher")]
    assert reason(decide(lost(0, 1, rule="strict"))) == ("improved", "higher")
    steady = question(side((0.0, 0.0), (1.0, 1.0)), side((1.0, 1.0), (1.0, 1.0)), "confirm")
    assert reason(decide(steady)) == ("improved", "higher")


def test_better_can_be_asked_at_another_level() -> None:
    assert is_better(lost(0, 7).arms, alpha=0.01)
    assert not is_better(lost(0, 6).arms, alpha=0.01)
    assert not is_better(lost(7).arms, alpha=0.01)


def test_row_4_a_drop_within_the_tolerance_passes() -> None:
    policy = Policy(rule="confirm", tolerance=Tolerance(amount=0.05))

    assert reason(decide(replace(lost(3, same=57), policy=policy))) == ("within-noise", "tolerance")
    assert decide(replace(lost(4, same=57), policy=policy)).why is Why.UNCONFIRMED


def test_a_relative_tolerance_is_a_share_of_the_baseline_also_where_lower_is_better() -> None:
    costs = arms(side(-100.0, -300.0), side(-104.0, -316.0))

    for amount, why in ((0.05, Why.TOLERANCE), (0.0499, Why.LOWER)):
        policy = Policy(rule="strict", tolerance=Tolerance(amount=amount, relative=True))
        assert decide(Question(arms=costs, policy=policy)).why is why


@pytest.mark.parametrize("rule", ["confirm", "significant"])
def test_row_5_repeats_that_agree_need_no_test(rule: str) -> None:
    before = side((1.0, 1.0), *[(1.0, 1.0, 1.0)] * 5)

    assert decide(question(before, side((0.0, 0.0), *before[1:]), rule)).why is Why.DETERMINISTIC_DROP
    assert decide(question(before, side((0.0,), *before[1:]), rule)).why is not Why.DETERMINISTIC_DROP
    assert decide(question(before, side((0.0, 0.0), (0.9, 1.0), *before[2:]), rule)).why is not Why.DETERMINISTIC_DROP


def test_strict_fails_on_any_drop() -> None:
    assert reason(decide(lost(1, same=10_000, rule="strict"))) == ("regressed", "lower")


def test_confirm_without_fresh_answers_fails() -> None:
    assert reason(decide(lost(1, rule="confirm"))) == ("regressed", "unconfirmed")


def confirmed(passed_before: int, passed_now: int, *, metrics: int = 1) -> Decision:
    before = side((1.0,) * passed_before + (0.0,) * (8 - passed_before))
    after = side((1.0,) * passed_now + (0.0,) * (8 - passed_now))
    asked = replace(lost(1, rule="confirm"), fresh=arms(before, after))
    calm = replace(lost(1, rule="confirm"), fresh=arms(before, before))
    return decide_all([asked, *[calm] * (metrics - 1)])[0]


def test_confirm_fails_only_on_a_drop_that_comes_again() -> None:
    assert reason(confirmed(8, 3)) == ("regressed", "confirmed")
    assert reason(confirmed(8, 4)) == ("within-noise", "not_confirmed")
    assert reason(confirmed(3, 8)) == ("within-noise", "not_confirmed")


def test_confirm_tells_both_p_values_and_the_case_that_fell_furthest() -> None:
    found = confirmed(8, 0)

    assert found.tested is not None
    assert found.tested.mean == found.tested.case == pytest.approx(1 / 12_870)
    assert found.tested.broken == "c0"
    assert found.p == found.adjusted == pytest.approx(2 / 12_870)


def test_confirm_counts_two_hypotheses_for_each_metric_that_is_lower_and_none_for_others() -> None:
    assert confirmed(8, 3, metrics=2).why is Why.NOT_CONFIRMED
    asked = replace(lost(1, rule="confirm"), fresh=arms(side((1.0,) * 8), side((1.0,) * 3 + (0.0,) * 5)))
    equal = question(side(1.0), side(1.0), "confirm")
    assert decide_all([asked, equal, lost(0, 2, rule="confirm")])[0].why is Why.CONFIRMED


def test_significant_counts_every_metric_of_the_run() -> None:
    equal = question(side(1.0), side(1.0), "significant")

    assert decide_all([lost(6), equal, equal])[0].why is Why.SIGNIFICANT
    assert decide_all([lost(6), equal, equal, equal])[0].why is Why.UNDERPOWERED


def test_significant_passes_on_what_a_rejected_metric_leaves_to_the_others() -> None:
    first, second = decide_all([lost(8), lost(5)])

    assert (first.why, second.why) == (Why.SIGNIFICANT, Why.SIGNIFICANT)
    assert decide(lost(5), family=2).why is Why.UNDERPOWERED


def one_breaks(samples: int) -> Question:
    steady, shaky = [(1.0,) * samples] * 3, [(1.0, 0.0, 1.0, 0.0, 1.0)[:samples]] * 30
    return question(side(*steady, *shaky), side((0.0,) * samples, *steady[1:], *shaky), "significant")


def test_significant_sees_a_broken_case_from_five_samples_on() -> None:
    four, five = decide(one_breaks(4)), decide(one_breaks(5))

    assert four.why is Why.NOT_SIGNIFICANT
    assert five.why is Why.BROKEN_CASE
    assert five.p == pytest.approx(1 / 252)
    assert five.tested is not None
    assert five.tested.mean > 0.3
    assert five.tested.broken == "c0"


def test_a_large_drop_needs_no_proof_under_significant_unless_that_is_switched_off() -> None:
    drop = lost(2, same=18)

    assert reason(decide(drop)) == ("regressed", "max_drop")
    assert reason(decide(replace(drop, policy=Policy(rule="significant", max_drop=None)))) == (
        "inconclusive",
        "underpowered",
    )


def non_inferior(worse: int, margin: float, *, same: int = 60) -> tuple[str, str]:
    policy = Policy(rule="non_inferior", tolerance=Tolerance(amount=margin))
    return reason(decide(replace(lost(worse, same=same), policy=policy)))


def test_non_inferior_wants_proof() -> None:
    assert non_inferior(0, 0.05, same=100) == ("within-noise", "non_inferior")
    assert non_inferior(1, 0.0) == ("inconclusive", "no_margin")
    assert non_inferior(1, 0.1, same=18) == ("inconclusive", "too_few_cases")
    assert non_inferior(4, 0.05) == ("inconclusive", "margin_not_excluded")
    assert non_inferior(30, 0.05) == ("regressed", "below_margin")


def test_non_inferior_knows_repeats_other_scores_clusters_and_other_statistics() -> None:
    policy = Policy(rule="non_inferior", tolerance=Tolerance(amount=0.2))
    repeated = arms(side(*[(1.0, 0.5)] * 30), side(*[(0.5, 1.0)] * 30))
    single = arms(side(*[0.5 + at / 100 for at in range(30)]), side(*[0.5 + at / 99 for at in range(30)]))
    median = Statistic(before=single.before, after=single.after, of=lambda values: quantile(values, 0.5))

    for each in (repeated, single, replace(single, statistic=median)):
        assert decide(Question(arms=each, policy=policy)).why is Why.NON_INFERIOR
    few = replace(single, clusters=tuple(f"k{at % 10}" for at in range(30)))
    assert decide(Question(arms=few, policy=policy)).why is Why.TOO_FEW_CASES


def test_a_statistic_that_is_no_mean_decides_by_its_own_swaps() -> None:
    before, after = side(*[0.1] * 12), side(*[0.2] * 12)
    slowest = Statistic(before=before, after=after, of=lambda values: -quantile(values, 0.95))
    turned = Arms(
        cases=tuple("abcdefghijkl"),
        before=side(*[-0.1] * 12),
        after=side(*[-0.2] * 12),
        statistic=slowest,
    )

    found = decide(Question(arms=turned, policy=Policy(rule="significant", max_drop=None)))

    assert found.why is Why.SIGNIFICANT
    assert found.tested is not None
    assert found.tested.exact


def test_an_unknown_rule_is_an_error() -> None:
    with pytest.raises(KeyError):
        decide(lost(1, rule="lenient"))


def test_only_regressed_and_inconclusive_fail() -> None:
    outcomes = {each: Decision(outcome=each, why=Why.EQUAL).fails for each in Outcome}

    assert [str(each) for each, fails in outcomes.items() if fails] == ["regressed", "inconclusive"]
