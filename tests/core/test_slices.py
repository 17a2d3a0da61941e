"""Gated slices: metrics on a part of the cases, judged like any metric and within the same family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from gate_world import Samples, baseline, case, given, observations, spec

from pytest_promptgate.core.anchor import anchor_of, moved_anchor, since_anchor
from pytest_promptgate.core.confirmation import Arm, Retrial, Retried
from pytest_promptgate.core.contract import contract_of
from pytest_promptgate.core.gate import GateInput
from pytest_promptgate.core.judgement import conclude, judge_all
from pytest_promptgate.core.promises import loosened
from pytest_promptgate.core.recorded import side_of
from pytest_promptgate.core.sliced import sliced
from pytest_promptgate.core.slices import Gated, gated_on, parts_of, slice_name, values_of
from pytest_promptgate.core.types import (
    Case,
    Measured,
    Measurement,
    MetricGate,
    MetricSpec,
    Outcome,
    Part,
    Tolerance,
    Verdict,
)
from pytest_promptgate.core.weighing import weigh

GERMAN = {f"de-{number:02}": [1.0] for number in range(20)}
ENGLISH = {f"en-{number:02}": [1.0] for number in range(20)}
ALL = {**GERMAN, **ENGLISH}
SLICE = "accuracy[language=de]"


def but(scores: Samples, **changed: float) -> dict[str, list[float]]:
    """`scores`, with another sample of some cases."""
    return {**scores, **{name.replace("_", "-"): [each] for name, each in changed.items()}}  # type: ignore[dict-item]


def row(name: str) -> Case:
    return replace(case(name), inputs={"language": name[:2]}, tags=("all", name[:2]))


def gated(world: GateInput, *, values: tuple[str, ...] = ("de",), rule: str = "strict") -> GateInput:
    """The same world with the metric gated on slices of ``language``."""
    suite = world.suite
    cases = tuple(row(each.id) for each in suite.cases)
    found = gated_on(parts_of(cases, "language", values), suite.metrics, suite.gates)
    results = [replace(each, trial=replace(each.trial, case=row(each.trial.case.id))) for each in world.results]
    suite = replace(
        suite,
        cases=cases,
        parts=found.specs,
        gates={**suite.gates, **found.gates},
        thin=found.thin,
        slices=("language",),
        rule=rule,
    )
    return replace(world, suite=suite, results=results)


def verdicts(world: GateInput) -> Mapping[str, Verdict]:
    return {each.metric: each for each in judge_all(world)}


def value(measured: Measured | None) -> float | None:
    return measured.value if isinstance(measured, Measurement) else None


# --- which cases -----------------------------------------------------------------------------------------------------


def test_a_case_has_the_values_of_its_row_and_every_tag() -> None:
    given = replace(row("de-01"), inputs={"language": "de", "score": 3, "gone": None})

    assert values_of(given, "language") == ("de",)
    assert values_of(given, "score") == ("3",)
    assert values_of(given, "tags") == ("all", "de")
    assert values_of(given, "gone") == values_of(given, "nowhere") == ()


@pytest.mark.parametrize(
    ("value", "name"),
    [("de", "language=de"), ("a b::c[d]", "language=a-b-c-d"), ("", "language="), ("\x1b[2K", "language=-2K")],
)
def test_a_slice_has_a_name_that_can_stand_in_a_node_id(value: str, name: str) -> None:
    assert slice_name("language", value) == name


def test_slices_are_found_by_value_and_those_of_fewer_than_20_cases_are_not_gated() -> None:
    cases = [row(name) for name in (*GERMAN, "en-01")]

    found = gated_on(parts_of(cases, "language"), [spec()], {"accuracy": MetricGate()})

    assert [each.name for each in found.specs] == [SLICE]
    assert found.specs[0].part == Part(name="language=de", cases=frozenset(GERMAN))
    assert found.specs[0].whole == "accuracy"
    assert found.thin == {"language=en"}


def test_a_slice_has_the_tolerance_of_its_metric_and_no_floor() -> None:
    gate = MetricGate(tolerance=Tolerance(amount=0.1), floor=0.9)

    found = gated_on(parts_of([row(name) for name in GERMAN], "tags", ["de"]), [spec()], {"accuracy": gate})

    assert found == Gated(
        specs=found.specs,
        gates={"accuracy[tags=de]": MetricGate(tolerance=Tolerance(amount=0.1))},
        thin=frozenset(),
    )


# --- how they are judged ---------------------------------------------------------------------------------------------


def test_a_slice_is_red_where_the_whole_metric_did_not_fall() -> None:
    before = but(ALL, en_00=0.0, en_01=0.0)

    found = verdicts(gated(given(before, but(ALL, de_00=0.0, de_01=0.0))))

    assert found["accuracy"].outcome is Outcome.UNCHANGED
    assert found[SLICE].red
    assert found[SLICE].reason == f"{SLICE} fell from 1.000 to 0.900 (n=20, change -0.100, tolerance 0)"
    assert [each.case for each in found[SLICE].worse] == ["de-00", "de-01"]
    assert (value(found[SLICE].baseline), value(found[SLICE].current)) == (1.0, 0.9)


def test_a_slice_that_did_not_fall_passes_where_the_whole_metric_is_red() -> None:
    found = verdicts(gated(given(ALL, but(ALL, en_00=0.0))))

    assert found["accuracy"].red
    assert (found[SLICE].outcome, found[SLICE].reason) == (Outcome.UNCHANGED, f"{SLICE} is 1.000 as before (n=20)")


def test_the_tolerance_of_the_metric_holds_for_its_slices() -> None:
    gate = MetricGate(tolerance=Tolerance(amount=0.06))

    found = verdicts(gated(given(ALL, but(ALL, de_00=0.0), gate=gate)))

    assert found[SLICE].outcome is Outcome.WITHIN_NOISE


def test_a_slice_whose_cases_are_all_added_is_new() -> None:
    found = verdicts(gated(given(ENGLISH, ALL)))

    assert (found[SLICE].outcome, found[SLICE].red) == (Outcome.NEW, False)
    assert found[SLICE].reason == f"{SLICE} is 1.000 (n=20): none of its cases is in the baseline"


def test_a_metric_that_is_new_is_new_in_its_slices_too() -> None:
    world = gated(given(ALL, ALL))
    assert world.baseline is not None
    without = replace(world.baseline, contract=replace(world.baseline.contract, metrics={}))

    found = verdicts(replace(world, baseline=without))

    assert found[SLICE].reason == f"{SLICE} is 1.000 (n=20): the baseline has no such metric"


def test_a_partial_run_judges_the_part_of_the_slice_that_it_has() -> None:
    some = {name: each for name, each in ALL.items() if name in ("de-00", "en-00")}
    none = {"en-00": [1.0]}

    def partial(scores: dict[str, list[float]]) -> Verdict:
        world = gated(given(ALL, ALL))
        results = [each for each in world.results if each.trial.case.id in scores]
        return verdicts(replace(world, results=results, selection=frozenset(scores)))[SLICE]

    assert partial(some).reason == f"{SLICE} is 1.000 as before (n=1)"
    assert (partial(none).outcome, partial(none).red) == (Outcome.NEW, False)
    assert partial(none).reason == f"{SLICE} was not measured: none of its cases was selected"


def test_too_few_of_a_slices_cases_are_inconclusive() -> None:
    rows = dict.fromkeys(list(GERMAN)[:3], "edited")
    world = gated(given(ALL, ALL))
    edited = [
        replace(each, trial=replace(each.trial, case=replace(each.trial.case, digest=rows[each.trial.case.id])))
        if each.trial.case.id in rows
        else each
        for each in world.results
    ]

    found = verdicts(replace(world, results=edited))

    assert found["accuracy"].outcome is Outcome.UNCHANGED
    assert found[SLICE].reason == (
        f"{SLICE} cannot be judged: only 17 of 20 baseline cases can be compared (3 edited), less than 90 %"
    )


def test_slices_of_a_metric_that_is_no_mean_are_measured_on_their_cases() -> None:
    metric = spec("p50(queue)")
    half = {name: [0.5] for name in GERMAN}

    found = verdicts(gated(given(ALL, {**ALL, **half}, metric=metric)))

    assert (value(found[SLICE].baseline), value(found[SLICE].current)) == (1.0, 0.5)
    assert found["accuracy"].red
    assert found[SLICE].red


# --- tests and the family --------------------------------------------------------------------------------------------


def test_under_confirm_the_cases_of_a_slice_are_asked_again_and_decide() -> None:
    before = but(ALL, en_00=0.0)
    world = weigh(gated(given(before, but(ALL, de_00=0.0)), rule="confirm"))

    (arms,) = world.doubtful(Arm.PRODUCTION)

    assert [case for case, move in zip(arms.cases, arms.moves, strict=True) if move] == ["de-00"]
    for again, outcome in (([0.0] * 8, Outcome.REGRESSED), ([1.0] * 8, Outcome.WITHIN_NOISE)):
        answers = {
            Arm.PRODUCTION: {"de-00": tuple(observations({"de-00": [1.0] * 8}))},
            Arm.CANDIDATE: {"de-00": tuple(observations({"de-00": again}))},
        }
        retried = Retried(retrial=Retrial(cases=("de-00",), samples=8), asked=16, answers=answers)
        ((whole, part),) = conclude([replace(world, stage2={Arm.PRODUCTION: retried})])
        assert (whole.outcome, part.outcome) == (Outcome.UNCHANGED, outcome)
        assert part.p is not None


def test_gated_slices_share_the_level_of_the_run() -> None:
    before = {name: [1.0] * 3 for name in ALL}
    after = {name: [1.0] * 3 for name in ALL} | {f"de-0{number}": [1.0, 0.0, 0.0] for number in range(2)}
    world = given(before, after)
    alone = replace(
        world, suite=replace(world.suite, rule="significant", policy=replace(world.suite.policy, max_drop=None))
    )

    def p(values: tuple[str, ...]) -> float:
        found = gated(alone, values=values, rule="significant")
        return verdicts(found)["accuracy"].p or 0.0

    one, two, three = p(()), p(("de",)), p(("de", "en"))
    assert one < two < three
    assert three == pytest.approx(3 * one)


def test_a_slice_says_what_it_can_see_which_is_less_than_the_whole() -> None:
    whole, part = judge_all(gated(given(but(ALL, de_00=0.0), ALL), rule="confirm"))

    assert whole.sees.startswith("a drop of about 23.5 points")
    assert part.sees.startswith("a drop of about 45.6 points")


# --- the anchor ------------------------------------------------------------------------------------------------------


def test_a_slice_is_held_against_its_own_cases_of_the_anchor() -> None:
    once = {name: [1.0] for name in ALL}
    lost = but(once, de_00=0.0)
    more = but(lost, de_01=0.0)
    world = gated(given(lost, more), rule="confirm")
    assert world.baseline is not None
    anchored = replace(world.baseline, anchor=anchor_of(baseline(spec(), observations(once))))

    since = weigh(replace(world, baseline=anchored)).since[SLICE]

    assert set(since.cases) == set(GERMAN)
    assert since.gain == pytest.approx(-0.1)


def test_a_new_anchor_takes_along_how_far_each_slice_had_moved() -> None:
    old = baseline(spec(), observations(ALL))
    world = gated(given(ALL, but(ALL, de_00=0.0)))
    new = baseline(spec(), observations(but(ALL, de_00=0.0)))

    anchor = moved_anchor(old, new, world.suite.judged, restarts=["accuracy"], reason="improved: accuracy")

    assert anchor is not None
    assert anchor.drift.keys() == {SLICE}
    assert anchor.drift[SLICE].change == pytest.approx(-0.05)


# --- what was promised -----------------------------------------------------------------------------------------------


def test_a_slice_that_is_gated_no_more_was_loosened() -> None:
    world = gated(given(ALL, ALL))
    assert world.baseline is not None
    promised = replace(world.baseline, contract=contract_of(world.suite))

    assert [*loosened(world.suite, promised)] == []
    fewer = replace(world.suite, parts=(), gates={"accuracy": MetricGate()})
    assert [*loosened(fewer, promised)] == [f"the gate on {SLICE} is gone"]


def test_a_slice_that_may_fall_further_was_loosened() -> None:
    world = gated(given(ALL, ALL))
    assert world.baseline is not None
    promised = replace(world.baseline, contract=contract_of(world.suite))
    wider = {name: MetricGate(tolerance=Tolerance(amount=0.1)) for name in world.suite.gates}

    assert [*loosened(replace(world.suite, gates=wider), promised)] == [
        "the tolerance of accuracy was 0, and is 0.1 now",
        f"the tolerance of {SLICE} was 0, and is 0.1 now",
    ]


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_every_slice_is_shown_before_and_now_gated_or_not() -> None:
    found = [*sliced(weigh(gated(given(ALL, but(ALL, en_00=0.0)))))]

    shown = [(each.slice, each.cases, value(each.baseline), value(each.measured)) for each in found]
    assert shown == [("language=de", 20, 1.0, 1.0), ("language=en", 20, 1.0, 0.95)]


def test_without_a_baseline_a_slice_is_shown_as_it_is_now() -> None:
    (german, english) = sliced(weigh(gated(given(None, but(ALL, en_00=0.0)))))

    assert (german.baseline, value(german.measured)) == (None, 1.0)
    assert (english.baseline, value(english.measured)) == (None, 0.95)


def test_links_of_a_slice_are_measured_on_its_cases() -> None:
    gone = {f"fr-{number:02}": [1.0] for number in range(40)}
    first = baseline(spec(), observations({**ALL, **gone}))
    last = baseline(spec(), observations(ALL))
    world = gated(given(ALL, but(ALL, de_00=0.0)))
    metric: MetricSpec = world.suite.parts[0]

    since = since_anchor(metric, replace(last, anchor=anchor_of(first)), side_of(world.suite, world.results))

    assert since is not None
    assert since.linked
    assert since.change == pytest.approx(-0.05)
    assert since.n == 20
