"""From observations to arms: turned so that higher is better, whatever the metric is."""

from __future__ import annotations

import pytest
from gate_world import Sample, spec

from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.metrics import AggregateError, measure
from pytest_promptgate.core.non_inferiority import bounds
from pytest_promptgate.core.types import Measurement, MetricSpec, Observation, Score

Case = tuple[list[Sample], list[Sample]]


def observation(case: str, number: int, sample: Sample) -> Observation:
    value = sample if isinstance(sample, float) else 0.0
    if isinstance(sample, tuple):
        scored = Score(value=float(sample[0] == sample[1]), labels=sample)
    else:
        scored = Score(value=value)
    return Observation(case=case, sample=number, grades={"queue": scored}, cost_usd=value)


def sides(*cases: Case) -> list[Sides]:
    return [
        Sides(
            case=f"c{at}",
            before=tuple(observation(f"c{at}", number, each) for number, each in enumerate(old, start=1)),
            after=tuple(observation(f"c{at}", number, each) for number, each in enumerate(new, start=1)),
        )
        for at, (old, new) in enumerate(cases)
    ]


def measured(metric: MetricSpec, given: list[Sides]) -> tuple[float, float]:
    both = []
    for name in ("before", "after"):
        found = measure(metric, [each for side in given for each in getattr(side, name)])
        assert isinstance(found, Measurement)
        both.append(found.value)
    return both[0], both[1]


UNEVEN: list[Case] = [([1.0, 0.5], [0.0]), ([0.25], [0.75]), ([0.5], [0.125])]
EVEN: list[Case] = [([1.0], [0.0]), ([0.25], [0.75]), ([0.5], [0.125])]
LABELS: list[Case] = [([("a", "a")], [("b", "a")]), ([("b", "b")], [("b", "b")]), ([("c", "b")], [("a", "b")])]


@pytest.mark.parametrize("expression", ["mean(queue)", "rate(queue)", "total(queue)", "p95(queue)", "min(queue)"])
@pytest.mark.parametrize("cases", [UNEVEN, EVEN])
@pytest.mark.parametrize("lower", [False, True])
def test_the_levels_are_what_the_metric_measures(expression: str, cases: list[Case], lower: bool) -> None:
    given, metric = sides(*cases), spec(expression, lower=lower)
    sign = -1 if lower else 1

    arms = arms_of(metric, given)

    assert arms.levels == pytest.approx(tuple(sign * each for each in measured(metric, given)))
    assert arms.cases == ("c0", "c1", "c2")


def test_draws_without_the_label_of_a_recall_are_left_out_of_its_bounds() -> None:
    rare: Case = ([("a", "a")], [("b", "a")])
    usual: Case = ([("b", "b")], [("b", "b")])

    found = bounds(arms_of(spec("recall(queue, label=a)"), sides(rare, *[usual] * 9)), alpha=0.05)

    assert (found.low, found.high) == (-1.0, -1.0)


@pytest.mark.parametrize(("expression", "lower"), [("f1(queue)", False), ("confusion(queue)", True)])
def test_labels_are_right_or_wrong_case_by_case(expression: str, lower: bool) -> None:
    given, metric = sides(*LABELS), spec(expression, lower=lower)

    arms = arms_of(metric, given)

    sign = -1 if lower else 1
    assert arms.levels == pytest.approx(tuple(sign * each for each in measured(metric, given)))
    assert (arms.before, arms.after) == (((1.0,), (1.0,), (0.0,)), ((0.0,), (1.0,), (0.0,)))


def test_a_wrong_label_for_another_wrong_one_is_a_move() -> None:
    arms = arms_of(spec("f1(queue)"), sides(*LABELS))

    assert [move > 0 for move in arms.moves] == [True, False, True]
    assert arms.moves[0] == 1.0


def test_a_total_of_equally_many_trials_is_tested_as_a_mean() -> None:
    assert arms_of(spec("total(cost_usd)", lower=True), sides(*EVEN)).statistic is None
    assert arms_of(spec("total(cost_usd)", lower=True), sides(*UNEVEN)).statistic is not None


def test_cases_that_were_not_asked_again_stay_in_a_statistic_over_all_trials() -> None:
    again, rest = sides(LABELS[0]), sides(LABELS[1], LABELS[1])

    arms = arms_of(spec("f1(queue, label=b)"), again, context=rest)

    assert arms.cases == ("c0",)
    assert arms.levels == pytest.approx((1.0, 0.8))
    assert arms.swap().p == 0.5


def test_a_plugin_aggregate_that_fails_says_so() -> None:
    def picky(values: object) -> float:
        raise RuntimeError("no")

    arms = arms_of(spec("picky(queue)"), sides(*EVEN), aggregates={"picky": picky})

    with pytest.raises(AggregateError) as error:
        assert arms.levels
    assert str(error.value) == "the aggregate picky raised RuntimeError: no"
