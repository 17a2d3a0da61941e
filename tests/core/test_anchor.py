"""The anchor: what small losses are added up from, and when it moves (GATE §6)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from gate_world import baseline, observations, spec

from pytest_promptgate.core.anchor import (
    Side,
    SinceAnchor,
    anchor_of,
    arms_since,
    between,
    moved_anchor,
    since_anchor,
    surviving,
)
from pytest_promptgate.core.ratchet import drift_message, held_to_anchor, merges_message
from pytest_promptgate.core.types import (
    Anchor,
    Baseline,
    Books,
    Direction,
    Drift,
    Measurement,
    MetricSpec,
    Outcome,
    Tolerance,
    Verdict,
)

ACCURACY = spec()
SCORERS = {"queue": "queue-1"}


def measured(scores: Mapping[str, Sequence[float]], metric: MetricSpec = ACCURACY, **changes: object) -> Baseline:
    return replace(baseline(metric, observations(scores)), **changes)  # type: ignore[arg-type]


def side(scores: Mapping[str, Sequence[float]], scorers: Mapping[str, str] = SCORERS) -> Side:
    return Side(cases=measured(scores).cases, scorers=scorers)


def ten(*failed: int, of: int = 10, prefix: str = "t") -> dict[str, list[float]]:
    return {f"{prefix}-{number}": [0.0 if number in failed else 1.0] for number in range(of)}


def anchored(
    scores: Mapping[str, Sequence[float]], anchor: Mapping[str, Sequence[float]], **changes: object
) -> Baseline:
    first = replace(anchor_of(measured(anchor)), **changes)  # type: ignore[arg-type]
    return measured(scores, prompt="support-triage@v3", anchor=first)


# --- how far since then ----------------------------------------------------------------------------------------------


def test_a_baseline_without_an_anchor_is_its_own() -> None:
    first = measured(ten())

    assert anchor_of(first).cases is first.cases
    assert anchor_of(first).reason == "first baseline"


def test_the_anchors_own_cases_are_compared_directly() -> None:
    since = since_anchor(ACCURACY, anchored(ten(1), ten()), side(ten(1, 2)))

    assert since is not None
    assert since.change == pytest.approx(-0.2)
    assert (since.n, since.linked) == (10, False)


def test_a_metric_for_which_lower_is_better_is_turned() -> None:
    lower = spec(lower=True)

    since = since_anchor(lower, anchored(ten(1), ten()), side(ten(1, 2)))

    assert since is not None
    assert since.change == pytest.approx(0.2)


def test_edited_and_removed_cases_do_not_survive() -> None:
    now = measured(ten(of=9)).cases
    now = {**now, "t-0": replace(now["t-0"], row="edited")}

    assert surviving(anchor_of(measured(ten())), now) == pytest.approx(0.8)


def test_with_fewer_survivors_the_way_is_added_up_link_by_link() -> None:
    production = anchored({**ten(1, of=7), **ten(of=3, prefix="n")}, ten())  # 3 of 10 replaced, one broke
    now = side({**ten(1, 2, of=7), **ten(of=3, prefix="n")})

    since = since_anchor(ACCURACY, production, now)

    first = between(ACCURACY, side(ten(of=7)), side(ten(1, of=7)))
    last = between(ACCURACY, side(production_scores(production)), now)
    assert since is not None
    assert first is not None
    assert last is not None
    assert since.linked
    assert since.change == pytest.approx(first.change + last.change) == pytest.approx(-1 / 7 - 1 / 10)
    assert since.variance == pytest.approx(first.variance + last.variance)


def production_scores(production: Baseline) -> dict[str, list[float]]:
    return {
        name: [getattr(each.grades["queue"], "value", 0.0) for each in record.observations]
        for name, record in production.cases.items()
    }


def test_a_changed_scorer_is_a_link_too() -> None:
    production = anchored(ten(1), ten())
    rescored = side(ten(1, 3), {"queue": "queue-2"})

    since = since_anchor(ACCURACY, production, side(ten(1, 2, 3), {"queue": "queue-2"}), rescored=rescored)

    assert since is not None
    assert since.linked
    assert since.change == pytest.approx(-0.1 - 0.1)


def test_what_was_lost_is_not_forgiven_where_nothing_links_the_last_step() -> None:
    other = side(ten(), {"queue": "queue-2"})

    assert since_anchor(ACCURACY, measured(ten(1)), other) is None
    since = since_anchor(ACCURACY, anchored(ten(1), ten()), other)
    assert since is not None
    assert since.n == 0
    assert since.change == pytest.approx(-0.1)


def test_what_was_lost_before_the_anchor_was_laid_anew_is_added() -> None:
    production = anchored(ten(), ten(), drift={"accuracy": Drift(change=-0.05, variance=0.001)})

    since = since_anchor(ACCURACY, production, side(ten(1)))

    assert since is not None
    assert since.linked
    assert since.change == pytest.approx(-0.15)
    assert since.variance > 0.001


def test_the_spread_of_repeated_answers_makes_the_variance_where_there_are_some() -> None:
    before, after = {"a": [1.0, 0.0], "b": [1.0, 1.0]}, {"a": [0.0, 0.0], "b": [1.0, 0.0]}

    link = between(ACCURACY, side(before), side(after))

    assert link is not None
    assert link.variance == pytest.approx((0.5 / 2 + 0.5 / 2) / 4)  # Σ s²/K over n²


def test_the_variance_of_one_answer_each_is_that_between_cases() -> None:
    link = between(ACCURACY, side(ten()), side(ten(1)))

    gains = [-1.0] + [0.0] * 9
    mean = sum(gains) / 10
    assert link is not None
    assert link.variance == pytest.approx(sum((each - mean) ** 2 for each in gains) / 9 / 10)


def test_any_other_metric_has_the_variance_of_the_jackknife() -> None:
    rate = spec("total(queue)")

    link = between(rate, side(ten()), side(ten(1)))

    assert link is not None
    assert link.change == pytest.approx(-1)
    assert link.variance == pytest.approx(0.9 * sum((each + 0.9) ** 2 for each in [0.0] + [-1.0] * 9))


@pytest.mark.parametrize(
    ("change", "variance", "rejects"),
    [(-0.05, 0.0, True), (-0.05, 0.001, False), (-0.06, 0.001, True), (0.0, 0.0, False)],
)
def test_a_linked_loss_is_certain_if_it_exceeds_its_noise(change: float, variance: float, rejects: bool) -> None:
    since = SinceAnchor(change=change, variance=variance, n=10, linked=True)

    assert since.rejects(alpha=0.05) is rejects
    assert (change + 1.6448536 * math.sqrt(variance) < 0) is rejects


# --- where it moves --------------------------------------------------------------------------------------------------


def test_it_stays_where_it_is_when_a_baseline_is_replaced() -> None:
    first = measured(ten())

    anchor = moved_anchor(first, measured(ten(1)), [ACCURACY])

    assert anchor == anchor_of(first)
    second = measured(ten(1), anchor=anchor)
    assert moved_anchor(second, measured(ten(1, 2)), [ACCURACY]) == anchor


def test_it_is_not_kept_beside_an_equal_baseline() -> None:
    assert moved_anchor(measured(ten()), measured(ten()), [ACCURACY]) is None
    assert moved_anchor(anchored(ten(1), ten()), measured(ten()), [ACCURACY]) is None


def test_it_moves_with_every_metric_that_restarts() -> None:
    assert moved_anchor(anchored(ten(1), ten()), measured(ten(1, 2)), [ACCURACY], restarts={"accuracy"}) is None


def test_a_metric_that_does_not_restart_takes_along_what_it_lost() -> None:
    other = replace(ACCURACY, name="tone")

    anchor = moved_anchor(
        anchored(ten(1), ten()),
        measured(ten(1, 2)),
        [ACCURACY, other],
        restarts={"accuracy"},
        reason="improved: accuracy",
    )

    assert anchor is not None
    assert anchor.reason == "improved: accuracy"
    assert anchor.cases == measured(ten(1, 2)).cases
    assert anchor.drift.keys() == {"tone"}
    assert anchor.drift["tone"].change == pytest.approx(-0.2)


def test_it_is_laid_anew_when_too_few_of_its_cases_are_left() -> None:
    new = measured({**ten(1, of=7), **ten(of=3, prefix="n")}, prompt="support-triage@v3")

    anchor = moved_anchor(measured(ten()), new, [ACCURACY])

    assert anchor is not None
    assert (anchor.prompt, anchor.reason) == ("support-triage@v3", "the dataset or a scorer changed")
    assert anchor.drift["accuracy"].change == pytest.approx(-1 / 7)


def test_small_losses_are_one_large_loss_however_often_the_dataset_changes() -> None:
    production, total = measured(ten(of=100)), 0.0
    for step in range(6):
        scores = ten(*range(step + 1), of=100, prefix="t" if step < 3 else "n")
        new = measured(scores)
        anchor = moved_anchor(production, new, [ACCURACY])
        production = replace(new, anchor=anchor)
        way = since_anchor(ACCURACY, production, side(scores))
        total = 0.0 if way is None else way.change

    assert total == pytest.approx(-0.03 - 0.02)  # nothing links "t" with "n": that one step is nobody's
    assert production.anchor is not None


def test_its_arms_are_turned_and_hold_every_sample() -> None:
    anchor: Anchor = anchor_of(measured({"a": [1.0, 0.0], "b": [1.0]}))

    arms = arms_since(spec(lower=True), anchor, side({"a": [0.0], "b": [1.0]}))

    assert arms is not None
    assert (arms.cases, arms.before, arms.after) == (("a", "b"), ((-1.0, 0.0), (-1.0,)), ((0.0,), (-1.0,)))
    assert arms_since(spec("max(queue)"), anchor, side({"a": [0.0]})) is None
    assert arms_since(ACCURACY, anchor, side({"z": [0.0]})) is None


# --- what it makes of a verdict --------------------------------------------------------------------------------------


def verdict(outcome: Outcome = Outcome.WITHIN_NOISE, change: float = -0.01) -> Verdict:
    value = Measurement(metric="accuracy", value=0.9, books=Books(scored=10), direction=Direction.HIGHER)
    return Verdict(
        metric="accuracy",
        outcome=outcome,
        reason="as it was",
        gated=True,
        red=False,
        baseline=value,
        current=value,
        change=change,
        tolerance=Tolerance(amount=0.02),
    )


def moved_by(change: float, *, variance: float = 0.0, linked: bool = False) -> SinceAnchor:
    return SinceAnchor(change=change, variance=variance, n=10, linked=linked)


def test_a_loss_within_the_tolerance_is_red_if_the_losses_since_the_anchor_are_not() -> None:
    held = held_to_anchor(verdict(), ACCURACY, measured(ten()), moved_by(-0.051))

    assert (held.outcome, held.red, held.since_anchor) == (Outcome.REGRESSED, True, -0.051)
    assert held.reason == (
        "accuracy: this change -0.010 (within what is allowed), but since the anchor support-triage@v2: -0.051"
    )


@pytest.mark.parametrize(
    ("before", "way"),
    [
        (verdict(), None),
        (verdict(), moved_by(-0.02)),
        (verdict(), moved_by(0.3)),
        (verdict(change=0.01), moved_by(-0.3)),
        (verdict(change=0.0), moved_by(-0.3)),
        (verdict(Outcome.UNCHANGED), moved_by(-0.3)),
        (replace(verdict(), gated=False), moved_by(-0.3)),
        (verdict(), moved_by(-0.03, variance=0.01, linked=True)),
    ],
)
def test_everything_else_stays_as_it_was(before: Verdict, way: SinceAnchor | None) -> None:
    assert held_to_anchor(before, ACCURACY, measured(ten()), way) == before


def test_the_message_blames_no_single_change() -> None:
    assert drift_message("accuracy", -0.003, -0.051, "triage@v1") == (
        "accuracy: this change -0.003 (within what is allowed), but since the anchor triage@v1: -0.051"
    )
    assert merges_message("2025-01-10", [("#12", -0.011), ("#13", 0.0), ("1a2b3c4d", 0.002)]) == (
        "since 2025-01-10 over 3 merges: #12 -0.011, 1a2b3c4d +0.002"
    )
    assert merges_message("2025-01-10", []) == "since 2025-01-10 over 0 merges"
    assert merges_message("2025-01-10", [(f"#{number}", -0.01) for number in range(10)]) == (
        "since 2025-01-10 over 10 merges: … 2 more, " + ", ".join(f"#{number} -0.010" for number in range(2, 10))
    )
