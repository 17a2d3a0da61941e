"""A judge's verdicts beside people's labels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rubric_values import rubric

from pytest_promptgate.core.calibration_study import Level, Rated, levels_of, nearest, one_class, study, too_few
from pytest_promptgate.core.rubrics import PAIR, Choice, Choices, Range, Rubric
from pytest_promptgate.core.types import Grade, Score, Unscored

FIVE = rubric(scale=Range(low=1, high=5))


def rated(people: float | dict[str, float], *judge: float | None, arm: str = "", name: str = "a") -> Rated:
    """One answer; None is no verdict."""
    grades: list[Grade] = [Unscored(reason="no verdict") if each is None else Score(value=each) for each in judge]
    labels = people if isinstance(people, dict) else {"": people}
    return Rated(name=name, answer="an answer", labels=labels, grades=tuple(grades), arm=arm)


def table(cells: dict[tuple[float, float], int]) -> list[Rated]:
    """Answers by (people, judge)."""
    return [rated(people, judge) for (people, judge), count in cells.items() for _ in range(count)]


def test_every_number_of_a_table_of_two_by_two() -> None:
    # Cohen's own numbers: agreement 0.7, by chance 0.5, so kappa is 0.4.
    found = study(FIVE, table({(1.0, 1.0): 20, (1.0, 0.0): 5, (0.0, 1.0): 10, (0.0, 0.0): 15})).calibration

    assert (found.labels, found.unscored) == (50, 0)
    assert (found.agreement, found.kappa, found.weighted_kappa) == (0.7, 0.4, 0.4)
    assert (found.sensitivity, found.specificity) == (0.8, 0.6)
    assert found.bias == 0.1
    # The variance of d is (0.3 - 0.01) * 50 / 49.
    assert found.bias_interval == pytest.approx((-0.05078, 0.25078), abs=1e-5)
    assert (found.alpha, found.position_consistency, found.self_consistency, found.arm_bias) == (None,) * 4
    assert found.rubric == FIVE.digest


def test_the_confusion_has_people_in_its_lines() -> None:
    found = study(FIVE, table({(1.0, 0.75): 19, (0.0, 0.25): 1}))

    assert [level.name for level in found.levels] == ["1", "2", "3", "4", "5"]
    assert found.confusion[4] == (0, 0, 0, 19, 0)
    assert found.confusion[0] == (0, 1, 0, 0, 0)


def test_weights_forgive_what_is_near() -> None:
    near = study(FIVE, table({(1.0, 0.75): 10, (0.0, 0.25): 10})).calibration
    far = study(FIVE, table({(1.0, 0.0): 10, (0.0, 1.0): 10})).calibration

    assert near.kappa == 0.0
    assert near.weighted_kappa > 0.7
    assert far.weighted_kappa == -1.0


def test_a_good_answer_is_one_from_the_wanted_score_on() -> None:
    answers = table({(0.5, 0.75): 10, (1.0, 1.0): 5, (0.0, 0.0): 5})

    assert study(FIVE, answers).calibration.sensitivity == 1.0
    assert study(FIVE, answers, good=0.75).calibration.specificity == round(5 / 15, 6)


def test_of_several_raters_the_mean_counts_for_the_bias_and_the_lower_middle_for_the_verdict() -> None:
    answers = [rated({"anna": 1.0, "ben": 0.5}, 0.5), *(rated({"anna": 0.0, "ben": 0.0}, 0.0) for _ in range(19))]

    found = study(FIVE, answers)

    assert found.calibration.agreement == 1.0
    assert found.calibration.bias == -0.0125
    assert found.raters == 2
    assert found.calibration.alpha is not None
    assert found.alpha_with_judge is not None
    assert 0.5 < found.calibration.alpha < 1


def test_raters_who_never_label_the_same_answer_have_no_alpha() -> None:
    answers = [rated({f"rater {at}": float(at % 2)}, float(at % 2)) for at in range(20)]

    assert study(FIVE, answers).calibration.alpha is None


def test_answers_without_a_verdict_are_counted_and_left_out() -> None:
    found = study(FIVE, [*table({(1.0, 1.0): 10, (0.0, 0.0): 10}), rated(1.0, None, name="t-9")])

    assert (found.calibration.labels, found.calibration.unscored) == (20, 1)
    assert found.unscored == (("t-9", "no verdict"),)


def test_an_answer_is_judged_alike_only_if_every_repeat_says_the_same() -> None:
    answers = [rated(1.0, 1.0, 1.0), rated(0.0, 0.0, 1.0), rated(0.0, 0.0, None)]
    answers += [rated(1.0, 1.0, 1.0)] * 17

    assert study(FIVE, answers).calibration.self_consistency == 0.9


def test_the_ten_worst_disagreements_come_worst_first() -> None:
    answers = [rated(0.0, 0.25, name=f"near {at}") for at in range(19)]
    answers += [rated(1.0, 0.0, name="far"), rated(1.0, 1.0, name="none")]

    found = study(FIVE, answers).disagreements

    assert [each.name for each in found] == ["far", *(f"near {at}" for at in range(9))]
    assert (found[0].people, found[0].judge, found[0].answer) == (1.0, 0.0, "an answer")


def test_a_judge_that_is_kinder_to_one_arm_is_seen_if_both_are_labelled() -> None:
    production = [rated(at % 2, at % 2, arm="production") for at in range(20)]
    candidate = [rated(at % 2, 1.0, arm="candidate") for at in range(20)]

    found = study(FIVE, [*production, *candidate]).calibration

    assert found.arm_bias == 0.5
    assert found.arm_bias_interval == pytest.approx((0.2752, 0.7248), abs=1e-3)
    assert study(FIVE, candidate).calibration.arm_bias is None


def test_a_comparison_tells_how_often_both_orders_agree() -> None:
    pairs = replace(FIVE, pairwise=True, scale=PAIR)
    answers = [
        Rated(name="a", answer="", labels={"": people}, grades=(Score(value=people, labels=labels),))
        for people, labels in (
            *[(1.0, ("candidate", "candidate"))] * 15,
            *[(0.5, ("candidate", "production"))] * 5,
        )
    ]

    assert study(pairs, answers).calibration.position_consistency == 0.75


@pytest.mark.parametrize(
    ("scale", "levels"),
    [
        (Range(low=1, high=3), [("1", 0.0), ("2", 0.5), ("3", 1.0)]),
        (
            Choices(choices=tuple(Choice(name=name, score=score) for name, score in (("b", 1), ("a", 0), ("c", 1)))),
            [("a", 0), ("b / c", 1)],
        ),
    ],
)
def test_levels_stand_in_the_order_of_their_scores(scale: Range | Choices, levels: list[tuple[str, float]]) -> None:
    assert levels_of(rubric(scale=scale)) == tuple(Level(name=name, score=score) for name, score in levels)


def test_the_levels_of_a_comparison_say_whose_answer_is_better() -> None:
    assert [each.name for each in levels_of(replace(FIVE, pairwise=True))] == ["production", "tie", "candidate"]


def test_a_score_between_two_levels_is_the_worse_one() -> None:
    assert [nearest(levels_of(FIVE), score) for score in (0.0, 0.12, 0.125, 0.13, 1.0)] == [0, 0, 0, 1, 4]


def test_fewer_than_twenty_are_too_few_to_say() -> None:
    assert too_few(20, what="labels") == ""
    with pytest.raises(ValueError, match=r"\A19 labelled answers with a verdict are too few to say") as told:
        study(FIVE, table({(1.0, 1.0): 10, (0.0, 0.0): 9}))
    assert str(told.value) == (
        "19 labelled answers with a verdict are too few to say whether a judge agrees with people: "
        "at least 20 are needed"
    )


def test_one_class_only_tells_nothing() -> None:
    same: Rubric = FIVE

    with pytest.raises(ValueError, match="one class only") as told:
        study(same, table({(1.0, 1.0): 15, (1.0, 0.0): 15}))
    assert str(told.value) == ("all 30 labels say '5': with one class only, agreement cannot be told from chance")
    assert one_class(same, table({(1.0, 1.0): 1, (0.0, 1.0): 1})) == ""
