"""Clusters: cases that belong together, in tests, intervals and links."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from gate_world import baseline, given, observations, spec

from pytest_promptgate.core.anchor import anchor_of, since_anchor
from pytest_promptgate.core.arms import Arms, Statistic
from pytest_promptgate.core.confirmation import Arm, Retrial, Retried
from pytest_promptgate.core.decision import Policy, Question, decide
from pytest_promptgate.core.evidence import Sides, arms_of
from pytest_promptgate.core.gate import GateInput, Standing
from pytest_promptgate.core.intervals import cluster_se, suite_se, z_of
from pytest_promptgate.core.judgement import conclude
from pytest_promptgate.core.non_inferiority import bounds
from pytest_promptgate.core.recorded import side_of
from pytest_promptgate.core.types import Outcome, Tolerance
from pytest_promptgate.core.weighing import weigh

GOOD = {f"t-{number:02}": [1.0] for number in range(24)}
BAD = {name: [0.0] for name in GOOD}
FELL = {**GOOD, **{f"t-{number:02}": [0.0] for number in range(6)}}


def clustered(world: GateInput, *, size: int = 6, together: bool = True) -> GateInput:
    """The world with its cases in clusters of `size`, in their order."""
    names = {each.id: f"document {at // size}" for at, each in enumerate(world.suite.cases)}
    cases = tuple(replace(each, cluster=names[each.id]) for each in world.suite.cases)
    by_id = {each.id: each for each in cases}
    results = [replace(each, trial=replace(each.trial, case=by_id[each.trial.case.id])) for each in world.results]
    return replace(world, suite=replace(world.suite, cases=cases, together=together), results=results)


def arms(world: GateInput) -> Arms:
    (standing,) = weigh(world).standing()
    assert isinstance(standing, Standing)
    return standing.arms()


def sides(count: int, *, before: int = 1, after: int = 1) -> list[Sides]:
    return [
        Sides(
            case=f"t-{at}",
            before=tuple(observations({f"t-{at}": [1.0] * before})),
            after=tuple(observations({f"t-{at}": [0.0] * after})),
            cluster=f"document {at // 2}",
        )
        for at in range(count)
    ]


# --- tests -----------------------------------------------------------------------------------------------------------


def test_cases_that_are_answered_together_are_swapped_together() -> None:
    assert arms(clustered(given(GOOD, FELL))).swap().p == 1 / 2
    assert arms(clustered(given(GOOD, FELL), size=2)).swap().p == 1 / 8


def test_cases_that_are_only_alike_are_swapped_one_by_one() -> None:
    found = arms(clustered(given(GOOD, FELL), together=False))

    assert found.clusters is not None
    assert found.swap().p == 1 / 64


def test_without_clusters_nobody_is_together() -> None:
    assert arms(given(GOOD, FELL)).clusters is None


@pytest.mark.parametrize("expression", ["mean(queue)", "p1(queue)", "rate(queue)", "total(queue)"])
def test_whole_clusters_are_swapped_for_every_kind_of_metric(expression: str) -> None:
    found = arms_of(spec(expression), sides(6), together=True)

    assert found.swap().p == 1 / 8


@pytest.mark.parametrize("expression", ["mean(queue)", "p1(queue)"])
def test_with_more_samples_on_one_side_as_many_count_as_on_the_other(expression: str) -> None:
    found = arms_of(spec(expression), sides(6, before=1, after=5), together=True)

    assert found.swap().p == 1 / 8


def test_the_context_of_a_retrial_is_in_no_cluster() -> None:
    same = [replace(each, case=f"c-{each.case}", after=each.before, cluster="") for each in sides(4)]

    found = arms_of(spec("p25(queue)"), sides(4), context=same, together=True)

    assert found.swap().p == 1 / 4


def test_under_confirm_the_retrial_swaps_whole_clusters_too() -> None:
    world = clustered(given(GOOD, FELL), size=2)
    world = replace(world, suite=replace(world.suite, rule="confirm"))
    asked = [f"t-{number:02}" for number in range(6)]
    answers = {
        arm: {case: tuple(observations({case: [value, 1.0 - value] * 4})) for case in asked}
        for arm, value in ((Arm.PRODUCTION, 1.0), (Arm.CANDIDATE, 1.0))
    }
    answers[Arm.CANDIDATE] = {case: tuple(observations({case: [0.0] * 7 + [1.0]})) for case in asked}
    retried = Retried(retrial=Retrial(cases=tuple(asked), samples=8), asked=96, answers=answers)

    ((apart,),) = conclude(
        [replace(weigh(replace(world, suite=replace(world.suite, together=False))), stage2={Arm.PRODUCTION: retried})]
    )
    ((together,),) = conclude([replace(weigh(world), stage2={Arm.PRODUCTION: retried})])

    assert apart.outcome is Outcome.REGRESSED
    assert together.outcome is Outcome.WITHIN_NOISE
    assert together.p == pytest.approx(1 / 4)


def test_what_is_seen_of_cases_answered_together_is_told_by_their_clusters() -> None:
    world = clustered(given(GOOD, FELL), size=2)
    world = replace(world, suite=replace(world.suite, rule="confirm"))

    ((together,),) = conclude([weigh(world)])

    assert together.sees.startswith("a drop of about 41.8 points is caught in at least 4 of 5 runs")


# --- intervals -------------------------------------------------------------------------------------------------------


def scores(*gains: float, clusters: tuple[str, ...] | None, together: bool = False) -> Arms:
    cases = tuple(f"c{at}" for at in range(len(gains)))
    before = tuple((0.5,) for _ in gains)
    return Arms(
        cases=cases,
        before=before,
        after=tuple((0.5 + each,) for each in gains),
        clusters=clusters,
        together=together,
    )


GAINS = tuple(0.01 * (at // 3 - 9) for at in range(60))
DOCUMENTS = tuple(f"d{at // 3}" for at in range(60))


def test_bounds_of_one_sample_spread_by_clusters() -> None:
    alone, by_cluster = (bounds(scores(*GAINS, clusters=each), alpha=0.05) for each in (None, DOCUMENTS))

    reach = z_of(0.95) * cluster_se(list(GAINS), DOCUMENTS)
    assert by_cluster.high - by_cluster.low == pytest.approx(2 * reach)
    assert by_cluster.high - by_cluster.low > 1.6 * (alone.high - alone.low)


def test_bounds_of_repeated_answers_to_these_cases_know_no_clusters_unless_they_came_together() -> None:
    before, after = ((0.0, 1.0),) * 24, ((1.0, 1.0),) * 12 + ((0.0, 0.0),) * 12
    names = tuple(f"d{at // 3}" for at in range(24))
    alone = Arms(cases=tuple(map(str, range(24))), before=before, after=after, clusters=names)

    def width(arms: Arms) -> float:
        found = bounds(arms, alpha=0.05)
        return (found.high - found.low) / (2 * z_of(0.95))

    assert width(alone) == pytest.approx(suite_se(before, after))
    assert width(replace(alone, together=True)) == pytest.approx(cluster_se(alone.case_gains, names))


def test_passes_and_fails_in_clusters_take_the_wider_of_both_intervals() -> None:
    once = Arms(cases=tuple(map(str, range(60))), before=((1.0,),) * 60, after=((1.0,),) * 60)
    lost = replace(once, after=((0.0,),) * 6 + ((1.0,),) * 54)
    six, twenty = tuple(str(at // 6) for at in range(60)), tuple(str(at // 3) for at in range(60))

    assert bounds(replace(once, clusters=twenty), alpha=0.05) == bounds(once, alpha=0.05)
    assert bounds(replace(lost, clusters=six), alpha=0.05).low < bounds(lost, alpha=0.05).low


def test_a_total_has_bounds_in_its_own_unit() -> None:
    mean, total = scores(*GAINS, clusters=None), replace(scores(*GAINS, clusters=None), scale=60.0)

    small, large = bounds(mean, alpha=0.05), bounds(total, alpha=0.05)

    assert large.low == pytest.approx(60 * small.low)
    assert large.high == pytest.approx(60 * small.high)


def test_a_bootstrap_keeps_clusters_whole() -> None:
    found = scores(*GAINS, clusters=None)
    middle = Statistic(before=found.before, after=found.after, of=lambda values: math.fsum(values) / len(values))
    alone, by_cluster = (replace(found, statistic=middle, clusters=each) for each in (None, DOCUMENTS))

    narrow, wide = bounds(alone, alpha=0.05), bounds(by_cluster, alpha=0.05)

    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_twenty_clusters_are_needed_for_a_proof_of_no_harm() -> None:
    policy = Policy(rule="non_inferior", tolerance=Tolerance(amount=0.2))
    few = scores(*GAINS, clusters=tuple(f"d{at // 4}" for at in range(60)))

    assert str(decide(Question(arms=few, policy=policy)).why) == "too_few_cases"
    assert str(decide(Question(arms=replace(few, clusters=DOCUMENTS), policy=policy)).why) == "non_inferior"


# --- the anchor ------------------------------------------------------------------------------------------------------


def test_the_anchors_cases_are_swapped_by_cluster() -> None:
    world = clustered(given(GOOD, {**FELL, "t-06": [0.0]}), size=2)
    world = replace(world, suite=replace(world.suite, rule="confirm"))
    stored = baseline(spec(), observations(FELL))
    anchored = replace(stored, anchor=anchor_of(baseline(spec(), observations(GOOD))))

    since = weigh(replace(world, baseline=anchored)).since["accuracy"]

    assert since.swap().p == 1 / 16


@pytest.mark.parametrize("expression", ["mean(queue)", "rate(queue)", "total(queue)"])
def test_a_link_is_as_certain_as_its_clusters_let_it(expression: str) -> None:
    metric = spec(expression)
    gone = {f"old-{number:02}": [1.0] for number in range(24)}
    first, last = baseline(metric, observations({**GOOD, **gone})), baseline(metric, observations(GOOD))
    anchored = replace(last, anchor=anchor_of(first))

    def variance(size: int) -> float:
        world = clustered(given(GOOD, FELL, metric=metric), size=size)
        since = since_anchor(metric, anchored, side_of(world.suite, world.results))
        assert since is not None
        return since.variance

    assert variance(6) > 2 * variance(1)
